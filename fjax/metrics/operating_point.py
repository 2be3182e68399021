"""The best of one rate at a given value of another, over all thresholds."""

from dataclasses import field
from typing import Any

import jax.numpy as jnp

from fjax.errors import integer_at_least, number_between
from fjax.losses.preparation import divide_no_nan, expand_weights, prepare_pair
from fjax.metrics.confusion import chosen_class, passed
from fjax.metrics.metric import Accumulator, Metric, zeros
from fjax.typing import Array, ArrayLike


class _AtPoint(Metric):
    """Base of these metrics: how many labels 0 and 1 pass each number of thresholds."""

    rows_independent = True

    direction = "up"

    def _settings(self) -> tuple[int, int | None]:
        """Return the number of thresholds and the class."""
        raise NotImplementedError

    def _check(self, rate: str) -> None:
        owner, (number, class_id) = type(self).__name__, self._settings()
        number_between(owner, rate, getattr(self, rate), 0.0, 1.0)
        integer_at_least(owner, "num_thresholds", number, 1)
        if class_id is not None:
            integer_at_least(owner, "class_id", class_id, 0)

    def init(self, y_true: Any = None, y_pred: Any = None) -> Accumulator:
        """Return zeros: of labels 0 and 1, the weight that passes each number of thresholds."""
        return {"histogram": zeros((2, self._settings()[0] + 1))}

    def update(
        self,
        accumulator: Accumulator,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> Accumulator:
        """Return the accumulator with a batch added to it."""
        owner, (number, class_id) = type(self).__name__, self._settings()
        true, pred = prepare_pair(owner, y_true, y_pred)
        weights = jnp.ones(true.shape)
        if sample_weight is not None:
            weights = weights * expand_weights(owner, sample_weight, true.shape)
        true, pred, weights = chosen_class(owner, class_id, true, pred, weights)
        # One threshold is the half; several divide [0, 1] evenly.
        count = (pred > 0.5).astype(jnp.int32) if number == 1 else passed(pred, range(number))
        histogram = jnp.asarray(accumulator["histogram"])
        where = true.astype(bool).astype(jnp.int32), count
        return {"histogram": histogram.at[where].add(weights.astype(histogram.dtype))}

    def _rates(self, accumulator: Accumulator) -> tuple[Array, Array, Array]:
        """Return sensitivity (recall), specificity and precision at each threshold."""
        histogram = jnp.asarray(accumulator["histogram"])
        below = jnp.cumsum(histogram, axis=1)[:, :-1]
        above = jnp.flip(jnp.cumsum(jnp.flip(histogram, axis=1), axis=1), axis=1)[:, 1:]
        (true_negatives, false_negatives), (false_positives, true_positives) = below, above
        return (
            divide_no_nan(true_positives, true_positives + false_negatives),
            divide_no_nan(true_negatives, true_negatives + false_positives),
            divide_no_nan(true_positives, true_positives + false_positives),
        )


def _best(rates: Array, constrained: Array, least: float) -> Array:
    return jnp.max(jnp.where(constrained >= least, rates, 0.0))


class SensitivityAtSpecificity(_AtPoint):
    """Best sensitivity at a given specificity; as `keras.metrics.SensitivityAtSpecificity`.

    Sensitivity is the share of labels 1 that are found, specificity that of labels 0.

    Args:
        specificity: The least specificity, from 0 to 1.
        num_thresholds: How many thresholds divide [0, 1] evenly, at least 1; one alone is 0.5.
        class_id: Count the predictions of this class alone.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(SensitivityAtSpecificity(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
    0.5
    """

    specificity: float
    num_thresholds: int = 200
    class_id: int | None = None
    name: str | None = field(default="sensitivity_at_specificity", kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        self._check("specificity")

    def _settings(self) -> tuple[int, int | None]:
        return self.num_thresholds, self.class_id

    def result(self, accumulator: Accumulator) -> Array:
        """Return the best sensitivity, 0 where no threshold will do."""
        sensitivity, specificity, _ = self._rates(accumulator)
        return _best(sensitivity, specificity, self.specificity)


class SpecificityAtSensitivity(_AtPoint):
    """Best specificity at a given sensitivity; as `keras.metrics.SpecificityAtSensitivity`.

    Sensitivity is the share of labels 1 that are found, specificity that of labels 0.

    Args:
        sensitivity: The least sensitivity, from 0 to 1.
        num_thresholds: How many thresholds divide [0, 1] evenly, at least 1; one alone is 0.5.
        class_id: Count the predictions of this class alone.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(SpecificityAtSensitivity(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
    0.6666...
    """

    sensitivity: float
    num_thresholds: int = 200
    class_id: int | None = None
    name: str | None = field(default="specificity_at_sensitivity", kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        self._check("sensitivity")

    def _settings(self) -> tuple[int, int | None]:
        return self.num_thresholds, self.class_id

    def result(self, accumulator: Accumulator) -> Array:
        """Return the best specificity, 0 where no threshold will do."""
        sensitivity, specificity, _ = self._rates(accumulator)
        return _best(specificity, sensitivity, self.sensitivity)


class PrecisionAtRecall(_AtPoint):
    """Best precision at a given recall; as `keras.metrics.PrecisionAtRecall`.

    Precision is the share of the found that is right, recall the share of the labels 1 that is
    found.

    Args:
        recall: The least recall, from 0 to 1.
        num_thresholds: How many thresholds divide [0, 1] evenly, at least 1; one alone is 0.5.
        class_id: Count the predictions of this class alone.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(PrecisionAtRecall(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
    0.5
    """

    recall: float
    num_thresholds: int = 200
    class_id: int | None = None
    name: str | None = field(default="precision_at_recall", kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        self._check("recall")

    def _settings(self) -> tuple[int, int | None]:
        return self.num_thresholds, self.class_id

    def result(self, accumulator: Accumulator) -> Array:
        """Return the best precision, 0 where no threshold will do."""
        recall, _, precision = self._rates(accumulator)
        return _best(precision, recall, self.recall)


class RecallAtPrecision(_AtPoint):
    """Best recall at a given precision; as `keras.metrics.RecallAtPrecision`.

    Precision is the share of the found that is right, recall the share of the labels 1 that is
    found.

    Args:
        precision: The least precision, from 0 to 1.
        num_thresholds: How many thresholds divide [0, 1] evenly, at least 1; one alone is 0.5.
        class_id: Count the predictions of this class alone.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(RecallAtPrecision(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
    1.0
    """

    precision: float
    num_thresholds: int = 200
    class_id: int | None = None
    name: str | None = field(default="recall_at_precision", kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        self._check("precision")

    def _settings(self) -> tuple[int, int | None]:
        return self.num_thresholds, self.class_id

    def result(self, accumulator: Accumulator) -> Array:
        """Return the best recall, 0 where no threshold will do."""
        recall, _, precision = self._rates(accumulator)
        return _best(recall, precision, self.precision)
