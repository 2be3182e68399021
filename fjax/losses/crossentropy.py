"""Cross-entropies: negative log-likelihoods of labels."""

from dataclasses import field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.losses.labels import (
    ONE_HOT,
    check_binary,
    check_categorical,
    check_ignore_class,
    check_smoothing,
    check_sparse,
    integer_labels,
)
from fjax.losses.loss import NamedLoss, PairedLoss
from fjax.losses.preparation import EPSILON, check_axis, prepare_pair
from fjax.typing import Array, ArrayLike, Shape


def binary_crossentropy(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """Negative log-likelihood of binary labels, mean over `axis`.

    As in Keras, probabilities are clipped to [1e-7, 1 - 1e-7].

    Args:
        y_true: Labels from 0 to 1, `(batch, …, outputs)`.
        y_pred: Probabilities, or logits, of the same shape.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: How far labels are moved toward 0.5, from 0 to 1.
        axis: The axis over which the mean is taken.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(binary_crossentropy([[1.0], [0.0]], [[0.5], [0.0]]))
    [6.931...e-01 1.192...e-07]
    """
    y_true, y_pred = prepare_pair("binary_crossentropy", y_true, y_pred)
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
    """Negative log-likelihood of one-hot labels.

    As in Keras, probabilities are divided by their sum and clipped to [1e-7, 1 - 1e-7].

    Args:
        y_true: One-hot rows or distributions, `(batch, …, classes)`.
        y_pred: Probabilities, or logits, of the same shape.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: The part of a label that is spread evenly over all classes, from 0 to 1.
        axis: The axis of the classes.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]))
    [0.69314...]
    """
    y_true, y_pred = prepare_pair("categorical_crossentropy", y_true, y_pred, ONE_HOT)
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
    """Negative log-likelihood of integer class labels.

    As in Keras, probabilities are divided by their sum and clipped to [1e-7, 1 - 1e-7].

    Args:
        y_true: Labels from 0 to `classes - 1`, `(batch, …)` or `(batch, …, 1)`.
        y_pred: Probabilities, or logits, `(batch, …, classes)`.
        from_logits: Whether `y_pred` holds logits.
        ignore_class: A label whose loss is 0 for any prediction.
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
        # Ones in place of ignored predictions keep values and gradients free of NaN.
        y_pred = jnp.where(jnp.expand_dims(counted, axis), y_pred, 1.0)
    log_probabilities = _log_probabilities(y_pred, from_logits, axis)
    class_shape = [1] * y_pred.ndim
    class_shape[axis] = y_pred.shape[axis]
    classes = jnp.arange(y_pred.shape[axis]).reshape(class_shape)
    # XLA fuses a comparison and a sum into one kernel, but not a gather and its gradient.
    of_labels = jnp.where(jnp.expand_dims(labels, axis) == classes, log_probabilities, 0.0)
    losses = -jnp.sum(of_labels, axis=axis)
    return losses if ignore_class is None else jnp.where(counted, losses, 0.0)


class CrossentropyLoss(NamedLoss):
    """Base class of the cross-entropies, which have the fields `from_logits` and `axis`."""

    def __post_init__(self: Any) -> None:
        """Check the arguments."""
        super().__post_init__()
        smoothing = getattr(self, "label_smoothing", 0.0)
        check_smoothing(type(self).__name__, self.from_logits, smoothing)
        check_axis(type(self).__name__, self.axis)

    @property
    def rows_independent(self: Any) -> bool:
        """Whether the axis is the last one."""
        return bool(self.axis == -1)


class BinaryLoss(CrossentropyLoss, PairedLoss):
    """Base class of the cross-entropies of binary labels."""

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str = "y") -> None:
        """Check that there is a label from 0 to 1 for every output."""
        check_binary(type(self).__name__, y_true, y_pred_shape, name)


class CategoricalLoss(CrossentropyLoss, PairedLoss):
    """Base class of the cross-entropies of one-hot labels."""

    def check_targets(self: Any, y_true: np.ndarray, y_pred_shape: Shape, name: str = "y") -> None:
        """Check that there is a one-hot row, or a distribution, for every prediction."""
        check_categorical(type(self).__name__, y_true, y_pred_shape, name, self.axis)


class BinaryCrossentropy(BinaryLoss):
    """The loss of `binary_crossentropy`.

    Args:
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: How far labels are moved toward 0.5, from 0 to 1.
        axis: The axis over which the mean is taken.
        reduction: As in `Loss`.
        name: As in `Loss`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(BinaryCrossentropy(from_logits=True)([[1.0]], [[0.0]]))
    0.69314...
    """

    function = staticmethod(binary_crossentropy)

    from_logits: bool = False
    label_smoothing: float = 0.0
    axis: int = -1
    name: str | None = field(default="binary_crossentropy", kw_only=True)


class CategoricalCrossentropy(CategoricalLoss):
    """The loss of `categorical_crossentropy`.

    Args:
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: The part of a label that is spread evenly over all classes, from 0 to 1.
        axis: The axis of the classes.
        reduction: As in `Loss`.
        name: As in `Loss`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]))
    0.69314...
    """

    function = staticmethod(categorical_crossentropy)

    from_logits: bool = False
    label_smoothing: float = 0.0
    axis: int = -1
    name: str | None = field(default="categorical_crossentropy", kw_only=True)


class SparseCategoricalCrossentropy(CrossentropyLoss):
    """The loss of `sparse_categorical_crossentropy`.

    The mean is taken over the labels that are not ignored.

    Args:
        from_logits: Whether `y_pred` holds logits.
        ignore_class: A label to leave out.
        axis: The axis of the classes.
        reduction: As in `Loss`.
        name: As in `Loss`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(SparseCategoricalCrossentropy()([1, 1], [[0.5, 0.5], [0.5, 0.5]]))
    0.69314...
    """

    function = staticmethod(sparse_categorical_crossentropy)

    from_logits: bool = False
    ignore_class: int | None = None
    axis: int = -1
    name: str | None = field(default="sparse_categorical_crossentropy", kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        check_ignore_class(type(self).__name__, self.ignore_class)

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is the last one and no class is ignored."""
        return self.axis == -1 and self.ignore_class is None

    def counted(self, y_true: Array, y_pred: Array) -> Array | None:
        """Return which labels are not ignored, or None if none can be."""
        if self.ignore_class is None:
            return None
        labels, _ = integer_labels(self.name or type(self).__name__, y_true, y_pred, self.axis)
        return labels != self.ignore_class

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str = "y") -> None:
        """Check that every label is an integer below the number of classes."""
        check_sparse(type(self).__name__, y_true, y_pred_shape, name, self.axis, self.ignore_class)


