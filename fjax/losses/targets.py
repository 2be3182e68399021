"""Checks of targets on the host, before a run: a mistake is named with its first row."""

import jax.numpy as jnp
import numpy as np

from fjax.losses.preparation import mismatch
from fjax.typing import Shape


def numeric(owner: str, name: str, y_true: np.ndarray) -> None:
    """Raise unless the targets are numbers or booleans.

    >>> numeric("MeanSquaredError", "y", np.array(["cat", "dog"]))
    Traceback (most recent call last):
        ...
    ValueError: `MeanSquaredError`: y must hold numbers, received dtype <U3. Encode labels as
    integers, as with `numpy.unique(y, return_inverse=True)[1]`.
    """
    if not (jnp.issubdtype(y_true.dtype, jnp.number) or y_true.dtype == np.bool_):
        raise ValueError(
            f"`{owner}`: {name} must hold numbers, received dtype {y_true.dtype}. Encode labels "
            f"as integers, as with `numpy.unique({name}, return_inverse=True)[1]`."
        )


def same_shape(owner: str, name: str, true_shape: Shape, pred_shape: Shape, hint: str = "") -> None:
    """Raise unless a sample of targets has the shape of one of predictions.

    The number of samples is not compared, and one last axis of size 1 more or less is no matter.

    >>> same_shape("MeanSquaredError", "y", (60,), (None, 1))
    """
    true, pred = tuple(true_shape[1:]), tuple(pred_shape[1:])
    if true != pred and (*true, 1) != pred and true != (*pred, 1):
        raise mismatch(owner, name, tuple(true_shape), tuple(pred_shape), hint)


def every(owner: str, name: str, y_true: np.ndarray, good: np.ndarray, rule: str) -> None:
    """Raise where an element is not good, with its row and value.

    >>> y = np.array([0.0, 2.0])
    >>> every("BinaryCrossentropy", "y", y, y <= 1, "labels from 0 to 1.")
    Traceback (most recent call last):
        ...
    ValueError: `BinaryCrossentropy`: row 1 of y holds 2.0, expected labels from 0 to 1.
    """
    if good.all():
        return
    where = np.unravel_index(int(np.argmin(good)), good.shape)
    raise ValueError(
        f"`{owner}`: row {where[0]} of {name} holds {y_true[where].item()!r}, expected {rule}"
    )


def finite(owner: str, name: str, y_true: np.ndarray) -> None:
    """Raise where a target is NaN or infinite, as one such row makes every weight NaN."""
    if jnp.issubdtype(y_true.dtype, jnp.inexact):
        good = np.isfinite(y_true)
        every(owner, name, y_true, good, "finite numbers. Drop or fill the rows that hold none.")


def within(owner: str, name: str, y_true: np.ndarray, low: float, high: float, rule: str) -> None:
    """Raise where an element lies outside `[low, high]` (a NaN does)."""
    every(owner, name, y_true, (y_true >= low) & (y_true <= high), rule)


def whole(owner: str, name: str, y_true: np.ndarray) -> None:
    """Raise where an element is no whole number (a NaN is none)."""
    if jnp.issubdtype(y_true.dtype, jnp.floating):
        every(owner, name, y_true, y_true == np.floor(y_true), "whole numbers.")
