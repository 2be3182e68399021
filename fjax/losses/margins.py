"""Hinge losses: they are 0 if a prediction is right by a margin."""

from dataclasses import field

import jax.numpy as jnp
import numpy as np

from fjax.losses import targets
from fjax.losses.loss import PairedLoss
from fjax.losses.preparation import prepare_pair
from fjax.typing import Array, ArrayLike, Shape


def hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """`max(1 - y_true * y_pred, 0)`, mean over the last axis.

    Args:
        y_true: Labels -1 and 1, `(batch, …, outputs)`; where all are 0 or 1, 0 means -1.
        y_pred: Scores of the same shape.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(hinge([[-1.0], [1.0]], [[-3.0], [0.5]]))
    [0. 0.5]
    """
    y_true, y_pred = prepare_pair("hinge", y_true, y_pred)
    return jnp.mean(jnp.maximum(1.0 - _signs(y_true) * y_pred, 0.0), axis=-1)


def squared_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """`max(1 - y_true * y_pred, 0) ** 2`, mean over the last axis.

    Args:
        y_true: Labels -1 and 1, `(batch, …, outputs)`; where all are 0 or 1, 0 means -1.
        y_pred: Scores of the same shape.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(squared_hinge([[-1.0], [1.0]], [[-3.0], [0.5]]))
    [0. 0.25]
    """
    y_true, y_pred = prepare_pair("squared_hinge", y_true, y_pred)
    return jnp.mean(jnp.square(jnp.maximum(1.0 - _signs(y_true) * y_pred, 0.0)), axis=-1)


def categorical_hinge(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """`max(neg - pos + 1, 0)`: 0 if the score of the label exceeds all others by at least 1.

    `pos` is `sum(y_true * y_pred)` and `neg` is `max((1 - y_true) * y_pred)`, over the last axis.

    Args:
        y_true: One-hot labels, `(batch, …, classes)`.
        y_pred: Scores of the same shape.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(categorical_hinge([[0.0, 1.0]], [[0.25, 0.5]]))
    [0.75]
    """
    y_true, y_pred = prepare_pair("categorical_hinge", y_true, y_pred, _ONE_HOT)
    pos = jnp.sum(y_true * y_pred, axis=-1)
    neg = jnp.max((1.0 - y_true) * y_pred, axis=-1)
    return jnp.maximum(neg - pos + 1.0, 0.0)


class _BinaryHinge(PairedLoss):
    rows_independent = True

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str = "y") -> None:
        """Check that the targets are labels from -1 to 1 in the shape of the predictions."""
        super().check_targets(y_true, y_pred_shape, name)
        rule = "labels -1 and 1, or 0 and 1."
        targets.check_range(type(self).__name__, name, y_true, -1, 1, rule)


class Hinge(_BinaryHinge):
    """The loss of `hinge`.

    >>> print(Hinge()([[-1.0], [1.0]], [[-3.0], [0.5]]))
    0.25
    """

    function = staticmethod(hinge)

    name: str | None = field(default="hinge", kw_only=True)


class SquaredHinge(_BinaryHinge):
    """The loss of `squared_hinge`.

    >>> print(SquaredHinge()([[-1.0], [1.0]], [[-3.0], [0.5]]))
    0.125
    """

    function = staticmethod(squared_hinge)

    name: str | None = field(default="squared_hinge", kw_only=True)


class CategoricalHinge(PairedLoss):
    """The loss of `categorical_hinge`.

    >>> print(CategoricalHinge()([[0.0, 1.0]], [[0.25, 0.5]]))
    0.75
    """

    function = staticmethod(categorical_hinge)
    rows_independent = True

    name: str | None = field(default="categorical_hinge", kw_only=True)

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str = "y") -> None:
        """Check that the targets are one-hot rows in the shape of the predictions."""
        owner = type(self).__name__
        targets.check_numeric(owner, name, y_true)
        targets.check_same_shape(owner, name, y_true.shape, y_pred_shape, _ONE_HOT)
        targets.check_range(owner, name, y_true, -1, 1, "one-hot labels, 0 and 1.")


_ONE_HOT = "Give one-hot labels, one column for each class, as `to_categorical` returns them."


def _signs(y_true: Array) -> Array:
    """Return labels -1 and 1, also for labels 0 and 1."""
    are_binary = jnp.all((y_true == 0) | (y_true == 1))
    return jnp.where(are_binary, 2.0 * y_true - 1.0, y_true)
