"""Checks of class labels, and their conversion to integers."""

import jax.numpy as jnp
import numpy as np

from fjax.errors import is_integer, number_between, one_of
from fjax.losses import targets
from fjax.losses.preparation import as_floats, shape_error
from fjax.typing import Array, ArrayLike, Shape

ONE_HOT = (
    "Integer class labels belong to `sparse_categorical_crossentropy`; this loss needs one-hot "
    "rows, as `to_categorical` returns them."
)
ONE_LABEL = "Give one integer label for each prediction."


def integer_labels(
    owner: str, y_true: ArrayLike, y_pred: ArrayLike, axis: int
) -> tuple[Array, Array]:
    """Return integer labels in the shape of the predictions without the class axis.

    Args:
        owner: The loss that an error names.
        y_true: Labels, `(batch, …)`, or with size 1 along the class axis.
        y_pred: Predictions, `(batch, …, classes)`.
        axis: The class axis.

    Returns:
        The labels, int32, and the predictions, both as JAX arrays.

    Raises:
        ValueError: The shapes do not fit each other.
    """
    y_true, y_pred = as_floats(y_true, y_pred)
    if y_pred.ndim == 0 or not -y_pred.ndim <= axis < y_pred.ndim:
        raise ValueError(
            f"`{owner}` needs y_pred of shape (batch, …, classes), received {y_pred.shape} with "
            f"axis {axis}."
        )
    if y_true.ndim == y_pred.ndim and y_true.shape[axis] == 1:
        y_true = jnp.squeeze(y_true, axis=axis)
    expected = list(y_pred.shape)
    del expected[axis]
    if y_true.shape != tuple(expected):
        hint = (
            "One-hot rows belong to `categorical_crossentropy`, or take `argmax(axis=-1)`."
            if y_true.shape == y_pred.shape
            else ONE_LABEL
        )
        raise shape_error(owner, "y_true", y_true.shape, y_pred.shape, hint)
    return y_true.astype(jnp.int32), y_pred


def check_smoothing(owner: str, from_logits: bool, label_smoothing: float) -> None:
    """Raise ValueError unless both arguments are in their ranges."""
    one_of(owner, "from_logits", from_logits, (True, False))
    number_between(owner, "label_smoothing", label_smoothing, 0.0, 1.0)


def check_ignore_class(owner: str, ignore_class: int | None) -> None:
    """Raise ValueError unless `ignore_class` is an integer or None."""
    if ignore_class is not None and not is_integer(ignore_class):
        raise ValueError(
            f"`{owner}`: `ignore_class` must be an integer or None, received {ignore_class!r}."
        )


def check_binary(owner: str, y_true: np.ndarray, y_pred_shape: Shape, name: str) -> None:
    """Raise ValueError unless there is one label from 0 to 1 for each output."""
    targets.check_numeric(owner, name, y_true)
    hint = ""
    if y_true.ndim < len(y_pred_shape) or y_true.shape[-1] == 1:
        hint = (
            "Give one column of 0 and 1 for each output. Integer labels of several classes belong "
            "to `sparse_categorical_crossentropy`."
        )
    targets.check_same_shape(owner, name, y_true.shape, y_pred_shape, hint)
    targets.check_range(owner, name, y_true, 0, 1, "labels from 0 to 1.")


def check_categorical(
    owner: str, y_true: np.ndarray, y_pred_shape: Shape, name: str, axis: int
) -> None:
    """Raise ValueError unless there is one finite number for each prediction of a class."""
    targets.check_numeric(owner, name, y_true)
    true_shape, pred_shape = tuple(y_true.shape[1:]), tuple(y_pred_shape[1:])
    _class_count(owner, y_pred_shape, axis)
    if true_shape != pred_shape:
        are_integers = true_shape in (pred_shape[:-1], (*pred_shape[:-1], 1))
        hint = ONE_HOT if are_integers else ""
        raise shape_error(owner, name, y_true.shape, tuple(y_pred_shape), hint)
    targets.check_finite(owner, name, y_true)


def check_sparse(
    owner: str,
    y_true: np.ndarray,
    y_pred_shape: Shape,
    name: str,
    axis: int,
    ignore_class: int | None,
) -> None:
    """Raise ValueError unless every label is an integer below the number of classes."""
    targets.check_numeric(owner, name, y_true)
    classes = _class_count(owner, y_pred_shape, axis)
    true_shape, expected = tuple(y_true.shape[1:]), list(y_pred_shape)
    del expected[axis]
    if true_shape not in (tuple(expected[1:]), (*expected[1:], 1)):
        hint = (
            f"One-hot rows belong to `categorical_crossentropy`, or take `{name}.argmax(axis=-1)`."
            if true_shape == tuple(y_pred_shape[1:])
            else ONE_LABEL
        )
        raise shape_error(owner, name, y_true.shape, tuple(y_pred_shape), hint)
    valid = (y_true >= 0) & (y_true < classes)
    if jnp.issubdtype(y_true.dtype, jnp.floating):
        valid &= y_true == np.floor(y_true)
    if ignore_class is not None:
        valid |= y_true == ignore_class
    rule = (
        f"an integer from 0 to {classes - 1}, as the model has {classes} outputs. Number the "
        f"classes from 0, or give the last layer one unit for each class."
    )
    targets.check_each(owner, name, y_true, valid, rule)


def _class_count(owner: str, y_pred_shape: Shape, axis: int) -> int:
    if len(y_pred_shape) < 2 or not -len(y_pred_shape) <= axis < len(y_pred_shape):
        raise ValueError(
            f"`{owner}` needs predictions of shape (batch, …, classes), received "
            f"{tuple(y_pred_shape)} with axis {axis}. End the model in one unit for each class."
        )
    classes = y_pred_shape[axis]
    if classes == 1:
        raise ValueError(
            f"`{owner}`: an output of one unit always gives its only class probability 1, so the "
            "loss would always be 0. End the model in `Dense(num_classes, activation='softmax')`, "
            "or use `binary_crossentropy`."
        )
    return classes
