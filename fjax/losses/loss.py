"""The base class of losses: it weights and reduces the values that `call` returns."""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from fjax.configuration import Configured, snake_case
from fjax.errors import one_of
from fjax.losses import targets
from fjax.losses.preparation import (
    align,
    as_floats,
    cast_floats,
    divide_no_nan,
    dtype_name,
    expand_weights,
)
from fjax.typing import Array, ArrayLike, Shape

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


class Loss(Configured):
    """Base class of losses, as `keras.losses.Loss`.

    A subclass defines `call(y_true, y_pred)`, which returns one value per sample (or per time
    step). Both arguments are floating arrays of equal rank, if they differed only in a last axis of
    size 1. A subclass may list fields, or define its own `__init__` as in code written for Keras.

    Args:
        reduction: "sum_over_batch_size" and "mean" divide the weighted sum by the number of
            values; "mean_with_sample_weight" divides it by the sum of the weights; "sum" does not
            divide; "none" or None returns the weighted values.
        name: The name of the loss; None means its class name in snake case.
        dtype: The dtype of the computation. With "float32", the default, float64 predictions stay
            float64.

    Raises:
        ValueError: The reduction or the dtype is unknown.
        TypeError: The name is not a string.

    >>> class Cubed(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return jnp.mean(abs(y_true - y_pred) ** 3, axis=-1)
    >>> print(Cubed()([[0.0], [1.0]], [[2.0], [1.0]]))
    4.0
    """

    inherited_arguments: ClassVar[tuple[str, ...]] = ("reduction", "name", "dtype")

    reduction: str | None = field(default="sum_over_batch_size", kw_only=True)
    name: str | None = field(default=None, kw_only=True)
    dtype: str = field(default="float32", kw_only=True)

    def __post_init__(self) -> None:
        """Check the reduction and the dtype, and set the name."""
        one_of(type(self).__name__, "reduction", self.reduction, REDUCTIONS)
        check_name(type(self).__name__, self.name)
        self.dtype = dtype_name(type(self).__name__, self.dtype)
        if self.name is None:
            self.name = snake_case(type(self).__name__)

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return one value per sample."""
        raise NotImplementedError(
            f"`{type(self).__name__}` must override `call(self, y_true, y_pred)` and return one "
            f"value per sample."
        )

    def counted(self, y_true: Array, y_pred: Array) -> Array | None:
        """Return a boolean mask of the values to include, or None to include all."""
        return None

    def is_one_number(self, y_true: ArrayLike, y_pred: ArrayLike) -> bool:
        """Return whether `call` returns one number for the whole batch, as a user's may."""

        def values(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
            return jnp.asarray(self.call(*align(*as_floats(y_true, y_pred, self.dtype))))

        return jax.eval_shape(values, y_true, y_pred).ndim == 0

    def included(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array | None:
        """Return `counted` for arguments as `__call__` takes them."""
        return self.counted(*align(*as_floats(y_true, y_pred, self.dtype)))

    def __call__(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Array:
        """Return the weighted and reduced loss.

        Args:
            y_true: Targets of shape `(batch, …)`.
            y_pred: Predictions of shape `(batch, …)`.
            sample_weight: A scalar or weights of shape `(batch,)` or `(batch, time)`.

        Raises:
            ValueError: The shapes do not fit each other.
        """
        y_true, y_pred = align(*as_floats(y_true, y_pred, self.dtype))
        values = jnp.asarray(self.call(y_true, y_pred))
        return reduce_weighted(
            type(self).__name__,
            cast_floats(values, self.dtype),
            sample_weight,
            self.counted(y_true, y_pred),
            self.reduction,
        )

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str = "y") -> None:
        """Check all targets on the host before training.

        The base class only requires numbers, since a custom loss may accept targets of any shape.

        Args:
            y_true: All targets, `(samples, …)`.
            y_pred_shape: The shape of the predictions; its first axis is not compared.
            name: What an error calls the targets.

        Raises:
            ValueError: The loss cannot be computed for these targets, or has no meaning.
        """
        targets.check_numeric(type(self).__name__, name, y_true)


class NamedLoss(Loss):
    """Base class of the losses of a function; fields have the names of the function's arguments.

    >>> from fjax.losses import Huber, huber
    >>> Huber.function is huber
    True
    """

    function: ClassVar[Callable[..., Array]]

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return the values of the function, with the fields as further arguments."""
        function = type(self).function
        names = [name for name in inspect.signature(function).parameters if hasattr(self, name)]
        return function(y_true, y_pred, **{name: getattr(self, name) for name in names})


class PairedLoss(NamedLoss):
    """Base class of losses whose targets are finite and have the shape of the predictions."""

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str = "y") -> None:
        """Check that the targets are finite numbers in the shape of the predictions."""
        owner = type(self).__name__
        targets.check_numeric(owner, name, y_true)
        targets.check_same_shape(owner, name, y_true.shape, y_pred_shape)
        targets.check_finite(owner, name, y_true)


class FunctionLoss(Loss):
    """The loss of a function of `(y_true, y_pred)`, as Keras's `LossFunctionWrapper`.

    Two such losses of the same function, reduction and name are equal.

    Args:
        fn: A function that returns one value per sample, in any shape `(batch, …)`.
        arguments: Further arguments of the function by name; they may also be given by name here.
        reduction: As in `Loss`.
        name: The name of the loss; None means the function's name.
        dtype: As in `Loss`.

    Raises:
        TypeError: The function is not callable.

    >>> def power(y_true, y_pred, exponent=3):
    ...     return abs(y_true - y_pred) ** exponent
    >>> print(FunctionLoss(power)([[0.0], [1.0]], [[2.0], [1.0]]))
    4.0
    >>> print(FunctionLoss(power, exponent=2)([[0.0], [1.0]], [[2.0], [1.0]]))
    2.0
    """

    in_keras = False

    _renamed: ClassVar[Mapping[str, str]] = {"function": "fn"}
    keywords_field: ClassVar[str | None] = "arguments"

    fn: Callable[..., Array]
    arguments: Mapping[str, Any] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Check the function and set the name."""
        if not callable(self.fn):
            raise TypeError(
                f"`FunctionLoss` needs a function of `(y_true, y_pred)`, received {self.fn!r}."
            )
        if self.name is None:
            self.name = snake_case(getattr(self.fn, "__name__", type(self.fn).__name__))
        super().__post_init__()

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return the values of the function."""
        return self.fn(y_true, y_pred, **(self.arguments or {}))


# Keras's name of `FunctionLoss`.
LossFunctionWrapper = FunctionLoss


def check_name(owner: str, name: object) -> None:
    """Raise TypeError unless the name is a string or None."""
    if name is not None and not isinstance(name, str):
        raise TypeError(f"`{owner}`: `name` must be a string or None, received {name!r}.")


def reduce_weighted(
    owner: str,
    values: Array,
    sample_weight: ArrayLike | None,
    counted: Array | None,
    reduction: str | None,
) -> Array:
    """Return the weighted values, reduced as in Keras 3.

    Args:
        owner: The loss that an error names.
        values: The loss of each sample, `(batch, …)`.
        sample_weight: A scalar, or weights for leading axes of the values.
        counted: A boolean mask of the values to include; None includes all.
        reduction: As in `Loss`.

    >>> print(reduce_weighted("MeanSquaredError", jnp.array([1.0, 3.0]), [1.0, 2.0], None, "mean"))
    3.5
    """
    total: Array | float = float(math.prod(values.shape))
    weights = None
    if sample_weight is not None:
        weights = _like(values, expand_weights(owner, sample_weight, values.shape))
    if counted is not None:
        counted = counted.astype(values.dtype)
        total = jnp.sum(counted)
        weights = counted if weights is None else counted * weights
    if weights is not None:
        values = values * weights
    if reduction in ("none", None):
        return values
    if reduction == "sum":
        return jnp.sum(values)
    if reduction == "mean_with_sample_weight" and weights is not None:
        total = jnp.sum(weights)
    return divide_no_nan(jnp.sum(values), total)


def _like(values: Array, weights: Array) -> Array:
    """Return the weights in the dtype of the values if that is narrower than float32."""
    return weights.astype(values.dtype) if values.dtype.itemsize < 4 else weights
