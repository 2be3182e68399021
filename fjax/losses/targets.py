"""Checks of all targets on the host before training; errors name the first wrong row."""

import jax.numpy as jnp
import numpy as np

from fjax.losses.preparation import shape_error
from fjax.typing import Shape


def check_numeric(owner: str, name: str, y_true: np.ndarray) -> None:
    """Raise ValueError unless the targets are numbers or booleans.

    >>> check_numeric("MeanSquaredError", "y", np.array(["cat", "dog"]))
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


def check_same_shape(
    owner: str, name: str, true_shape: Shape, pred_shape: Shape, hint: str = ""
) -> None:
    """Raise ValueError unless targets and predictions of one sample have the same shape.

    The number of samples is not compared. Either shape may have an additional last axis of size 1.

    >>> check_same_shape("MeanSquaredError", "y", (60,), (None, 1))
    """
    true, pred = tuple(true_shape[1:]), tuple(pred_shape[1:])
    if true != pred and (*true, 1) != pred and true != (*pred, 1):
        raise shape_error(owner, name, tuple(true_shape), tuple(pred_shape), hint)


def check_each(owner: str, name: str, y_true: np.ndarray, valid: np.ndarray, rule: str) -> None:
    """Raise ValueError if an element is not valid; the error names its row and value.

    Args:
        owner: The loss that an error names.
        name: What an error calls the targets.
        y_true: The targets.
        valid: A boolean for each element of the targets.
        rule: What is valid, as the end of the error's sentence.

    >>> y = np.array([0.0, 2.0])
    >>> check_each("BinaryCrossentropy", "y", y, y <= 1, "labels from 0 to 1.")
    Traceback (most recent call last):
        ...
    ValueError: `BinaryCrossentropy`: row 1 of y holds 2.0, expected labels from 0 to 1.
    """
    if valid.all():
        return
    index = np.unravel_index(int(np.argmin(valid)), valid.shape)
    raise ValueError(
        f"`{owner}`: row {index[0]} of {name} holds {y_true[index].item()!r}, expected {rule}"
    )


def check_finite(owner: str, name: str, y_true: np.ndarray) -> None:
    """Raise ValueError if a target is NaN or infinite, which would make all weights NaN."""
    if jnp.issubdtype(y_true.dtype, jnp.inexact):
        rule = "finite numbers. Remove such rows, or replace their values."
        check_each(owner, name, y_true, np.isfinite(y_true), rule)


def check_range(
    owner: str, name: str, y_true: np.ndarray, low: float, high: float, rule: str
) -> None:
    """Raise ValueError if an element is NaN or outside `[low, high]`."""
    check_each(owner, name, y_true, (y_true >= low) & (y_true <= high), rule)


def check_integers(owner: str, name: str, y_true: np.ndarray) -> None:
    """Raise ValueError if an element is not an integer, of any dtype."""
    if jnp.issubdtype(y_true.dtype, jnp.floating):
        check_each(owner, name, y_true, y_true == np.floor(y_true), "integers.")
