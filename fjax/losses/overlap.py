"""Overlap losses: how little two segmentation masks overlap."""

from collections.abc import Sequence
from dataclasses import field
from typing import Any

import jax.numpy as jnp

from fjax.errors import is_integer, number_between
from fjax.losses.loss import PairedLoss
from fjax.losses.preparation import EPSILON, prepare_pair
from fjax.typing import Array, ArrayLike

Axis = int | Sequence[int] | None


def dice(y_true: ArrayLike, y_pred: ArrayLike, axis: Axis = None) -> Array:
    """`1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))`.

    Milletari et al., "V-Net: Fully Convolutional Neural Networks for Volumetric Medical Image
    Segmentation", 2016.

    Args:
        y_true: Masks of values from 0 to 1, `(batch, …)`.
        y_pred: Probabilities of the same shape.
        axis: The axes over which the sums are taken; None means all, the batch axis included.

    Returns:
        A scalar, or an array of the remaining axes.

    Raises:
        ValueError: The shapes differ.

    >>> print(dice([[1.0, 0.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]], axis=1))
    [0. 0.3333...]
    """
    y_true, y_pred = prepare_pair("dice", y_true, y_pred)
    intersection = jnp.sum(y_true * y_pred, axis=_axes(axis))
    total = jnp.sum(y_true, axis=_axes(axis)) + jnp.sum(y_pred, axis=_axes(axis))
    return 1.0 - 2.0 * intersection / (total + EPSILON)


def tversky(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    alpha: float = 0.5,
    beta: float = 0.5,
    axis: Axis = None,
) -> Array:
    """`1 - tp / (tp + alpha * fn + beta * fp)`; with `alpha` and `beta` 0.5 it equals `dice`.

    `tp` is the sum of `y_true * y_pred`, `fn` that of `y_true * (1 - y_pred)`, and `fp` that of
    `(1 - y_true) * y_pred`.

    Salehi et al., "Tversky loss function for image segmentation using 3D fully convolutional deep
    networks", 2017.

    Args:
        y_true: Masks of values from 0 to 1, `(batch, …)`.
        y_pred: Probabilities of the same shape.
        alpha: The weight of false negatives.
        beta: The weight of false positives.
        axis: The axes over which the sums are taken; None means all, the batch axis included.

    Returns:
        A scalar, or an array of the remaining axes.

    Raises:
        ValueError: The shapes differ.

    >>> print(tversky([[1.0, 1.0]], [[1.0, 0.0]], alpha=1.0))
    0.5
    """
    y_true, y_pred = prepare_pair("tversky", y_true, y_pred)
    true_positives = jnp.sum(y_true * y_pred, axis=_axes(axis))
    false_negatives = jnp.sum(y_true * (1.0 - y_pred), axis=_axes(axis))
    false_positives = jnp.sum((1.0 - y_true) * y_pred, axis=_axes(axis))
    total = true_positives + false_negatives * alpha + false_positives * beta + EPSILON
    return 1.0 - true_positives / total


class Dice(PairedLoss):
    """The loss of `dice`.

    Args:
        axis: The axis or axes over which the sums are taken; None means all, the batch axis
            included. Sample weights require axes without the batch axis.
        reduction: As in `Loss`.
        name: As in `Loss`.

    Raises:
        ValueError: The axis is neither an integer nor a list of integers.

    >>> print(Dice()([[1.0, 1.0]], [[1.0, 0.0]]))
    0.3333...
    """

    function = staticmethod(dice)

    axis: Axis = field(default=None, kw_only=True)
    name: str | None = field(default="dice", kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        self.axis = _check_axes(type(self).__name__, self.axis)


class Tversky(PairedLoss):
    """The loss of `tversky`.

    Args:
        alpha: The weight of false negatives, at least 0.
        beta: The weight of false positives, at least 0.
        axis: As in `Dice`.
        reduction: As in `Loss`.
        name: As in `Loss`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(Tversky(alpha=1.0)([[1.0, 1.0]], [[1.0, 0.0]]))
    0.5
    """

    function = staticmethod(tversky)

    alpha: float = 0.5
    beta: float = 0.5
    axis: Axis = field(default=None, kw_only=True)
    name: str | None = field(default="tversky", kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        owner = type(self).__name__
        number_between(owner, "alpha", self.alpha, 0.0)
        number_between(owner, "beta", self.beta, 0.0)
        self.axis = _check_axes(owner, self.axis)


def _axes(axis: Axis) -> Any:
    return tuple(axis) if isinstance(axis, Sequence) else axis


def _check_axes(owner: str, axis: Any) -> Axis:
    if axis is None or is_integer(axis):
        return axis
    if isinstance(axis, list | tuple) and axis and all(map(is_integer, axis)):
        return tuple(axis)
    raise ValueError(
        f"`{owner}`: `axis` must be an integer, a list of integers or None, received {axis!r}."
    )
