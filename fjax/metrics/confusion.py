"""Counts of a binary confusion matrix at given thresholds, and precision and recall."""

from collections.abc import Sequence
from dataclasses import field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from fjax.errors import integer_at_least, is_number
from fjax.losses.preparation import EPSILON, divide_no_nan, full_weights, prepare_pair
from fjax.metrics.metric import Accumulator, Metric, add, zeros
from fjax.metrics.variables import AccumulatorVariable
from fjax.typing import Array, ArrayLike

# Replaces scores that are not among the `top_k`; as a threshold it is below all other scores.
_NOT_TOP_K = -1e10


def parse_thresholds(owner: str, thresholds: Any) -> Any:
    """Return None, one float, or a tuple of floats.

    Raises:
        ValueError: A threshold is not a number from 0 to 1, or the list is empty.

    >>> parse_thresholds("Precision", [0.2, 2])
    Traceback (most recent call last):
        ...
    ValueError: `Precision`: `thresholds` must be numbers from 0 to 1, received [0.2, 2].
    """
    if thresholds is None:
        return None
    is_single = is_number(thresholds)
    values = (thresholds,) if is_single else tuple(np.asarray(thresholds, dtype=object).ravel())
    if not values or not all(is_number(value) and 0 <= value <= 1 for value in values):
        raise ValueError(
            f"`{owner}`: `thresholds` must be numbers from 0 to 1, received {thresholds!r}."
        )
    return float(thresholds) if is_single else tuple(float(value) for value in values)


def are_even(thresholds: Sequence[float]) -> bool:
    """Tell whether thresholds are evenly spaced from 0 to 1, both included.

    >>> are_even([0.0, 0.5, 1.0]), are_even([0.0, 0.1, 1.0])
    (True, False)
    """
    return len(thresholds) >= 3 and np.allclose(
        thresholds, np.linspace(0.0, 1.0, len(thresholds)), atol=EPSILON
    )


def count_even_below(y_pred: Array, num_thresholds: int) -> Array:
    """Return how many evenly spaced thresholds from 0 to 1 are below each prediction.

    >>> print(count_even_below(jnp.array([0.0, 0.3, 0.5, 1.0]), 3))
    [0 1 1 2]
    """
    return jnp.ceil(jnp.clip(y_pred, 0.0, 1.0) * (num_thresholds - 1)).astype(jnp.int32)


def select_class(
    owner: str, class_id: int | None, y_true: Array, y_pred: Array, weights: Array
) -> tuple[Array, Array, Array]:
    """Return targets, predictions and weights of one class, or all if `class_id` is None.

    Raises:
        ValueError: The predictions do not have this class.
    """
    if class_id is None:
        return y_true, y_pred, weights
    _check_class_count(owner, "class_id", class_id, class_id + 1, y_pred)
    return y_true[..., class_id], y_pred[..., class_id], weights[..., class_id]


def _check_class_count(owner: str, argument: str, value: int, minimum: int, y_pred: Array) -> int:
    # `top_k` also takes the scores of one sample, (classes,), as in Keras.
    has_classes = y_pred.ndim > (1 if argument == "class_id" else 0)
    if not has_classes or y_pred.shape[-1] < minimum:
        raise ValueError(
            f"`{owner}`: `{argument}` {value} needs predictions of shape (batch, …, classes) with "
            f"at least {minimum} classes, received {y_pred.shape}."
        )
    return y_pred.shape[-1]


