"""Regression losses: distances between targets and predictions."""

import math
from dataclasses import field

import jax
import jax.numpy as jnp
import numpy as np

from fjax.errors import number_between
from fjax.losses import targets
from fjax.losses.loss import PairedLoss
from fjax.losses.preparation import EPSILON, check_axis, prepare_pair
from fjax.typing import Array, ArrayLike, Shape


def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Mean of the squared differences, over the last axis.

    Args:
        y_true: Targets, `(batch, …, outputs)`.
        y_pred: Predictions of the same shape.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(mean_squared_error([[0.0, 1.0]], [[2.0, 1.0]]))
    [2.]
    """
    y_true, y_pred = prepare_pair("mean_squared_error", y_true, y_pred)
    return jnp.mean(jnp.square(y_true - y_pred), axis=-1)


def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Mean of the absolute differences, over the last axis.

    Args:
        y_true: Targets, `(batch, …, outputs)`.
        y_pred: Predictions of the same shape.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(mean_absolute_error([[0.0, 1.0]], [[2.0, 1.0]]))
    [1.]
    """
    y_true, y_pred = prepare_pair("mean_absolute_error", y_true, y_pred)
    return jnp.mean(jnp.abs(y_true - y_pred), axis=-1)


def mean_absolute_percentage_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Mean of the absolute differences in percent of the targets, over the last axis.

    The difference is divided by at least 1e-7.

    Args:
        y_true: Targets, `(batch, …, outputs)`.
        y_pred: Predictions of the same shape.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(mean_absolute_percentage_error([[2.0, 4.0]], [[1.0, 4.0]]))
    [25.]
    """
    y_true, y_pred = prepare_pair("mean_absolute_percentage_error", y_true, y_pred)
    errors = jnp.abs((y_true - y_pred) / jnp.maximum(jnp.abs(y_true), EPSILON))
    return 100.0 * jnp.mean(errors, axis=-1)


def mean_squared_logarithmic_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Mean of the squared differences of `log(1 + y)`, over the last axis.

    As in Keras, values below 1e-7 are replaced by 1e-7.

    Args:
        y_true: Targets that are not negative, `(batch, …, outputs)`.
        y_pred: Predictions of the same shape.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(mean_squared_logarithmic_error([[0.0]], [[math.e - 1]]))
    [0.99999...]
    """
    y_true, y_pred = prepare_pair("mean_squared_logarithmic_error", y_true, y_pred)
    log_true = jnp.log(jnp.maximum(y_true, EPSILON) + 1.0)
    log_pred = jnp.log(jnp.maximum(y_pred, EPSILON) + 1.0)
    return jnp.mean(jnp.square(log_pred - log_true), axis=-1)


def huber(y_true: ArrayLike, y_pred: ArrayLike, delta: float = 1.0) -> Array:
    """Half the squared error where it is at most `delta`, linear beyond; mean over the last axis.

    Huber, "Robust Estimation of a Location Parameter", 1964.

    Args:
        y_true: Targets, `(batch, …, outputs)`.
        y_pred: Predictions of the same shape.
        delta: The absolute error from which the loss is linear.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(huber([[0.0], [0.0]], [[0.5], [3.0]]))
    [0.125 2.5 ]
    """
    y_true, y_pred = prepare_pair("huber", y_true, y_pred)
    error = y_pred - y_true
    size = jnp.abs(error)
    squared = 0.5 * jnp.square(error)
    return jnp.mean(jnp.where(size <= delta, squared, delta * size - 0.5 * delta**2), axis=-1)


