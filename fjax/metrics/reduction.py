"""Metrics that are sums or means."""

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, ClassVar

import jax.numpy as jnp

from fjax.configuration import snake_case
from fjax.losses.loss import FunctionLoss
from fjax.losses.names import as_loss
from fjax.losses.preparation import align, cast_floats, divide_no_nan, expand_weights
from fjax.metrics.metric import Accumulator, Metric, add, zeros
from fjax.metrics.variables import AccumulatorVariable
from fjax.typing import Array, ArrayLike


class Sum(Metric):
    """Weighted sum of values, as `keras.metrics.Sum`.

    Its `update(accumulator, values, sample_weight=None)` takes values instead of targets and
    predictions.

    >>> print(Sum()([1.0, 3.0]), Sum()([1.0, 3.0], sample_weight=[1.0, 0.5]))
    4.0 2.5
    """

    rows_independent = True

    name: str | None = "sum"

    total = AccumulatorVariable("total")

    def init(self, y_true: Any = None, y_pred: Any = None) -> Accumulator:
        """Return zeros."""
        return {"total": zeros((), self.dtype)}

    def update(  # type: ignore[override]
        self, accumulator: Accumulator, values: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Accumulator:
        """Return the accumulator with the values added."""
        values = cast_floats(jnp.asarray(values), self.dtype)
        if sample_weight is not None:
            weights = expand_weights(type(self).__name__, sample_weight, values.shape)
            values = values * cast_floats(weights, self.dtype)
        return add(accumulator, {"total": jnp.sum(values)})

    def result(self, accumulator: Accumulator) -> Array:
        """Return the sum."""
        return jnp.asarray(accumulator["total"])


class _Average(Metric):
    """Base class of means: a sum of values, and the number or total weight of samples."""

    total = AccumulatorVariable("total")
    count = AccumulatorVariable("count")

    def init(self, y_true: Any = None, y_pred: Any = None) -> Accumulator:
        """Return zeros."""
        return {"total": zeros((), self.dtype), "count": zeros((), self.dtype)}

    def result(self, accumulator: Accumulator) -> Array:
        """Return the mean, or 0 before the first batch."""
        return divide_no_nan(accumulator["total"], accumulator["count"])

    def _add(
        self, accumulator: Accumulator, values: ArrayLike, sample_weight: ArrayLike | None
    ) -> Accumulator:
        """Add the weighted mean of each sample; a sample counts 1, or its mean weight."""
        values = cast_floats(jnp.asarray(values), self.dtype)
        count: Array | float
        if sample_weight is None:
            values = _sample_means(values)
            count = float(values.size)
        elif jnp.asarray(sample_weight).ndim == 0:
            # As in Keras, a batch with a scalar weight counts as one sample.
            count = cast_floats(jnp.asarray(sample_weight), self.dtype)
            values = jnp.mean(values) * count
        else:
            weights = expand_weights(type(self).__name__, sample_weight, values.shape)
            weights = cast_floats(weights, self.dtype)
            # Weights of all samples at once, (1, time), count for each of them.
            weights = jnp.broadcast_to(weights, (*values.shape[:1], *weights.shape[1:]))
            values = _sample_means(values * weights)
            count = jnp.sum(_sample_means(weights))
        return add(accumulator, {"total": jnp.sum(values), "count": count})


class Mean(_Average):
    """Weighted mean of values, as `keras.metrics.Mean`.

    Its `update(accumulator, values, sample_weight=None)` takes values instead of targets and
    predictions.

    >>> print(Mean()([1.0, 3.0]), Mean()([1.0, 3.0], sample_weight=[1.0, 0.0]))
    2.0 1.0
    """

    rows_independent = True

    name: str | None = "mean"

    def update(  # type: ignore[override]
        self, accumulator: Accumulator, values: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Accumulator:
        """Return the accumulator with the values added."""
        return self._add(accumulator, values, sample_weight)


class MeanOfValues(_Average):
    """Base class of metrics that are means of a function of targets and predictions.

    A subclass defines `values(y_true, y_pred)`.

    >>> class Bias(MeanOfValues):
    ...     def values(self, y_true, y_pred):
    ...         return y_pred - y_true
    >>> print(Bias()([0.0, 0.0], [1.0, 2.0]))
    1.5
    """

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return the values to average, `(batch, …)`."""
        raise NotImplementedError(self._missing("values(self, y_true, y_pred)"))

    def update(
        self,
        accumulator: Accumulator,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> Accumulator:
        """Return the accumulator with a batch added."""
        return self._add(accumulator, self.values(y_true, y_pred), sample_weight)


class FunctionMetric(MeanOfValues):
    """The mean of a function of `(y_true, y_pred)`, as Keras's `MeanMetricWrapper`.

    The function receives arrays of equal rank, if they differed only in a last axis of size 1.

    Args:
        fn: A function that returns values of shape `(batch, …)`.
        arguments: Further arguments of the function by name; they may also be given by name here.
        name: The metric's key in logs; None means the function's name.
        dtype: As in `Metric`.

    Raises:
        TypeError: The function is not callable.

    >>> def bias(y_true, y_pred, scale=1.0):
    ...     return scale * (y_pred - y_true)
    >>> metric = FunctionMetric(bias)
    >>> print(metric.name, metric([[0.0], [0.0]], [[1.0], [2.0]]))
    bias 1.5
    >>> print(FunctionMetric(bias, scale=2.0)([[0.0], [0.0]], [[1.0], [2.0]]))
    3.0
    """

    in_keras = False

    _renamed: ClassVar[Mapping[str, str]] = {"function": "fn"}
    keywords_field: ClassVar[str | None] = "arguments"

    fn: Callable[..., Array]
    arguments: Mapping[str, Any] | None = field(default=None, kw_only=True)
    name: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Check the function and set the name."""
        if not callable(self.fn):
            raise TypeError(
                f"`FunctionMetric` needs a function of `(y_true, y_pred)`, received {self.fn!r}."
            )
        if self.name is None:
            self.name = function_name(self.fn)
        super().__post_init__()
        # A smaller loss is better.
        if type(as_loss(self.fn)) is not FunctionLoss:
            object.__setattr__(self, "direction", "down")

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return the values of the function."""
        true, pred = align(jnp.asarray(y_true), jnp.asarray(y_pred))
        return self.fn(true, pred, **(self.arguments or {}))


# Keras's name of `FunctionMetric`.
MeanMetricWrapper = FunctionMetric


def function_name(function: Any) -> str:
    """Return the key in logs of a function or object: its `name`, `__name__` or class name.

    >>> function_name(jnp.tanh)
    'tanh'
    """
    name = getattr(function, "name", None)
    if isinstance(name, str):
        return name
    return snake_case(getattr(function, "__name__", type(function).__name__).strip("<>"))


def _sample_means(values: Array) -> Array:
    return jnp.mean(values, axis=tuple(range(1, values.ndim)))
