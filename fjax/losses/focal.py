"""Focal cross-entropies: samples that are already predicted well count less.

Lin et al., "Focal Loss for Dense Object Detection", 2017, https://arxiv.org/abs/1708.02002.
"""

from collections.abc import Sequence
from dataclasses import field

import jax
import jax.numpy as jnp
import numpy as np

from fjax.errors import is_number, number_between, one_of
from fjax.losses.crossentropy import (
    BinaryLoss,
    CategoricalLoss,
    binary_log_loss,
    normalized,
    smoothed,
)
from fjax.losses.labels import ONE_HOT
from fjax.losses.preparation import prepare_pair
from fjax.typing import Array, ArrayLike


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
        apply_class_balancing: Whether to weight label 1 by `alpha` and label 0 by `1 - alpha`.
        alpha: The weight of label 1.
        gamma: How much less easy samples count; 0 gives the plain cross-entropy.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: How far labels are moved toward 0.5, from 0 to 1.
        axis: The axis over which the mean is taken.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(binary_focal_crossentropy([[1.0]], [[0.5]]))
    [0.17328...]
    """
    y_true, y_pred = prepare_pair("binary_focal_crossentropy", y_true, y_pred)
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
        alpha: One weight for all classes, or one for each class.
        gamma: How much less easy samples count; 0 gives the plain cross-entropy.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: The part of a label that is spread evenly over all classes, from 0 to 1.
        axis: The axis of the classes.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]))
    [0.04332...]
    """
    y_true, y_pred = prepare_pair("categorical_focal_crossentropy", y_true, y_pred, ONE_HOT)
    if label_smoothing:
        y_true = smoothed(y_true, label_smoothing, axis)
    if from_logits:
        y_pred = jax.nn.softmax(y_pred, axis=axis)
    probabilities = normalized(y_pred, axis)
    weights = jnp.power(1.0 - probabilities, gamma) * jnp.asarray(alpha, y_pred.dtype)
    return jnp.sum(weights * -y_true * jnp.log(probabilities), axis=axis)


class BinaryFocalCrossentropy(BinaryLoss):
    """The loss of `binary_focal_crossentropy`.

    Args:
        apply_class_balancing: Whether to weight label 1 by `alpha` and label 0 by `1 - alpha`.
        alpha: The weight of label 1, from 0 to 1.
        gamma: How much less easy samples count, at least 0.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: How far labels are moved toward 0.5, from 0 to 1.
        axis: The axis over which the mean is taken.
        reduction: As in `Loss`.
        name: As in `Loss`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(BinaryFocalCrossentropy(gamma=1.0)([[1.0]], [[0.5]]))
    0.34657...
    """

    function = staticmethod(binary_focal_crossentropy)

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


class CategoricalFocalCrossentropy(CategoricalLoss):
    """The loss of `categorical_focal_crossentropy`.

    Args:
        alpha: One weight for all classes, or one for each class.
        gamma: How much less easy samples count, at least 0.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: The part of a label that is spread evenly over all classes, from 0 to 1.
        axis: The axis of the classes.
        reduction: As in `Loss`.
        name: As in `Loss`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(CategoricalFocalCrossentropy(alpha=1.0)([[0.0, 1.0]], [[0.5, 0.5]]))
    0.17328...
    """

    function = staticmethod(categorical_focal_crossentropy)

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
            self.alpha = _class_weights(owner, self.alpha)
        number_between(owner, "gamma", self.gamma, 0.0)


def _class_weights(owner: str, alpha: object) -> tuple[float, ...]:
    values = np.asarray(alpha, dtype=object)
    if values.ndim != 1 or not all(is_number(value) for value in values):
        raise ValueError(
            f"`{owner}`: `alpha` must be a number, or a list of one number for each class, "
            f"received {alpha!r}."
        )
    return tuple(float(value) for value in values)
