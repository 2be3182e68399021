"""Regression metrics: distances between targets and predictions, and explained variance."""

from dataclasses import field
from typing import Any

import jax.numpy as jnp

from fjax.errors import integer_at_least, one_of
from fjax.losses.preparation import check_axis, expand_weights, prepare_pair
from fjax.losses.regression import (
    cosine_similarity,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from fjax.metrics.metric import Accumulator, Metric, add, check_matrices, output_count, zeros
from fjax.metrics.reduction import MeanOfValues
from fjax.typing import Array, ArrayLike


class MeanSquaredError(MeanOfValues):
    """Mean of the squared differences, as `keras.metrics.MeanSquaredError`.

    >>> print(MeanSquaredError()([[0.0], [1.0]], [[2.0], [1.0]]))
    2.0
    """

    rows_independent = True

    direction = "down"

    name: str | None = "mean_squared_error"

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return `mean_squared_error`."""
        return mean_squared_error(y_true, y_pred)


class RootMeanSquaredError(MeanOfValues):
    """Root of the mean of the squared differences, as `keras.metrics.RootMeanSquaredError`.

    >>> print(RootMeanSquaredError()([[0.0], [0.0]], [[2.0], [2.0]]))
    2.0
    """

    rows_independent = True

    direction = "down"

    name: str | None = "root_mean_squared_error"

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return the squared difference of each element."""
        y_true, y_pred = prepare_pair(type(self).__name__, y_true, y_pred)
        return jnp.square(y_pred - y_true)

    def result(self, accumulator: Accumulator) -> Array:
        """Return the root of the mean."""
        return jnp.sqrt(super().result(accumulator))


class MeanAbsoluteError(MeanOfValues):
    """Mean of the absolute differences, as `keras.metrics.MeanAbsoluteError`.

    >>> print(MeanAbsoluteError()([[0.0], [1.0]], [[2.0], [1.0]]))
    1.0
    """

    rows_independent = True

    direction = "down"

    name: str | None = "mean_absolute_error"

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return `mean_absolute_error`."""
        return mean_absolute_error(y_true, y_pred)


class MeanAbsolutePercentageError(MeanOfValues):
    """Mean difference in percent of the target, as `keras.metrics.MeanAbsolutePercentageError`.

    >>> print(MeanAbsolutePercentageError()([[2.0], [4.0]], [[1.0], [4.0]]))
    25.0
    """

    rows_independent = True

    direction = "down"

    name: str | None = "mean_absolute_percentage_error"

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return `mean_absolute_percentage_error`."""
        return mean_absolute_percentage_error(y_true, y_pred)


class MeanSquaredLogarithmicError(MeanOfValues):
    """Mean squared difference of `log(1 + y)`, as `keras.metrics.MeanSquaredLogarithmicError`.

    >>> print(MeanSquaredLogarithmicError()([[1.0]], [[1.0]]))
    0.0
    """

    rows_independent = True

    direction = "down"

    name: str | None = "mean_squared_logarithmic_error"

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return `mean_squared_logarithmic_error`."""
        return mean_squared_logarithmic_error(y_true, y_pred)


class LogCoshError(MeanOfValues):
    """Mean log hyperbolic cosine of the error, as `keras.metrics.LogCoshError`.

    >>> print(LogCoshError()([[0.0]], [[0.0]]))
    0.0
    """

    rows_independent = True

    direction = "down"

    name: str | None = "logcosh"

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return `log_cosh`."""
        return log_cosh(y_true, y_pred)


class CosineSimilarity(MeanOfValues):
    """Mean cosine of the angle between target and prediction, as `keras.metrics.CosineSimilarity`.

    It is 1 for the same direction. The loss of this name has the opposite sign.

    Args:
        name: As in `Metric`.
        axis: The axis of the vectors.

    Raises:
        ValueError: The axis is not an integer.

    >>> print(CosineSimilarity()([[0.0, 1.0]], [[0.0, 5.0]]))
    1.0
    """

    direction = "up"

    name: str | None = "cosine_similarity"
    axis: int = -1

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        check_axis(type(self).__name__, self.axis)

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is the last one."""
        return self.axis == -1

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return the cosine of each sample."""
        return -cosine_similarity(y_true, y_pred, self.axis)


class R2Score(Metric):
    """Coefficient of determination, as `keras.metrics.R2Score`.

    `1 - sum((y_true - y_pred) ** 2) / sum((y_true - mean) ** 2)` for each output. The second sum is
    computed as `sum(y ** 2) - sum(y) ** 2 / n`, so that accumulators can be added. It loses digits
    if the mean of the targets is thousands of times their standard deviation: standardize such
    targets.

    Args:
        class_aggregation: "uniform_average" returns the mean over the outputs,
            "variance_weighted_average" weights each output by its variance, None returns one score
            for each.
        num_regressors: The number of the model's inputs, for the adjusted score; 0 returns the
            plain score, as do too few samples.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range, or the data do not have two axes.

    >>> print(R2Score()([[1.0], [2.0], [3.0]], [[1.0], [2.0], [2.0]]))
    0.5
    """

    direction = "up"

    class_aggregation: str | None = "uniform_average"
    num_regressors: int = 0
    name: str | None = field(default="r2_score", kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        owner = type(self).__name__
        allowed = ("uniform_average", "variance_weighted_average", None)
        one_of(owner, "class_aggregation", self.class_aggregation, allowed)
        integer_at_least(owner, "num_regressors", self.num_regressors, 0)

    @property
    def rows_independent(self) -> bool:
        """Whether the score is the plain one: the adjusted score depends on the batch size."""
        return self.num_regressors == 0

    def init(self, y_true: Any = None, y_pred: Any = None) -> Accumulator:
        """Return zeros, one of each sum for each output of `y_pred`."""
        shape = (output_count(type(self).__name__, y_pred),)
        sums = {name: zeros(shape) for name in ("sum", "squared_sum", "residual", "count")}
        return sums | {"num_samples": zeros()}

    def update(
        self,
        accumulator: Accumulator,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> Accumulator:
        """Return the accumulator with a batch added."""
        owner = type(self).__name__
        true, pred = prepare_pair(owner, y_true, y_pred)
        check_matrices(owner, true, pred, "Reshape both to two axes, as with `y[:, None]`.")
        weights = expand_weights(owner, 1.0 if sample_weight is None else sample_weight, true.shape)
        weights = jnp.broadcast_to(weights, true.shape)
        added: dict[str, Array | float] = {
            "sum": jnp.sum(true * weights, axis=0),
            "squared_sum": jnp.sum(true * true * weights, axis=0),
            "residual": jnp.sum(jnp.square(true - pred) * weights, axis=0),
            "count": jnp.sum(weights, axis=0),
            "num_samples": float(true.size),
        }
        return add(accumulator, added)

    def result(self, accumulator: Accumulator) -> Array:
        """Return the score, or one for each output; NaN before the first batch."""
        sums = {name: jnp.asarray(value) for name, value in accumulator.items()}
        variance = sums["squared_sum"] - sums["sum"] * (sums["sum"] / sums["count"])
        scores = 1.0 - sums["residual"] / variance
        # As in Keras, the score is 0 if the targets are constant and a prediction is wrong.
        scores = jnp.where(jnp.isinf(scores), 0.0, scores)
        if self.class_aggregation == "uniform_average":
            scores = jnp.mean(scores)
        elif self.class_aggregation == "variance_weighted_average":
            scores = jnp.sum(variance * scores) / jnp.sum(variance)
        if self.num_regressors == 0:
            return scores
        degrees_of_freedom = sums["num_samples"] - self.num_regressors - 1.0
        adjusted = 1.0 - (1.0 - scores) * (sums["num_samples"] - 1.0) / degrees_of_freedom
        return jnp.where(degrees_of_freedom > 0, adjusted, scores)
