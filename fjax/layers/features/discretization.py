"""Binning of numbers."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

import jax.numpy as jnp
import numpy as np

from fjax.core.placeholders import is_abstract
from fjax.core.text_inputs import is_text, text_input_error
from fjax.errors import integer_at_least, number_between
from fjax.layers.array_layer import ArrayLayer
from fjax.layers.features.data_layer import DataLayer
from fjax.layers.features.encoding import check_output, encode_categories
from fjax.layers.learned import not_ready, set_learned
from fjax.typing import Array, Params


class Discretization(DataLayer, ArrayLayer):
    """Map numbers to the index of their bin.

    Boundaries b divide the numbers into bins (-inf, b0), [b0, b1), …, [bn, inf), with indices from
    0.

    Args:
        bin_boundaries: The boundaries, in ascending order. Without them `adapt` computes some.
        num_bins: The number of bins that `adapt` makes, with about equally many numbers in each.
        epsilon: The tolerance of the quantiles: a summary of the data holds about 1 / epsilon
            numbers.
        output_mode: "int" for the index; "one_hot" for one row per number; "multi_hot" and "count"
            for one row per sample, with a one, or the count, for each bin.
        sparse: Must be False: fjax has only dense arrays.

    On symbolic tensors it may be called before `adapt`.

    Shapes: any; "one_hot" adds an axis or replaces a last axis of size 1; the modes with one row
    per sample map (batch, numbers) to (batch, bins), and (numbers,) as one sample.

    Raises:
        TypeError: The inputs are text.
        ValueError: Not exactly one of `bin_boundaries` and `num_bins` is given, the boundaries are
            not ascending, or there are none yet.

    Source: Keras's page "Discretization layer".

    >>> Discretization([0.0, 1.0, 2.0])([[-1.5, 1.0, 3.4, 0.5]]).tolist()
    [[0, 2, 3, 1]]
    >>> layer = Discretization(num_bins=4)
    >>> layer.adapt([[-1.5, 1.0, 3.4, 0.5], [0.0, 3.0, 1.3, 0.0]])
    >>> layer([[-1.5, 1.0, 3.4, 0.5]]).tolist()
    [[0, 2, 3, 2]]
    """

    fields_beyond_keras = frozenset({"trainable", "autocast"})
    casting = "outputs"

    bin_boundaries: tuple[float, ...] | None = None
    num_bins: int | None = None
    epsilon: float = 0.01
    output_mode: str = "int"
    sparse: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = "Discretization"
        check_output(self, ["int", "one_hot", "multi_hot", "count"])
        self.epsilon = number_between(owner, "epsilon", self.epsilon, 0.0, 1.0, open_low=True)
        if (self.bin_boundaries is None) == (self.num_bins is None):
            raise ValueError(
                f"`{owner}` needs either `bin_boundaries` or `num_bins`, received "
                f"bin_boundaries={self.bin_boundaries!r}, num_bins={self.num_bins!r}."
            )
        if self.num_bins is not None:
            self.num_bins = integer_at_least(owner, "num_bins", self.num_bins, 2)
        else:
            self._set_boundaries(self.bin_boundaries)

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Compute the boundaries from data: quantiles, up to the tolerance `epsilon`.

        Args:
            data: An array, or an iterable of batches, which may be a list.
            steps: The number of batches of an iterable to use; None uses all.

        Raises:
            ValueError: The layer was made with boundaries, or the data is empty or not finite.
        """
        if self.num_bins is None:
            raise ValueError(
                "`Discretization.adapt`: the boundaries were given when the layer was made: make "
                "a layer with `num_bins` to compute them from data."
            )
        summary = np.zeros((2, 0), np.float32)
        for batch in _batches(data, steps):
            if is_text(batch):
                raise text_input_error("Discretization", batch)
            values = np.asarray(batch, np.float32)
            if not np.isfinite(values).all():
                raise ValueError(
                    "`Discretization.adapt`: the data contains NaN or infinite numbers: remove or "
                    "replace them first."
                )
            joined = np.concatenate([_summarize(values.ravel(), self.epsilon), summary], axis=1)
            summary = _compress(joined[:, np.argsort(joined[0])], self.epsilon)
        if summary.size == 0:
            raise ValueError("`Discretization.adapt`: the data is empty.")
        self._set_boundaries(_compress(summary, 1.0 / self.num_bins)[0, :-1].tolist())

    def learned(self) -> Any:
        """Return what `adapt` computed: the boundaries."""
        return self.bin_boundaries

    def require_ready(self) -> None:
        """Raise ValueError if there are no boundaries yet."""
        if self.bin_boundaries is None:
            raise not_ready(
                self,
                "boundaries",
                "call `layer.adapt(training_data)` before using the layer, or pass "
                "`bin_boundaries=`.",
            )

    @classmethod
    def from_config(cls, config: Any) -> "Discretization":
        """Return the layer that `get_config` described, with its adapted boundaries."""
        if config.get("bin_boundaries") is None or config.get("num_bins") is None:
            return cls(**config)
        layer = cls(**{**config, "bin_boundaries": None})
        layer._set_boundaries(config["bin_boundaries"])
        return layer

    def compute_outputs(self, params: Params, values: Any) -> Array:
        """Return the bin index of each number, or the rows of the other modes."""
        if is_text(values):
            raise text_input_error("Discretization", values)
        if self.bin_boundaries is None and self.num_bins is not None and is_abstract():
            # On symbolic tensors before `adapt`.
            ids = jnp.zeros(values.shape, jnp.int32)
            return encode_categories(self.kind, ids, self.output_mode, self.num_bins)
        self.require_ready()
        assert self.bin_boundaries is not None
        boundaries = np.array(self.bin_boundaries, np.float32)
        indices = jnp.searchsorted(boundaries, jnp.asarray(values), side="right").astype(jnp.int32)
        return encode_categories(self.kind, indices, self.output_mode, len(boundaries) + 1)

    def _set_boundaries(self, boundaries: Any) -> None:
        values = np.asarray(boundaries, np.float64)
        is_ascending = values.ndim == 1 and len(values) and bool((np.diff(values) >= 0).all())
        if not is_ascending or not np.isfinite(values).all():
            raise ValueError(
                "`Discretization`: `bin_boundaries` must be a list of numbers in ascending order, "
                f"received {boundaries!r}."
            )
        set_learned(self, bin_boundaries=tuple(values.tolist()))


def _batches(data: Any, steps: int | None) -> Iterable[Any]:
    return [data] if hasattr(data, "__array__") or is_text(data) else islice(data, steps)


def _summarize(values: np.ndarray, epsilon: float) -> np.ndarray:
    """Return a summary: a sample of the sorted values, and the number of values each represents."""
    values = np.sort(values)
    step = max(len(values) * epsilon, 1)
    sample = values[int(step - 1) :: int(step)]
    return np.stack([sample, np.full_like(sample, step)])


def _compress(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """Return a summary with about 1 / epsilon values, interpolated between its quantiles."""
    if summary.shape[1] * epsilon < 1:
        return summary
    levels = epsilon + np.arange(0.0, 1.0, epsilon)
    cumulative = summary[1].cumsum()
    values = np.interp(levels, cumulative / cumulative[-1], summary[0])
    counts = np.interp(levels, cumulative / cumulative[-1], cumulative)
    return np.stack([values, np.diff(counts, prepend=0)]).astype(np.float32)
