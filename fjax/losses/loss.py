"""The base of every loss: `call` gives a value per sample; weights and reduction stand around."""

import math
from collections.abc import Callable
from dataclasses import field
from typing import Any

import jax.numpy as jnp
import numpy as np

from fjax.configuration import Configured, snake_case
from fjax.errors import one_of
from fjax.losses import targets
from fjax.losses.preparation import align, divide, fit_weights, floating
from fjax.typing import Array, ArrayLike, Shape

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


class Loss(Configured):
    """Base of losses; as `keras.losses.Loss`.

    A subclass writes `call(y_true, y_pred)`, which returns one value per sample (or one per time
    step); both arguments arrive as floats, aligned in a last axis of size 1. It may have fields,
    or its own `__init__` as Keras's authors write it.

    Args:
        reduction: "sum_over_batch_size" and "mean" divide the weighted sum by the number of
            values; "mean_with_sample_weight" by the sum of the weights; "sum" does not divide;
            "none" or None keeps the weighted values.
        name: What the loss is called; the snake case of its class where None.

    Raises:
        ValueError: The reduction is none of these.
        TypeError: The name is no string.

    >>> class Cubed(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return jnp.mean(abs(y_true - y_pred) ** 3, axis=-1)
    >>> print(Cubed()([[0.0], [1.0]], [[2.0], [1.0]]))
    4.0
    """

    reduction: str | None = field(default="sum_over_batch_size", kw_only=True)
    name: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Check the reduction and fill in the name."""
        one_of(type(self).__name__, "reduction", self.reduction, REDUCTIONS)
        check_name(type(self).__name__, self.name)
        if self.name is None:
            self.name = snake_case(type(self).__name__)

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return one value per sample: the formula of the loss."""
        raise NotImplementedError(
            f"`{type(self).__name__}` must override `call(self, y_true, y_pred)` and return one "
            f"value per sample."
        )

    def counted(self, y_true: Array, y_pred: Array) -> Array | None:
        """Return which of the values count in a mean, or None where all do."""
        return None

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
        y_true, y_pred = align(*floating(y_true, y_pred))
        values = jnp.asarray(self.call(y_true, y_pred))
        return reduce_weighted(
            type(self).__name__, values, sample_weight, self.counted(y_true, y_pred), self.reduction
        )

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str = "y") -> None:
        """Check all targets on the host, before a run.

        A loss of the user's may take targets of any shape, so the base asks for numbers alone.

        Args:
            y_true: All targets, `(samples, …)`.
            y_pred_shape: The shape of the predictions; its first axis is not compared.
            name: What an error calls the targets.

        Raises:
            ValueError: The loss cannot be computed on these targets, or would mean nothing.
        """
        targets.numeric(type(self).__name__, name, y_true)

    def get_config(self) -> dict[str, Any]:
        """Return the fields as plain data; of an authored class reduction and name."""
        if self._authored:
            return {"reduction": self.reduction, "name": self.name}
        return super().get_config()


class PairedLoss(Loss):
    """Base of the losses whose targets have the shape of the predictions, and are finite."""

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str = "y") -> None:
        """Check that the targets are finite numbers in the shape of the predictions."""
        owner = type(self).__name__
        targets.numeric(owner, name, y_true)
        targets.same_shape(owner, name, y_true.shape, y_pred_shape)
        targets.finite(owner, name, y_true)


class FunctionLoss(Loss):
    """A loss around a bare function of `(y_true, y_pred)`; Keras's `LossFunctionWrapper`.

    Two of the same function, reduction and name are equal.

    Args:
        function: Returns one value per sample, in any shape `(batch, …)`.
        reduction: As in `Loss`.
        name: The function's name where None.

    Raises:
        TypeError: The function cannot be called.

    >>> def cubed(y_true, y_pred):
    ...     return abs(y_true - y_pred) ** 3
    >>> print(FunctionLoss(cubed)([[0.0], [1.0]], [[2.0], [1.0]]))
    4.0
    """

    function: Callable[[Array, Array], Array]

    def __post_init__(self) -> None:
        """Check the function and take its name."""
        if not callable(self.function):
            raise TypeError(
                f"`FunctionLoss` needs a function of `(y_true, y_pred)`, received "
                f"{self.function!r}."
            )
        if self.name is None:
            name = getattr(self.function, "__name__", type(self.function).__name__)
            object.__setattr__(self, "name", snake_case(name))
        super().__post_init__()

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return the values of the function."""
        return self.function(y_true, y_pred)


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
    """Return the weighted values, reduced as Keras 3 does.

    Args:
        owner: The loss that an error names.
        values: The loss of each sample, `(batch, …)`.
        sample_weight: A scalar, or weights of leading axes of the values.
        counted: Booleans in the shape of the values; one that is False counts nowhere.
        reduction: As in `Loss`.

    >>> print(reduce_weighted("MeanSquaredError", jnp.array([1.0, 3.0]), [1.0, 2.0], None, "mean"))
    3.5
    """
    values = values.astype(jnp.promote_types(values.dtype, jnp.float32))
    total: Array | float = float(math.prod(values.shape))
    weights = None if sample_weight is None else fit_weights(owner, sample_weight, values.shape)
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
    return divide(jnp.sum(values), total)