def log_cosh(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Logarithm of the hyperbolic cosine of the error, mean over the last axis.

    Args:
        y_true: Targets, `(batch, …, outputs)`.
        y_pred: Predictions of the same shape.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(log_cosh([[0.0]], [[1.0]]))
    [0.43378...]
    """
    y_true, y_pred = prepare_pair("log_cosh", y_true, y_pred)
    error = y_pred - y_true
    return jnp.mean(error + jax.nn.softplus(-2.0 * error) - math.log(2.0), axis=-1)


def cosine_similarity(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> Array:
    """Negative cosine of the angle between target and prediction: -1 for the same direction.

    As in Keras, vectors shorter than 1e-7 are multiplied by 1e7. A vector of zeros has cosine 0.

    Args:
        y_true: Targets, `(batch, …, outputs)`.
        y_pred: Predictions of the same shape.
        axis: The axis of the vectors.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(cosine_similarity([[0.0, 1.0], [1.0, 0.0]], [[0.0, 5.0], [0.0, 1.0]]))
    [-1. -0.]
    """
    y_true, y_pred = prepare_pair("cosine_similarity", y_true, y_pred)
    return -jnp.sum(_unit(y_true, axis) * _unit(y_pred, axis), axis=axis)


class MeanSquaredError(PairedLoss):
    """The loss of `mean_squared_error`.

    >>> print(MeanSquaredError()([[0.0], [1.0]], [[2.0], [1.0]]))
    2.0
    """

    function = staticmethod(mean_squared_error)
    rows_independent = True

    name: str | None = field(default="mean_squared_error", kw_only=True)


class MeanAbsoluteError(PairedLoss):
    """The loss of `mean_absolute_error`.

    >>> print(MeanAbsoluteError()([[0.0], [1.0]], [[2.0], [1.0]]))
    1.0
    """

    function = staticmethod(mean_absolute_error)
    rows_independent = True

    name: str | None = field(default="mean_absolute_error", kw_only=True)


class MeanAbsolutePercentageError(PairedLoss):
    """The loss of `mean_absolute_percentage_error`.

    >>> print(MeanAbsolutePercentageError()([[2.0], [4.0]], [[1.0], [4.0]]))
    25.0
    """

    function = staticmethod(mean_absolute_percentage_error)
    rows_independent = True

    name: str | None = field(default="mean_absolute_percentage_error", kw_only=True)


class MeanSquaredLogarithmicError(PairedLoss):
    """The loss of `mean_squared_logarithmic_error`.

    >>> print(MeanSquaredLogarithmicError()([[1.0]], [[1.0]]))
    0.0
    """

    function = staticmethod(mean_squared_logarithmic_error)
    rows_independent = True

    name: str | None = field(default="mean_squared_logarithmic_error", kw_only=True)

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str = "y") -> None:
        """Check that the targets are numbers above -1 in the shape of the predictions."""
        super().check_targets(y_true, y_pred_shape, name)
        rule = "numbers above -1, since the loss takes log(1 + y). Scale y or use another loss."
        targets.check_each(type(self).__name__, name, y_true, y_true > -1, rule)


class Huber(PairedLoss):
    """The loss of `huber`.

    Args:
        delta: The absolute error from which the loss is linear, above 0.
        reduction: As in `Loss`.
        name: As in `Loss`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(Huber(delta=2.0)([[0.0]], [[3.0]]))
    4.0
    """

    function = staticmethod(huber)
    rows_independent = True

    traceable_fields = frozenset({"delta"})

    delta: float = 1.0
    name: str | None = field(default="huber_loss", kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        number_between(type(self).__name__, "delta", self.delta, 0.0, open_low=True)


class LogCosh(PairedLoss):
    """The loss of `log_cosh`.

    >>> print(LogCosh()([[0.0]], [[0.0]]))
    0.0
    """

    function = staticmethod(log_cosh)
    rows_independent = True

    name: str | None = field(default="log_cosh", kw_only=True)


class CosineSimilarity(PairedLoss):
    """The loss of `cosine_similarity`.

    Args:
        axis: The axis of the vectors.
        reduction: As in `Loss`.
        name: As in `Loss`.

    Raises:
        ValueError: The axis is not an integer.

    >>> print(CosineSimilarity()([[0.0, 1.0]], [[0.0, 5.0]]))
    -1.0
    """

    function = staticmethod(cosine_similarity)

    axis: int = -1
    name: str | None = field(default="cosine_similarity", kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        check_axis(type(self).__name__, self.axis)

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is the last one."""
        return self.axis == -1


def _unit(vectors: Array, axis: int) -> Array:
    squares = jnp.sum(jnp.square(vectors), axis=axis, keepdims=True)
    # The maximum inside the root keeps the gradient at a vector of zeros finite.
    return vectors * jax.lax.rsqrt(jnp.maximum(squares, EPSILON**2))
