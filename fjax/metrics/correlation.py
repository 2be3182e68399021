"""Correlations of targets and predictions."""

import jax.numpy as jnp

from fjax.losses.preparation import EPSILON, check_axis, prepare_pair
from fjax.metrics.reduction import MeanOfValues
from fjax.typing import Array, ArrayLike


def pearson_correlation(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> Array:
    """Pearson's correlation along an axis: 1 where `y_pred` rises linearly with `y_true`.

    Args:
        y_true: Targets, `(batch, …)`.
        y_pred: Predictions of the same shape.
        axis: The axis along which to correlate.

    Returns:
        Values from -1 to 1 in the shape of the other axes; NaN where either array is constant.

    Raises:
        ValueError: The shapes differ, or the axis has only one value.

    >>> print(pearson_correlation([[0.0, 1.0, 0.5]], [[0.1, 0.9, 0.5]]))
    [1...]
    """
    y_true, y_pred = _prepare("pearson_correlation", y_true, y_pred, axis)
    true, pred = (y - jnp.mean(y, axis=axis, keepdims=True) for y in (y_true, y_pred))
    covariance = jnp.mean(true * pred, axis=axis)
    return covariance / (jnp.std(true, axis=axis) * jnp.std(pred, axis=axis))


def concordance_correlation(y_true: ArrayLike, y_pred: ArrayLike, axis: int = -1) -> Array:
    """Lin's concordance along an axis: 1 where both are equal, less if one is shifted or scaled.

    Lin, "A Concordance Correlation Coefficient to Evaluate Reproducibility", 1989.

    Args:
        y_true: Targets, `(batch, …)`.
        y_pred: Predictions of the same shape.
        axis: The axis along which to compare.

    Returns:
        Values from -1 to 1 in the shape of the other axes.

    Raises:
        ValueError: The shapes differ, or the axis has only one value.

    >>> print(concordance_correlation([[0.0, 1.0, 0.5]], [[0.1, 0.9, 0.5]]))
    [0.9756...]
    """
    y_true, y_pred = _prepare("concordance_correlation", y_true, y_pred, axis)
    means = [jnp.mean(y, axis=axis, keepdims=True) for y in (y_true, y_pred)]
    true, pred = y_true - means[0], y_pred - means[1]
    variances = jnp.var(true, axis=axis) + jnp.var(pred, axis=axis)
    shift = jnp.squeeze(jnp.square(means[0] - means[1]), axis=axis)
    return 2.0 * jnp.mean(true * pred, axis=axis) / (variances + shift + EPSILON)


class PearsonCorrelation(MeanOfValues):
    """Mean of Pearson's correlation, as `keras.metrics.PearsonCorrelation`.

    For a model with one output use `axis=0`, which correlates the samples of each batch.

    Args:
        name: As in `Metric`.
        axis: The axis along which to correlate.

    Raises:
        ValueError: The axis is not an integer.

    >>> print(PearsonCorrelation(axis=0)([[0.0], [1.0], [2.0]], [[1.0], [3.0], [2.0]]))
    0.5
    """

    direction = "up"

    name: str | None = "pearson_correlation"
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
        """Return `pearson_correlation`."""
        return pearson_correlation(y_true, y_pred, self.axis)


class ConcordanceCorrelation(MeanOfValues):
    """Mean of Lin's concordance, as `keras.metrics.ConcordanceCorrelation`.

    For a model with one output use `axis=0`, which compares the samples of each batch.

    Args:
        name: As in `Metric`.
        axis: The axis along which to compare.

    Raises:
        ValueError: The axis is not an integer.

    >>> print(ConcordanceCorrelation()([[0.0, 1.0, 0.5]], [[0.1, 0.9, 0.5]]))
    0.9756...
    """

    direction = "up"

    name: str | None = "concordance_correlation"
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
        """Return `concordance_correlation`."""
        return concordance_correlation(y_true, y_pred, self.axis)


def _prepare(owner: str, y_true: ArrayLike, y_pred: ArrayLike, axis: int) -> tuple[Array, Array]:
    y_true, y_pred = prepare_pair(owner, y_true, y_pred)
    # The batch axis may have size 1, for a last batch of one sample.
    if y_pred.shape[axis] == 1 and axis % y_pred.ndim != 0:
        raise ValueError(
            f"`{owner}`: axis {axis} of shape {y_pred.shape} has one value, and a correlation "
            "needs several. Use `axis=0` to correlate the samples of a batch."
        )
    return y_true, y_pred
