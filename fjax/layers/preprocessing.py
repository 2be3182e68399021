"""Layers that scale raw numbers to a range suitable for training."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from fjax.core.checks import single_input
from fjax.core.keras_layout import KerasLayout
from fjax.core.layer import Layer
from fjax.errors import is_integer, number_between
from fjax.layers.array_layer import ArrayLayer
from fjax.layers.learned import not_ready, set_learned
from fjax.traits import within_rows
from fjax.typing import Array, Key, Params, Spec, State


class Rescaling(ArrayLayer):
    """Scale and shift the inputs: `inputs * scale + offset`.

    Args:
        scale: The factor, such as 1/255 for images; or a list of factors, one for each entry of the
            last axis.
        offset: Added after scaling; a number or a list.

    Shapes: any, unchanged; integers become float32.

    Source: Keras's page "Rescaling layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Rescaling(1 / 255).apply({}, {}, jnp.array([[0, 255]], "uint8"))
    >>> outputs.tolist()
    [[0.0, 1.0]]
    """

    rows_independent = True
    masking = "keeps"
    casting = "float32"

    scale: float | tuple[float, ...]
    offset: float | tuple[float, ...] = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.scale = _number_or_numbers("scale", self.scale)
        self.offset = _number_or_numbers("offset", self.offset)

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return `inputs * scale + offset`."""
        values = jnp.asarray(values)
        if not jnp.issubdtype(values.dtype, jnp.floating):
            values = values.astype(jnp.float32)
        # A Python number takes the dtype of the values; so do lists.
        scale, offset = (
            jnp.asarray(number, values.dtype) if isinstance(number, tuple) else number
            for number in (self.scale, self.offset)
        )
        return values * scale + offset


def _number_or_numbers(argument: str, value: Any) -> float | tuple[float, ...]:
    """Return a number, or a tuple of the numbers of a list or an array of one axis."""
    if isinstance(value, list | tuple) or getattr(value, "ndim", 0) == 1:
        return tuple(
            number_between("Rescaling", f"{argument}[{index}]", each, -np.inf)
            for index, each in enumerate(value)
        )
    return number_between("Rescaling", argument, value, -np.inf)


