"""Cross-entropies: negative log likelihoods of labels."""

from dataclasses import field

import jax
import jax.numpy as jnp
import numpy as np

from fjax.errors import is_integer, number_between, one_of
from fjax.losses import targets
from fjax.losses.loss import Loss, PairedLoss
from fjax.losses.preparation import EPSILON, floating, mismatch, pair
from fjax.losses.regression import check_axis
from fjax.typing import Array, ArrayLike, Shape

ONE_HOT = (
    "Integer class labels belong to `sparse_categorical_crossentropy`; this loss takes one-hot "
    "rows, as `to_categorical` makes them."
)
ONE_UNIT = (
    "an output of one unit is always the whole probability, so the loss would always be 0. "
    "End the model in `Dense(num_classes, activation='softmax')`, or use `binary_crossentropy`."
)


def binary_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Negative log likelihood of yes-or-no labels, mean over `axis`.

    As in Keras probabilities are clipped to [1e-7, 1 - 1e-7].

    Args:
        y_true: Labels from 0 to 1, `(batch, …, outputs)`.
        y_pred: Probabilities, or logits, of the same shape.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: How far labels are drawn towards a half, from 0 to 1.
        axis: The axis that the mean is taken over.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(binary_crossentropy([[1.0], [0.0]], [[0.5], [0.0]]))
    [6.931...e-01 1.192...e-07]
    """
    y_true, y_pred = pair("binary_crossentropy", y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return jnp.mean(binary_log_loss(y_true, y_pred, from_logits), axis=axis)


def categorical_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Negative log likelihood of one-hot labels.

    As in Keras probabilities are divided by their sum and clipped to [1e-7, 1 - 1e-7].

    Args:
        y_true: One-hot rows or distributions, `(batch, …, classes)`.
        y_pred: Probabilities, or logits, of the same shape.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: How much of a label is spread over all classes, from 0 to 1.
        axis: The axis of the classes.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]))
    [0.69314...]
    """
    y_true, y_pred = pair("categorical_crossentropy", y_true, y_pred, ONE_HOT)
    if label_smoothing:
        y_true = smoothed(y_true, label_smoothing, axis)
    return -jnp.sum(y_true * _log_probabilities(y_pred, from_logits, axis), axis=axis)


def sparse_categorical_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Array:
    """Negative log likelihood of integer class labels.

    As in Keras probabilities are divided by their sum and clipped to [1e-7, 1 - 1e-7].

    Args:
        y_true: Labels from 0 to `classes - 1`, `(batch, …)` or `(batch, …, 1)`.
        y_pred: Probabilities, or logits, `(batch, …, classes)`.
        from_logits: Whether `y_pred` holds logits.
        ignore_class: A label whose value is 0, whatever was predicted.
        axis: The axis of the classes.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes do not fit each other.

    >>> print(sparse_categorical_crossentropy([1, 0], [[0.5, 0.5], [1.0, 0.0]]))
    [6.931...e-01 1.192...e-07]
    """
    labels, y_pred = integer_labels("sparse_categorical_crossentropy", y_true, y_pred, axis)
    if ignore_class is not None:
        counted = labels != ignore_class
        # Ones in place of what is ignored: no NaN arises there, forwards or backwards.
        y_pred = jnp.where(jnp.expand_dims(counted, axis), y_pred, 1.0)
    log_probabilities = _log_probabilities(y_pred, from_logits, axis)
    along = [1] * y_pred.ndim
    along[axis] = y_pred.shape[axis]
    classes = jnp.arange(y_pred.shape[axis]).reshape(along)
    # A comparison and a sum fuse into one kernel, where a gather and its gradient do not.
    chosen = jnp.where(jnp.expand_dims(labels, axis) == classes, log_probabilities, 0.0)
    losses = -jnp.sum(chosen, axis=axis)
    return losses if ignore_class is None else jnp.where(counted, losses, 0.0)


class BinaryCrossentropy(PairedLoss):
    """The loss of `binary_crossentropy`.

    Args:
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: How far labels are drawn towards a half, from 0 to 1.
        axis: The axis that the mean is taken over.
        reduction: As in `Loss`.
        name: As in `Loss`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(BinaryCrossentropy(from_logits=True)([[1.0]], [[0.0]]))
    0.69314...
    """

    from_logits: bool = False
    label_smoothing: float = 0.0
    axis: int = -1
    name: str | None = field(default="binary_crossentropy", kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        check_smoothing(type(self).__name__, self.from_logits, self.label_smoothing)
        check_axis(type(self).__name__, self.axis)

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is that of the classes, the last."""
        return self.axis == -1

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return `binary_crossentropy`."""
        return binary_crossentropy(
            y_true, y_pred, self.from_logits, self.label_smoothing, self.axis
        )

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str = "y") -> None:
        """Check that there is a label from 0 to 1 for every output."""
        check_binary(type(self).__name__, y_true, y_pred_shape, name)


