"""Numbers as the ranges that they lie in."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

import jax.numpy as jnp
import numpy as np

from fjax.core.checks import single_input
from fjax.core.text import is_text, text_input_error
from fjax.errors import integer_at_least, number_between, one_of
from fjax.layers.features.data_layer import DataLayer
from fjax.layers.features.encoding import encode_categories
from fjax.typing import Array, Key, Params, State


class Discretization(DataLayer):
    """Numbers as the place of the range that they lie in.

    Boundaries b make the ranges (-inf, b0), [b0, b1), …, [bn, inf), numbered from 0.

    Args:
        bin_boundaries: The boundaries, ascending. Without them `adapt` finds some.
        num_bins: How many ranges `adapt` is to make, each with about as many numbers of the data.
        epsilon: How rough the quantiles may be: a summary of data keeps about 1 / epsilon numbers.
        output_mode: "int" for the place; "one_hot" for a row for each number; "multi_hot" and
            "count" for one row for each sample, with a one, or the count, of each range.
        sparse: False; arrays are dense here.

    Shapes: any; "one_hot" adds an axis, or takes the place of a last one of size 1; the modes with
    a row for each sample take (batch, numbers) to (batch, ranges), and (batch,) as one sample.

    Raises:
        TypeError: Text is given.
        ValueError: Not exactly one of `bin_boundaries` and `num_bins` is given, the boundaries do
            not ascend, or there are none yet.

    Source: Keras's page "Discretization layer".

    >>> Discretization([0.0, 1.0, 2.0])([[-1.5, 1.0, 3.4, 0.5]]).tolist()
    [[0, 2, 3, 1]]
    >>> layer = Discretization(num_bins=4)
    >>> layer.adapt([[-1.5, 1.0, 3.4, 0.5], [0.0, 3.0, 1.3, 0.0]])
    >>> layer([[-1.5, 1.0, 3.4, 0.5]]).tolist()
    [[0, 2, 3, 2]]
    """

    bin_boundaries: tuple[float, ...] | None = None
    num_bins: int | None = None
    epsilon: float = 0.01
    output_mode: str = "int"
    sparse: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = "Discretization"
        one_of(owner, "output_mode", self.output_mode, ["int", "one_hot", "multi_hot", "count"])
        if self.sparse:
            raise ValueError(f"`{owner}`: `sparse` must be False: arrays are dense here.")
        self.epsilon = number_between(owner, "epsilon", self.epsilon, 0.0, 1.0, open_low=True)
        if (self.bin_boundaries is None) == (self.num_bins is None):
            raise ValueError(
                f"`{owner}` needs either `bin_boundaries` or `num_bins`, received "
                f"bin_boundaries={self.bin_boundaries!r}, num_bins={self.num_bins!r}."
            )
        if self.num_bins is not None:
            self.num_bins = integer_at_least(owner, "num_bins", self.num_bins, 2)
        else:
            self._keep(self.bin_boundaries)

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Take the boundaries from data: quantiles, as exact as `epsilon` asks for.

        Args:
            data: An array, or an iterable of batches, as a list is, too.
            steps: How many batches of an iterable to take.

        Raises:
            ValueError: The boundaries were given, or the data is empty or not finite.
        """
        if self.num_bins is None:
            raise ValueError(
                "`Discretization.adapt`: the boundaries were given when the layer was made: make "
                "one with `num_bins` to find them in data."
            )
        summary = np.zeros((2, 0), np.float32)
        for batch in _batches(data, steps):
            if is_text(batch):
                raise text_input_error("Discretization", batch)
            values = np.asarray(batch, np.float32)
            if not np.isfinite(values).all():
                raise ValueError(
                    "`Discretization.adapt`: the data has entries that are NaN or infinite: drop "
                    "or fill them first."
                )
            both = np.concatenate([_summary(values.ravel(), self.epsilon), summary], axis=1)
            summary = _compressed(both[:, np.argsort(both[0])], self.epsilon)
        if summary.size == 0:
            raise ValueError("`Discretization.adapt`: the data is empty.")
        self._keep(_compressed(summary, 1.0 / self.num_bins)[0, :-1].tolist())

    def learned(self) -> Any:
        """Return what the layer has taken from data."""
        return self.bin_boundaries

    def require_ready(self) -> None:
        """Raise ValueError if there are no boundaries yet."""
        if self.bin_boundaries is None:
            raise ValueError(
                f"`Discretization`{f' {self.name!r}' if self.name else ''} has no boundaries yet: "
                "call `layer.adapt(training_data)` before it is used, or give `bin_boundaries=`."
            )

    @classmethod
    def from_config(cls, config: Any) -> "Discretization":
        """Return the layer that `get_config` described, with the boundaries that it had found."""
        if config.get("bin_boundaries") is None or config.get("num_bins") is None:
            return cls(**config)
        layer = cls(**{**config, "bin_boundaries": None})
        layer._keep(config["bin_boundaries"])
        return layer

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the place of the range of each number, or the rows of the other modes."""
        values = single_input("Discretization", inputs)
        if is_text(values):
            raise text_input_error("Discretization", values)
        self.require_ready()
        assert self.bin_boundaries is not None
        boundaries = np.array(self.bin_boundaries, np.float32)
        places = jnp.searchsorted(boundaries, jnp.asarray(values), side="right").astype(jnp.int32)
        if self.output_mode == "int":
            return places, state
        return encode_categories(
            "Discretization", places, self.output_mode, len(boundaries) + 1
        ), state

    def _keep(self, boundaries: Any) -> None:
        values = np.asarray(boundaries, np.float64)
        ascending = values.ndim == 1 and len(values) and bool((np.diff(values) >= 0).all())
        if not ascending or not np.isfinite(values).all():
            raise ValueError(
                "`Discretization`: `bin_boundaries` must be a list of ascending numbers, received "
                f"{boundaries!r}."
            )
        object.__setattr__(self, "bin_boundaries", tuple(values.tolist()))
        # Models that hold the layer keep the boundaries that they have; later ones begin anew.
        vars(self).pop("_home", None)


def _batches(data: Any, steps: int | None) -> Iterable[Any]:
    return [data] if hasattr(data, "__array__") or is_text(data) else islice(data, steps)


def _summary(values: np.ndarray, epsilon: float) -> np.ndarray:
    """Return some of the sorted values, and how many numbers each stands for."""
    values = np.sort(values)
    step = max(len(values) * epsilon, 1)
    kept = values[int(step - 1) :: int(step)]
    return np.stack([kept, np.full_like(kept, step)])


def _compressed(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """Return a summary of about 1 / epsilon values, with quantiles between those that it has."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    sums = summary[1].cumsum()
    values = np.interp(shares, sums / sums[-1], summary[0])
    counts = np.interp(shares, sums / sums[-1], sums)
    return np.stack([values, np.diff(counts, prepend=0)]).astype(np.float32)