class Normalization(Layer):
    """Shift and scale each feature to mean 0 and variance 1, by statistics of the training data.

    Args:
        axis: The axis or axes whose entries have separate statistics, such as the feature axis;
            None for one mean and variance of all data.
        mean: The mean or means, if known.
        variance: The variance or variances, if known.
        invert: Whether to do the inverse, from normalized to raw numbers.

    The statistics are either arguments or computed by `adapt(data)`. They are part of the
    configuration, and the state contains them as `mean`, `variance` and `count`.

    Shapes: any, unchanged.

    Raises:
        ValueError: Only one of mean and variance is given, the variance is negative, or the data
            contains NaN or infinity or has the wrong number of features.

    Source: Keras's page "Normalization layer".

    >>> import jax, numpy as np
    >>> layer = Normalization()
    >>> layer.adapt(np.array([[1.0], [3.0]]))
    >>> params, state = layer.init(jax.random.key(0), jax.ShapeDtypeStruct((2, 1), "float32"))
    >>> outputs, _ = layer.apply(params, state, np.array([[1.0], [3.0]], "float32"))
    >>> outputs.tolist()
    [[-1.0], [1.0]]
    """

    keras_layout = KerasLayout(is_optional=True)

    axis: int | tuple[int, ...] | None = -1
    mean: float | tuple[float, ...] | None = None
    variance: float | tuple[float, ...] | None = None
    invert: bool = False

    masking = "keeps"
    casting = "float32"

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.axis, list | tuple):
            self.axis = tuple(self.axis)
        if self.axis is not None and not all(is_integer(axis) for axis in self._axes()):
            raise ValueError(
                f"`Normalization`: `axis` must be integers or None, received {self.axis!r}."
            )
        if 0 in self._axes():
            raise ValueError(
                "`Normalization`: `axis` must not be 0, the batch axis: each row would have its "
                "own statistics."
            )
        if (self.mean is None) != (self.variance is None):
            raise ValueError(
                "`Normalization`: `mean` and `variance` must be given together, received "
                f"mean={self.mean!r}, variance={self.variance!r}."
            )
        if self.mean is not None:
            self._set_statistics(
                np.asarray(self.mean, np.float64), np.asarray(self.variance, np.float64)
            )

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is known not to be the batch axis."""
        return within_rows(self.axis)

    def adapt(self, data: Any) -> None:
        """Compute the statistics of `data` and set the fields `mean` and `variance`.

        Call it before building a model that contains the layer.

        Args:
            data: An array, batch axis first; or an iterable of batches, such as a generator or a
                data set, of which each is an array or a tuple that begins with one.

        Raises:
            ValueError: The data is empty, has NaN or infinity, or no such axis.
        """
        values = _collect(data)
        axes = tuple(axis % values.ndim for axis in self._axes())
        exist = all(-values.ndim <= axis < values.ndim for axis in self._axes())
        if values.size == 0 or 0 in axes or not exist or len({*axes}) < len(axes):
            raise ValueError(
                f"`Normalization.adapt` needs data of shape (batch, …) with features on axis "
                f"{self.axis}, received shape {values.shape}."
            )
        reduced_axes = tuple(axis for axis in range(values.ndim) if axis not in axes)
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            index = tuple(int(i) for i in bad[0])
            raise ValueError(
                f"`Normalization.adapt`: the data has {len(bad)} entries that are NaN or infinite, "
                f"the first at {index}. Drop or fill them first."
            )
        self._set_statistics(np.mean(values, axis=reduced_axes), np.var(values, axis=reduced_axes))

    def learned(self) -> Any:
        """Return the statistics computed by `adapt`: mean and variance."""
        return self.mean, self.variance

    def learn_arrays(self, arrays: Sequence[np.ndarray]) -> None:
        """Set the statistics that Keras's `adapt` computed: mean, variance and count."""
        self._set_statistics(*(np.asarray(array, np.float64) for array in arrays[:2]))

    def require_ready(self) -> None:
        """Raise ValueError if there are no statistics yet."""
        if self.mean is None:
            raise not_ready(
                self,
                "statistics",
                "call `layer.adapt(training_data)` before the model is trained or used, or pass "
                "`mean=` and `variance=`.",
            )

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return a state with the statistics; without any, a mean of 0 and a variance of 1."""
        shape = tuple(single_input("Normalization", specs).shape)
        sizes = self._statistic_shape(shape)
        mean = np.zeros(sizes) if self.mean is None else np.asarray(self.mean)
        variance = np.ones(sizes) if self.variance is None else np.asarray(self.variance)
        try:
            mean, variance = np.broadcast_to(mean, sizes), np.broadcast_to(variance, sizes)
        except ValueError:
            raise ValueError(
                f"`Normalization` has statistics of shape {mean.shape}, but inputs of shape "
                f"{shape} need {sizes}: it was adapted to data with another number of features."
            ) from None
        return {}, {
            "mean": jnp.asarray(mean, jnp.float32),
            "variance": jnp.asarray(variance, jnp.float32),
            "count": jnp.zeros((), jnp.int32),
        }

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the normalized inputs; with `invert` the raw ones."""
        values = jnp.asarray(single_input("Normalization", inputs))
        if not jnp.issubdtype(values.dtype, jnp.floating):
            values = values.astype(jnp.float32)
        shape = self._statistic_shape(values.shape, keepdims=True)
        mean = state["mean"].reshape(shape).astype(values.dtype)
        # Keras's lower bound; a constant feature becomes zero instead of NaN.
        deviation = jnp.maximum(jnp.sqrt(state["variance"].reshape(shape)), 1e-7)
        deviation = deviation.astype(values.dtype)
        outputs = values * deviation + mean if self.invert else (values - mean) / deviation
        return outputs, state

    def _axes(self) -> tuple[Any, ...]:
        if self.axis is None:
            return ()
        return self.axis if isinstance(self.axis, tuple) else (self.axis,)

    def _statistic_shape(self, shape: tuple[int, ...], keepdims: bool = False) -> tuple[int, ...]:
        for axis in self._axes():
            if not -len(shape) <= axis < len(shape):
                raise ValueError(
                    f"`Normalization` needs inputs with an axis {axis}, received shape "
                    f"{tuple(shape)}."
                )
        axes = {axis % len(shape) for axis in self._axes()}
        if 0 in axes or len(axes) < len(self._axes()):
            problem = "the batch axis" if 0 in axes else "an axis twice"
            raise ValueError(
                f"`Normalization`: `axis` {self.axis} names {problem} of inputs of shape "
                f"{tuple(shape)}."
            )
        if keepdims:
            return tuple(size if axis in axes else 1 for axis, size in enumerate(shape))
        return tuple(size for axis, size in enumerate(shape) if axis in axes)

    def _set_statistics(self, mean: np.ndarray, variance: np.ndarray) -> None:
        if (variance < 0).any():
            raise ValueError("`Normalization`: `variance` must not be negative.")
        set_learned(
            self, mean=_nested_tuple(mean.tolist()), variance=_nested_tuple(variance.tolist())
        )


def _collect(data: Any) -> np.ndarray:
    """Return data, or all batches of an iterable, as one array of float64."""
    if hasattr(data, "shape") or hasattr(data, "__array__"):
        return np.asarray(data, np.float64)
    if isinstance(data, list | tuple) and not any(
        hasattr(_inputs_of(each), "shape") for each in data
    ):
        return np.asarray(data, np.float64)
    indexed = hasattr(data, "__getitem__") and not hasattr(data, "__iter__")
    batches = (data[index] for index in range(len(data))) if indexed else data
    arrays = [np.asarray(_inputs_of(batch), np.float64) for batch in batches]
    if not arrays:
        raise ValueError("`Normalization.adapt`: the data has no batches.")
    return np.concatenate(arrays)


def _inputs_of(batch: Any) -> Any:
    """Return the inputs of a batch, which may be `(x, y)` or `(x, y, sample_weight)`."""
    is_tuple = isinstance(batch, list | tuple) and len(batch) > 0
    return batch[0] if is_tuple and hasattr(batch[0], "shape") else batch


def _nested_tuple(values: Any) -> Any:
    return tuple(map(_nested_tuple, values)) if isinstance(values, list) else values
