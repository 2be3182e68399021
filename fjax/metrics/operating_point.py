"""The best value of one rate over all thresholds at which another rate is high enough."""

from dataclasses import field
from typing import Any, ClassVar

import jax.numpy as jnp

from fjax.errors import integer_at_least, number_between
from fjax.losses.preparation import divide_no_nan, full_weights, prepare_pair
from fjax.metrics.confusion import count_even_below, select_class
from fjax.metrics.metric import Accumulator, Metric, zeros
from fjax.typing import Array, ArrayLike


class _BestRate(Metric):
    """Base class of these metrics: a histogram of labels 0 and 1 over the thresholds."""

    rows_independent = True

    direction = "up"

    # The rate that is maximized, and the one that must be at least the field of this name.
    _maximized: ClassVar[str]
    _constrained: ClassVar[str]

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        owner, (num_thresholds, class_id) = type(self).__name__, self._settings()
        number_between(owner, self._constrained, getattr(self, self._constrained), 0.0, 1.0)
        integer_at_least(owner, "num_thresholds", num_thresholds, 1)
        if class_id is not None:
            integer_at_least(owner, "class_id", class_id, 0)

    def _settings(self) -> tuple[int, int | None]:
        """Return `num_thresholds` and `class_id`, which are fields of the subclasses."""
        fields: Any = self
        return fields.num_thresholds, fields.class_id

    def init(self, y_true: Any = None, y_pred: Any = None) -> Accumulator:
        """Return zeros, `(2, num_thresholds + 1)`.

        Entry `[label, i]` is the weight of predictions for that label above `i` thresholds.
        """
        return {"histogram": zeros((2, self._settings()[0] + 1))}

    def update(
        self,
        accumulator: Accumulator,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> Accumulator:
        """Return the accumulator with a batch added."""
        owner, (num_thresholds, class_id) = type(self).__name__, self._settings()
        true, pred = prepare_pair(owner, y_true, y_pred)
        weights = full_weights(owner, sample_weight, true.shape)
        true, pred, weights = select_class(owner, class_id, true, pred, weights)
        if num_thresholds == 1:
            below = (pred > 0.5).astype(jnp.int32)
        else:
            below = count_even_below(pred, num_thresholds)
        histogram = jnp.asarray(accumulator["histogram"])
        index = true.astype(bool).astype(jnp.int32), below
        return {"histogram": histogram.at[index].add(weights.astype(histogram.dtype))}

    def result(self, accumulator: Accumulator) -> Array:
        """Return the best rate, or 0 if no threshold satisfies the constraint."""
        histogram = jnp.asarray(accumulator["histogram"])
        below = jnp.cumsum(histogram, axis=1)[:, :-1]
        above = jnp.flip(jnp.cumsum(jnp.flip(histogram, axis=1), axis=1), axis=1)[:, 1:]
        (true_negatives, false_negatives), (false_positives, true_positives) = below, above
        recall = divide_no_nan(true_positives, true_positives + false_negatives)
        rates = {
            "recall": recall,
            "sensitivity": recall,
            "specificity": divide_no_nan(true_negatives, true_negatives + false_positives),
            "precision": divide_no_nan(true_positives, true_positives + false_positives),
        }
        is_feasible = rates[self._constrained] >= getattr(self, self._constrained)
        return jnp.max(jnp.where(is_feasible, rates[self._maximized], 0.0))


class SensitivityAtSpecificity(_BestRate):
    """Best sensitivity at a minimum specificity, as `keras.metrics.SensitivityAtSpecificity`.

    Sensitivity is the share of labels 1 predicted as 1, specificity the share of labels 0 predicted
    as 0.

    Args:
        specificity: The minimum specificity, from 0 to 1.
        num_thresholds: The number of evenly spaced thresholds in [0, 1]; 1 means the threshold 0.5.
        class_id: Count only predictions of this class.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(SensitivityAtSpecificity(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
    0.5
    """

    _maximized = "sensitivity"
    _constrained = "specificity"

    specificity: float
    num_thresholds: int = 200
    class_id: int | None = None
    name: str | None = field(default="sensitivity_at_specificity", kw_only=True)


class SpecificityAtSensitivity(_BestRate):
    """Best specificity at a minimum sensitivity, as `keras.metrics.SpecificityAtSensitivity`.

    Sensitivity is the share of labels 1 predicted as 1, specificity the share of labels 0 predicted
    as 0.

    Args:
        sensitivity: The minimum sensitivity, from 0 to 1.
        num_thresholds: The number of evenly spaced thresholds in [0, 1]; 1 means the threshold 0.5.
        class_id: Count only predictions of this class.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(SpecificityAtSensitivity(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
    0.6666...
    """

    _maximized = "specificity"
    _constrained = "sensitivity"

    sensitivity: float
    num_thresholds: int = 200
    class_id: int | None = None
    name: str | None = field(default="specificity_at_sensitivity", kw_only=True)


class PrecisionAtRecall(_BestRate):
    """Best precision at a minimum recall, as `keras.metrics.PrecisionAtRecall`.

    Precision is the share of the predictions 1 whose label is 1, recall the share of the labels 1
    that are predicted as 1.

    Args:
        recall: The minimum recall, from 0 to 1.
        num_thresholds: The number of evenly spaced thresholds in [0, 1]; 1 means the threshold 0.5.
        class_id: Count only predictions of this class.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(PrecisionAtRecall(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
    0.5
    """

    _maximized = "precision"
    _constrained = "recall"

    recall: float
    num_thresholds: int = 200
    class_id: int | None = None
    name: str | None = field(default="precision_at_recall", kw_only=True)


class RecallAtPrecision(_BestRate):
    """Best recall at a minimum precision, as `keras.metrics.RecallAtPrecision`.

    Precision is the share of the predictions 1 whose label is 1, recall the share of the labels 1
    that are predicted as 1.

    Args:
        precision: The minimum precision, from 0 to 1.
        num_thresholds: The number of evenly spaced thresholds in [0, 1]; 1 means the threshold 0.5.
        class_id: Count only predictions of this class.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(RecallAtPrecision(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
    1.0
    """

    _maximized = "recall"
    _constrained = "precision"

    precision: float
    num_thresholds: int = 200
    class_id: int | None = None
    name: str | None = field(default="recall_at_precision", kw_only=True)