class _CountsAtThresholds(Metric):
    """Base class of metrics that count some cells of the confusion matrix at each threshold."""

    rows_independent = True

    # The names of the cells, such as "true_positives".
    _cells: ClassVar[tuple[str, ...]] = ()

    thresholds: float | Sequence[float] | None = None

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        self.thresholds = parse_thresholds(type(self).__name__, self.thresholds)

    def init(self, y_true: Any = None, y_pred: Any = None) -> Accumulator:
        """Return zeros, one for each threshold."""
        return {name: zeros((len(self._thresholds()),)) for name in self._cells}

    def update(
        self,
        accumulator: Accumulator,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> Accumulator:
        """Return the accumulator with a batch added."""
        true, pred = prepare_pair(type(self).__name__, y_true, y_pred)
        weights = full_weights(type(self).__name__, sample_weight, true.shape)
        return self._count(accumulator, true, pred, weights)

    def _count(
        self, accumulator: Accumulator, y_true: Array, y_pred: Array, weights: Array
    ) -> Accumulator:
        thresholds = self._thresholds()
        is_positive = y_true.astype(bool).reshape(-1, 1)
        y_pred, weights = y_pred.reshape(-1, 1), weights.reshape(-1, 1)
        if are_even(thresholds):
            predicted = count_even_below(y_pred, len(thresholds)) > jnp.arange(len(thresholds))
        else:
            predicted = y_pred > jnp.asarray(thresholds, y_pred.dtype)
        cells = {
            "true_positives": is_positive & predicted,
            "false_positives": ~is_positive & predicted,
            "true_negatives": ~is_positive & ~predicted,
            "false_negatives": is_positive & ~predicted,
        }
        sums = {name: jnp.sum(jnp.where(cells[name], weights, 0.0), axis=0) for name in self._cells}
        return add(accumulator, sums)

    def _thresholds(self) -> tuple[float, ...]:
        if self.thresholds is None:
            return (0.5,)
        if isinstance(self.thresholds, Sequence):
            return tuple(self.thresholds)
        return (self.thresholds,)

    def _squeeze(self, values: Array) -> Array:
        """Return a scalar for a single threshold, else one value for each."""
        return values[0] if len(self._thresholds()) == 1 else values


class _Count(_CountsAtThresholds):
    def result(self, accumulator: Accumulator) -> Array:
        """Return the count, or one for each threshold if there are several."""
        return self._squeeze(jnp.asarray(accumulator[self._cells[0]]))


class TruePositives(_Count):
    """Number, or total weight, of labels 1 predicted as 1, as `keras.metrics.TruePositives`.

    Args:
        thresholds: One or several thresholds from 0 to 1 for predicting 1; None means 0.5.
        name: As in `Metric`.

    Raises:
        ValueError: A threshold is out of its range.

    >>> print(TruePositives()([0, 1, 1], [0.9, 0.9, 0.2]))
    1.0
    """

    accumulator = AccumulatorVariable("true_positives")

    _cells = ("true_positives",)
    name: str | None = field(default="true_positives", kw_only=True)


class TrueNegatives(_Count):
    """Number, or total weight, of labels 0 predicted as 0, as `keras.metrics.TrueNegatives`.

    Args:
        thresholds: One or several thresholds from 0 to 1 for predicting 1; None means 0.5.
        name: As in `Metric`.

    Raises:
        ValueError: A threshold is out of its range.

    >>> print(TrueNegatives()([0, 0, 1], [0.1, 0.9, 0.2]))
    1.0
    """

    accumulator = AccumulatorVariable("true_negatives")

    _cells = ("true_negatives",)
    name: str | None = field(default="true_negatives", kw_only=True)


class FalsePositives(_Count):
    """Number, or total weight, of labels 0 predicted as 1, as `keras.metrics.FalsePositives`.

    Args:
        thresholds: One or several thresholds from 0 to 1 for predicting 1; None means 0.5.
        name: As in `Metric`.

    Raises:
        ValueError: A threshold is out of its range.

    >>> print(FalsePositives()([0, 0, 1], [0.1, 0.9, 0.2]))
    1.0
    """

    accumulator = AccumulatorVariable("false_positives")

    _cells = ("false_positives",)
    name: str | None = field(default="false_positives", kw_only=True)


class FalseNegatives(_Count):
    """Number, or total weight, of labels 1 predicted as 0, as `keras.metrics.FalseNegatives`.

    Args:
        thresholds: One or several thresholds from 0 to 1 for predicting 1; None means 0.5.
        name: As in `Metric`.

    Raises:
        ValueError: A threshold is out of its range.

    >>> print(FalseNegatives()([0, 0, 1], [0.1, 0.9, 0.2]))
    1.0
    """

    accumulator = AccumulatorVariable("false_negatives")

    _cells = ("false_negatives",)
    name: str | None = field(default="false_negatives", kw_only=True)


class _Ratio(_CountsAtThresholds):
    """Base class of precision and recall: true positives over these and another cell."""

    direction = "up"

    top_k: int | None = None
    class_id: int | None = None

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        if self.top_k is not None:
            integer_at_least(type(self).__name__, "top_k", self.top_k, 1)
        if self.class_id is not None:
            integer_at_least(type(self).__name__, "class_id", self.class_id, 0)

    def _thresholds(self) -> tuple[float, ...]:
        if self.thresholds is None and self.top_k is not None:
            return (_NOT_TOP_K,)
        return super()._thresholds()

    def _count(
        self, accumulator: Accumulator, y_true: Array, y_pred: Array, weights: Array
    ) -> Accumulator:
        owner = type(self).__name__
        if self.top_k is not None:
            classes = _check_class_count(owner, "top_k", self.top_k, self.top_k, y_pred)
            best = jax.lax.top_k(y_pred, self.top_k)[1]
            is_top_k = jnp.any(best[..., None] == jnp.arange(classes), axis=-2)
            y_pred = jnp.where(is_top_k, y_pred, _NOT_TOP_K)
        y_true, y_pred, weights = select_class(owner, self.class_id, y_true, y_pred, weights)
        return super()._count(accumulator, y_true, y_pred, weights)

    def result(self, accumulator: Accumulator) -> Array:
        """Return the ratio, or one for each threshold if there are several; 0 for 0 / 0."""
        true_positives, others = (jnp.asarray(accumulator[name]) for name in self._cells)
        return self._squeeze(divide_no_nan(true_positives, true_positives + others))


class Precision(_Ratio):
    """Share of the predictions 1 whose label is 1, as `keras.metrics.Precision`.

    Args:
        thresholds: One or several thresholds from 0 to 1 for predicting 1; None means 0.5, or
            no threshold if `top_k` is set.
        top_k: Count only the `top_k` largest predictions of each row.
        class_id: Count only predictions of this class.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(Precision()([0, 1, 1, 1], [1, 0, 1, 1]))
    0.6666...
    """

    true_positives = AccumulatorVariable("true_positives")
    false_positives = AccumulatorVariable("false_positives")

    _cells = ("true_positives", "false_positives")
    name: str | None = field(default="precision", kw_only=True)


class Recall(_Ratio):
    """Share of the labels 1 that are predicted as 1, as `keras.metrics.Recall`.

    Args:
        thresholds: One or several thresholds from 0 to 1 for predicting 1; None means 0.5, or
            no threshold if `top_k` is set.
        top_k: Count only the `top_k` largest predictions of each row.
        class_id: Count only predictions of this class.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(Recall()([0, 1, 1, 1], [1, 0, 1, 1]))
    0.6666...
    """

    true_positives = AccumulatorVariable("true_positives")
    false_negatives = AccumulatorVariable("false_negatives")

    _cells = ("true_positives", "false_negatives")
    name: str | None = field(default="recall", kw_only=True)
