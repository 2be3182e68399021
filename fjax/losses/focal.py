"""Focal cross-entropies: examples that are right already count less.

Lin et al., "Focal Loss for Dense Object Detection", 2017, https://arxiv.org/abs/1708.02002.
"""

from collections.abc import Sequence
from dataclasses import field

import jax
import jax.numpy as jnp
import numpy as np

from fjax.errors import is_number, number_between, one_of
from fjax.losses.crossentropy import (
    ONE_HOT,
    binary_log_loss,
    check_binary,
    check_categorical,
    check_smoothing,
    normalized,
    smoothed,
)
from fjax.losses.loss import PairedLoss
from fjax.losses.preparation import pair
from fjax.losses.regression import check_axis
from fjax.typing import Array, ArrayLike, Shape


def binary_focal_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Binary cross-entropy times `(1 - p) ** gamma`, where `p` is the probability of the label.

    Args:
        y_true: Labels from 0 to 1, `(batch, …, outputs)`.
        y_pred: Probabilities, or logits, of the same shape.
        apply_class_balancing: Whether label 1 is weighted by `alpha`, label 0 by `1 - alpha`.
        alpha: The weight of label 1.
        gamma: How much less an easy example counts; 0 is the plain cross-entropy.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: How far labels are drawn towards a half, from 0 to 1.
        axis: The axis that the mean is taken over.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(binary_focal_crossentropy([[1.0]], [[0.5]]))
    [0.17328...]
    """
    y_true, y_pred = pair("binary_focal_crossentropy", y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        y_pred = jax.nn.sigmoid(y_pred)
    likelihood = y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)
    losses = jnp.power(1.0 - likelihood, gamma) * binary_log_loss(y_true, y_pred, False)
    if apply_class_balancing:
        losses = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * losses
    return jnp.mean(losses, axis=axis)


def categorical_focal_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    alpha: float | Sequence[float] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Categorical cross-entropy times `alpha * (1 - p) ** gamma`.

    Args:
        y_true: One-hot rows or distributions, `(batch, …, classes)`.
        y_pred: Probabilities, or logits, of the same shape.
        alpha: The weight of all classes, or one for each.
        gamma: How much less an easy example counts.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: How much of a label is spread over all classes, from 0 to 1.
        axis: The axis of the classes.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]))
    [0.04332...]
    """
    y_true, y_pred = pair("categorical_focal_crossentropy", y_true, y_pred, ONE_HOT)
    if label_smoothing:
        y_true = smoothed(y_true, label_smoothing, axis)
    if from_logits:
        y_pred = jax.nn.softmax(y_pred, axis=axis)
    probabilities = normalized(y_pred, axis)
    weights = jnp.power(1.0 - probabilities, gamma) * jnp.asarray(alpha, y_pred.dtype)
    return jnp.sum(weights * -y_true * jnp.log(probabilities), axis=axis)


class BinaryFocalCrossentropy(PairedLoss):
    """The loss of `binary_focal_crossentropy`.

    Args:
        apply_class_balancing: Whether label 1 is weighted by `alpha`, label 0 by `1 - alpha`.
        alpha: The weight of label 1, from 0 to 1.
        gamma: How much less an easy example counts, at least 0.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: How far labels are drawn towards a half, from 0 to 1.
        axis: The axis that the mean is taken over.
        reduction: As in `Loss`.
        name: As in `Loss`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(BinaryFocalCrossentropy(gamma=1.0)([[1.0]], [[0.5]]))
    0.34657...
    """

    apply_class_balancing: bool = False
    alpha: float = 0.25
    gamma: float = 2.0
    from_logits: bool = False
    label_smoothing: float = 0.0
    axis: int = -1
    name: str | None = field(default="binary_focal_crossentropy", kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        owner = type(self).__name__
        one_of(owner, "apply_class_balancing", self.apply_class_balancing, (True, False))
        number_between(owner, "alpha", self.alpha, 0.0, 1.0)
        number_between(owner, "gamma", self.gamma, 0.0)
        check_smoothing(owner, self.from_logits, self.label_smoothing)
        check_axis(owner, self.axis)

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is that of the classes, the last."""
        return self.axis == -1

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return `binary_focal_crossentropy`."""
        return binary_focal_crossentropy(
            y_true,
            y_pred,
            self.apply_class_balancing,
            self.alpha,
            self.gamma,
            self.from_logits,
            self.label_smoothing,
            self.axis,
        )

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str = "y") -> None:
        """Check that there is a label from 0 to 1 for every output."""
        check_binary(type(self).__name__, y_true, y_pred_shape, name)


class CategoricalFocalCrossentropy(PairedLoss):
    """The loss of `categorical_focal_crossentropy`.

    Args:
        alpha: The weight of all classes, or one for each.
        gamma: How much less an easy example counts, at least 0.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: How much of a label is spread over all classes, from 0 to 1.
        axis: The axis of the classes.
        reduction: As in `Loss`.
        name: As in `Loss`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(CategoricalFocalCrossentropy(alpha=1.0)([[0.0, 1.0]], [[0.5, 0.5]]))
    0.17328...
    """

    alpha: float | Sequence[float] = 0.25
    gamma: float = 2.0
    from_logits: bool = False
    label_smoothing: float = 0.0
    axis: int = -1
    name: str | None = field(default="categorical_focal_crossentropy", kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        owner = type(self).__name__
        if not is_number(self.alpha):
            object.__setattr__(self, "alpha", _weights(owner, self.alpha))
        number_between(owner, "gamma", self.gamma, 0.0)
        check_smoothing(owner, self.from_logits, self.label_smoothing)
        check_axis(owner, self.axis)

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is that of the classes, the last."""
        return self.axis == -1

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return `categorical_focal_crossentropy`."""
        return categorical_focal_crossentropy(
            y_true,
            y_pred,
            self.alpha,
            self.gamma,
            self.from_logits,
            self.label_smoothing,
            self.axis,
        )

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str = "y") -> None:
        """Check that there is a one-hot row, or a distribution, for every prediction."""
        check_categorical(type(self).__name__, y_true, y_pred_shape, name, self.axis)


def _weights(owner: str, alpha: object) -> tuple[float, ...]:
    values = np.asarray(alpha, dtype=object)
    if values.ndim != 1 or not all(is_number(value) for value in values):
        raise ValueError(
            f"`{owner}`: `alpha` must be a number, or one for each class, received {alpha!r}."
        )
    return tuple(float(value) for value in values)