class CategoricalCrossentropy(PairedLoss):
    """The loss of `categorical_crossentropy`.

    Args:
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: How much of a label is spread over all classes, from 0 to 1.
        axis: The axis of the classes.
        reduction: As in `Loss`.
        name: As in `Loss`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]))
    0.69314...
    """

    from_logits: bool = False
    label_smoothing: float = 0.0
    axis: int = -1
    name: str | None = field(default="categorical_crossentropy", kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        check_smoothing(type(self).__name__, self.from_logits, self.label_smoothing)
        check_axis(type(self).__name__, self.axis)

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is that of the classes, the last."""
        return self.axis == -1

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return `categorical_crossentropy`."""
        return categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.label_smoothing, self.axis
        )

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str = "y") -> None:
        """Check that there is a one-hot row, or a distribution, for every prediction."""
        check_categorical(type(self).__name__, y_true, y_pred_shape, name, self.axis)


class SparseCategoricalCrossentropy(Loss):
    """The loss of `sparse_categorical_crossentropy`.

    A mean is taken over the labels that are not ignored.

    Args:
        from_logits: Whether `y_pred` holds logits.
        ignore_class: A label that counts nowhere.
        axis: The axis of the classes.
        reduction: As in `Loss`.
        name: As in `Loss`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(SparseCategoricalCrossentropy()([1, 1], [[0.5, 0.5], [0.5, 0.5]]))
    0.69314...
    """

    from_logits: bool = False
    ignore_class: int | None = None
    axis: int = -1
    name: str | None = field(default="sparse_categorical_crossentropy", kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        check_smoothing(type(self).__name__, self.from_logits, 0.0)
        check_axis(type(self).__name__, self.axis)
        check_ignored(type(self).__name__, self.ignore_class)

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is the last; ignored classes are counted without weights."""
        return self.axis == -1 and self.ignore_class is None

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return `sparse_categorical_crossentropy`."""
        return sparse_categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.ignore_class, self.axis
        )

    def counted(self, y_true: Array, y_pred: Array) -> Array | None:
        """Return which labels are not ignored."""
        if self.ignore_class is None:
            return None
        labels, _ = integer_labels(self.name or type(self).__name__, y_true, y_pred, self.axis)
        return labels != self.ignore_class

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str = "y") -> None:
        """Check that every label is a whole number below the number of classes."""
        check_labels(type(self).__name__, y_true, y_pred_shape, name, self.axis, self.ignore_class)


def binary_log_loss(y_true: Array, y_pred: Array, from_logits: bool) -> Array:
    """Return the cross-entropy of every element."""
    if from_logits:
        log_yes, log_no = jax.nn.log_sigmoid(y_pred), jax.nn.log_sigmoid(-y_pred)
    else:
        y_pred = jnp.clip(y_pred, EPSILON, 1.0 - EPSILON)
        log_yes, log_no = jnp.log(y_pred), jnp.log(1.0 - y_pred)
    return -(y_true * log_yes + (1.0 - y_true) * log_no)


def normalized(probabilities: Array, axis: int) -> Array:
    """Return probabilities that sum to 1, clipped away from 0 and 1 as Keras clips them."""
    probabilities = probabilities / jnp.sum(probabilities, axis=axis, keepdims=True)
    return jnp.clip(probabilities, EPSILON, 1.0 - EPSILON)


def smoothed(y_true: Array, label_smoothing: float, axis: int) -> Array:
    """Return labels of which a part is spread over all classes."""
    # Keras counts the classes on the last axis whatever `axis` says; then labels sum to no 1.
    return y_true * (1.0 - label_smoothing) + label_smoothing / y_true.shape[axis]


def check_smoothing(owner: str, from_logits: bool, label_smoothing: float) -> None:
    """Raise ValueError unless both arguments are in their range."""
    one_of(owner, "from_logits", from_logits, (True, False))
    number_between(owner, "label_smoothing", label_smoothing, 0.0, 1.0)