def binary_log_loss(y_true: Array, y_pred: Array, from_logits: bool) -> Array:
    """Return the cross-entropy of each element."""
    if from_logits:
        log_p, log_not_p = jax.nn.log_sigmoid(y_pred), jax.nn.log_sigmoid(-y_pred)
    else:
        y_pred = jnp.clip(y_pred, EPSILON, 1.0 - EPSILON)
        log_p, log_not_p = jnp.log(y_pred), jnp.log(1.0 - y_pred)
    return -(y_true * log_p + (1.0 - y_true) * log_not_p)


def normalized(probabilities: Array, axis: int) -> Array:
    """Return probabilities divided by their sum, clipped to [1e-7, 1 - 1e-7] as in Keras."""
    probabilities = probabilities / jnp.sum(probabilities, axis=axis, keepdims=True)
    return jnp.clip(probabilities, EPSILON, 1.0 - EPSILON)


def smoothed(y_true: Array, label_smoothing: float, axis: int) -> Array:
    """Return labels of which a part is spread evenly over all classes."""
    # Keras counts the classes on the last axis even if `axis` is another one, and then its labels
    # do not sum to 1.
    return y_true * (1.0 - label_smoothing) + label_smoothing / y_true.shape[axis]


def _log_probabilities(y_pred: Array, from_logits: bool, axis: int) -> Array:
    if from_logits:
        return jax.nn.log_softmax(y_pred, axis=axis)
    return jnp.log(normalized(y_pred, axis))
