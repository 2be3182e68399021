"""Read class labels: class numbers, a single column, one-hot rows, or probabilities."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def read_classes(owner: str, argument: str, labels: Any) -> np.ndarray:
    """Return labels as one class number per sample.

    Whole numbers are class numbers. Several columns are one-hot rows or probabilities: the class is
    the column with the largest value. One column of other numbers in [0, 1] is the probability of
    class 1.

    Raises:
        ValueError: The labels are none of these.

    >>> read_classes("f", "y", [[0.1, 0.9], [0.8, 0.2]]), read_classes("f", "y", [[0.7], [0.2]])
    (array([1, 0]), array([1, 0]))
    """
    array = np.asarray(labels)
    if array.dtype.kind not in "buif" or array.ndim not in (1, 2) or not array.size:
        raise ValueError(
            f"`{owner}`: `{argument}` must hold class numbers of shape (n,) or (n, 1), or "
            f"probabilities of shape (n, classes), received shape {array.shape} and dtype "
            f"{array.dtype}."
        )
    require_finite(owner, argument, array)
    if array.ndim == 2 and array.shape[1] > 1:
        return array.argmax(axis=1)
    column = array.reshape(-1)
    is_whole = column == np.floor(column)
    if not is_whole.all() and ((column >= 0) & (column <= 1)).all():
        return (column > 0.5).astype(int)
    bad_rows = np.flatnonzero(~is_whole | (column < 0))
    if len(bad_rows):
        row = bad_rows[0]
        raise ValueError(
            f"`{owner}`: `{argument}` must hold class numbers from 0, or probabilities in [0, 1]; "
            f"row {row} holds {column[row]}. Apply `jax.nn.sigmoid` to logits first."
        )
    return column.astype(int)


def require_finite(owner: str, argument: str, array: np.ndarray) -> None:
    """Raise ValueError with the first row of an array that is not finite, if there is one."""
    if not np.isfinite(array).all():
        row = int(np.argwhere(~np.isfinite(array))[0][0])
        raise ValueError(f"`{owner}`: `{argument}` is not finite in row {row}.")


def check_class_names(owner: str, class_names: Any, count: int) -> list[str]:
    """Return the names of the classes, by default their numbers.

    Raises:
        TypeError: `class_names` is not a list.
        ValueError: There are more classes than names.
    """
    if class_names is None:
        return [str(number) for number in range(count)]
    if isinstance(class_names, str) or not isinstance(class_names, Sequence | np.ndarray):
        raise TypeError(
            f"`{owner}`: `class_names` must be a list of names, received {class_names!r}."
        )
    if len(class_names) < count:
        raise ValueError(
            f"`{owner}`: `class_names` has {len(class_names)} names, and the labels go up to "
            f"{count - 1}: name all classes, in the order of their numbers."
        )
    return [str(name) for name in class_names]