def check_ignored(owner: str, ignore_class: int | None) -> None:
    """Raise ValueError unless the class to ignore is an integer or None."""
    if ignore_class is not None and not is_integer(ignore_class):
        raise ValueError(
            f"`{owner}`: `ignore_class` must be an integer or None, received {ignore_class!r}."
        )


def check_binary(owner: str, y_true: np.ndarray, y_pred_shape: Shape, name: str) -> None:
    """Raise ValueError unless there is a label from 0 to 1 for every output."""
    targets.numeric(owner, name, y_true)
    hint = ""
    if y_true.ndim < len(y_pred_shape) or y_true.shape[-1] == 1:
        hint = (
            "Give one column of 0 and 1 for each output; labels of one of several classes belong "
            "to `sparse_categorical_crossentropy`."
        )
    targets.same_shape(owner, name, y_true.shape, y_pred_shape, hint)
    targets.within(owner, name, y_true, 0, 1, "labels from 0 to 1.")


def check_categorical(
    owner: str, y_true: np.ndarray, y_pred_shape: Shape, name: str, axis: int
) -> None:
    """Raise ValueError unless there is a finite row of all classes for every prediction."""
    targets.numeric(owner, name, y_true)
    true, pred = tuple(y_true.shape[1:]), tuple(y_pred_shape[1:])
    _check_classes(owner, y_pred_shape, axis)
    if true != pred:
        labels = true in (pred[:-1], (*pred[:-1], 1))
        raise mismatch(owner, name, y_true.shape, tuple(y_pred_shape), ONE_HOT if labels else "")
    targets.finite(owner, name, y_true)


def check_labels(
    owner: str,
    y_true: np.ndarray,
    y_pred_shape: Shape,
    name: str,
    axis: int,
    ignore_class: int | None,
) -> None:
    """Raise ValueError unless every label is a whole number below the number of classes."""
    targets.numeric(owner, name, y_true)
    classes = _check_classes(owner, y_pred_shape, axis)
    true, pred = tuple(y_true.shape[1:]), list(y_pred_shape)
    del pred[axis]
    if true not in (tuple(pred[1:]), (*pred[1:], 1)):
        one_hot = true == tuple(y_pred_shape[1:])
        raise mismatch(
            owner,
            name,
            y_true.shape,
            tuple(y_pred_shape),
            f"One-hot rows belong to `categorical_crossentropy`, or take `{name}.argmax(axis=-1)`."
            if one_hot
            else "Give one integer label for each prediction.",
        )
    good = (y_true >= 0) & (y_true < classes)
    if jnp.issubdtype(y_true.dtype, jnp.floating):
        good &= y_true == np.floor(y_true)
    if ignore_class is not None:
        good |= y_true == ignore_class
    rule = (
        f"a whole number from 0 to {classes - 1}, as the model has {classes} outputs. Number the "
        f"classes from 0, or give the last layer one unit for each."
    )
    targets.every(owner, name, y_true, good, rule)


def _check_classes(owner: str, y_pred_shape: Shape, axis: int) -> int:
    if len(y_pred_shape) < 2 or not -len(y_pred_shape) <= axis < len(y_pred_shape):
        raise ValueError(
            f"`{owner}` needs predictions of shape (batch, …, classes), received "
            f"{tuple(y_pred_shape)} with axis {axis}. End the model in one unit for each class."
        )
    classes = y_pred_shape[axis]
    if classes == 1:
        raise ValueError(f"`{owner}`: {ONE_UNIT}")
    return classes


def integer_labels(
    name: str, y_true: ArrayLike, y_pred: ArrayLike, axis: int
) -> tuple[Array, Array]:
    """Return integer labels in the shape of the predictions less the class axis."""
    y_true, y_pred = floating(y_true, y_pred)
    if y_pred.ndim == 0 or not -y_pred.ndim <= axis < y_pred.ndim:
        raise ValueError(
            f"`{name}` needs y_pred of shape (batch, …, classes), received {y_pred.shape} with "
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
            else "Give one integer label for each prediction."
        )
        raise mismatch(name, "y_true", y_true.shape, y_pred.shape, hint)
    return y_true.astype(jnp.int32), y_pred


def _log_probabilities(y_pred: Array, from_logits: bool, axis: int) -> Array:
    if from_logits:
        return jax.nn.log_softmax(y_pred, axis=axis)
    return jnp.log(normalized(y_pred, axis))
