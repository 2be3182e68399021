"""Accuracies: the share of predictions that equal the label."""

import math
from dataclasses import field

import jax.numpy as jnp

from fjax.errors import integer_at_least, number_between, one_of
from fjax.losses.preparation import align, prepare_pair, shape_error
from fjax.metrics.reduction import MeanOfValues
from fjax.typing import Array, ArrayLike


def binary_accuracy(y_true: ArrayLike, y_pred: ArrayLike, threshold: float = 0.5) -> Array:
    """1 where `y_pred > threshold` equals the label, 0 elsewhere.

    Args:
        y_true: Labels 0 and 1, `(batch, …)`.
        y_pred: Probabilities of the same shape.
        threshold: The threshold above which a prediction is 1.

    Returns:
        One value per element.

    Raises:
        ValueError: The shapes differ.

    >>> print(binary_accuracy([[1.0], [0.0]], [[0.9], [0.6]]))
    [[1.] [0.]]
    """
    y_true, y_pred = prepare_pair("binary_accuracy", y_true, y_pred)
    return _matches(y_true, y_pred > threshold)


def categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """1 where the largest prediction is the label's, 0 elsewhere.

    Args:
        y_true: One-hot labels, `(batch, …, classes)`.
        y_pred: Probabilities, or logits, of the same shape.

    Returns:
        One value per row, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(categorical_accuracy([[0.0, 1.0], [1.0, 0.0]], [[0.1, 0.9], [0.2, 0.8]]))
    [1. 0.]
    """
    y_true, y_pred = prepare_pair("categorical_accuracy", y_true, y_pred, _ONE_HOT)
    return _matches(jnp.argmax(y_true, axis=-1), jnp.argmax(y_pred, axis=-1))


def sparse_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """1 where the largest prediction is the label's, 0 elsewhere.

    Args:
        y_true: Integer labels, `(batch, …)` or `(batch, …, 1)`.
        y_pred: Probabilities, or logits, `(batch, …, classes)`.

    Returns:
        One value per row, `(batch, …)`.

    Raises:
        ValueError: The shapes do not fit each other.

    >>> print(sparse_categorical_accuracy([1, 0], [[0.1, 0.9], [0.2, 0.8]]))
    [1. 0.]
    """
    y_true, y_pred = _prepare_sparse("sparse_categorical_accuracy", y_true, y_pred)
    return _matches(y_true.reshape(y_pred.shape[:-1]), jnp.argmax(y_pred, axis=-1))


def top_k_categorical_accuracy(y_true: ArrayLike, y_pred: ArrayLike, k: int = 5) -> Array:
    """1 where fewer than `k` predictions are larger than the label's, 0 elsewhere.

    Args:
        y_true: One-hot labels, `(batch, …, classes)`.
        y_pred: Probabilities, or logits, of the same shape.
        k: How many of the largest predictions to look at.

    Returns:
        One value per row, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(top_k_categorical_accuracy([[0.0, 1.0, 0.0]], [[0.6, 0.3, 0.1]], k=2))
    [1.]
    """
    y_true, y_pred = prepare_pair("top_k_categorical_accuracy", y_true, y_pred, _ONE_HOT)
    return _in_top_k(jnp.argmax(y_true, axis=-1), y_pred, k)


def sparse_top_k_categorical_accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, k: int = 5, from_sorted_ids: bool = False
) -> Array:
    """1 where fewer than `k` predictions are larger than the label's, 0 elsewhere.

    Args:
        y_true: Integer labels, `(batch, …)` or `(batch, …, 1)`.
        y_pred: Probabilities, or logits, `(batch, …, classes)`.
        k: How many of the largest predictions to look at.
        from_sorted_ids: Whether `y_pred` holds class ids, best first.

    Returns:
        One value per label, in the shape of the labels.

    Raises:
        ValueError: The shapes do not fit each other.

    >>> print(sparse_top_k_categorical_accuracy([1, 2], [[0.6, 0.3, 0.1], [0.6, 0.3, 0.1]], k=2))
    [1. 0.]
    """
    y_true, y_pred = _prepare_sparse("sparse_top_k_categorical_accuracy", y_true, y_pred)
    labels = y_true.reshape(y_pred.shape[:-1])
    if from_sorted_ids:
        matches = jnp.any(labels[..., None] == y_pred[..., :k], axis=-1).astype(jnp.float32)
    else:
        matches = _in_top_k(labels.astype(jnp.int32), y_pred, k)
    return matches.reshape(y_true.shape)


class Accuracy(MeanOfValues):
    """The share of predictions that equal their target, as `keras.metrics.Accuracy`.

    In `compile(metrics=…)` the string "accuracy" means a binary or categorical accuracy instead,
    depending on the shapes.

    >>> print(Accuracy()([1, 2, 3], [1, 2, 4]))
    0.666...
    """

    rows_independent = True

    direction = "up"

    name: str | None = "accuracy"

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return 1 where prediction and target are equal, 0 elsewhere."""
        true, pred = align(jnp.asarray(y_true), jnp.asarray(y_pred))
        if true.shape != pred.shape:
            raise shape_error(type(self).__name__, "y_true", true.shape, pred.shape, "")
        return _matches(true, pred)


class BinaryAccuracy(MeanOfValues):
    """The share of labels equal to `y_pred > threshold`, as `keras.metrics.BinaryAccuracy`.

    Args:
        name: As in `Metric`.
        threshold: The threshold above which a prediction is 1; for logits, 0 is probability 0.5.

    Raises:
        ValueError: The threshold is not a number.

    >>> print(BinaryAccuracy()([[1], [0]], [[0.9], [0.6]]))
    0.5
    """

    rows_independent = True

    direction = "up"

    name: str | None = "binary_accuracy"
    threshold: float = 0.5

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        number_between(type(self).__name__, "threshold", self.threshold, -math.inf)

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return `binary_accuracy`."""
        return binary_accuracy(y_true, y_pred, self.threshold)


class CategoricalAccuracy(MeanOfValues):
    """How often the largest prediction is the label's, as `keras.metrics.CategoricalAccuracy`.

    >>> print(CategoricalAccuracy()([[0, 1], [1, 0]], [[0.1, 0.9], [0.2, 0.8]]))
    0.5
    """

    rows_independent = True

    direction = "up"

    name: str | None = "categorical_accuracy"

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return `categorical_accuracy`."""
        return categorical_accuracy(y_true, y_pred)


class SparseCategoricalAccuracy(MeanOfValues):
    """How often the largest prediction is the label's, for integer labels.

    As `keras.metrics.SparseCategoricalAccuracy`.

    >>> print(SparseCategoricalAccuracy()([1, 0], [[0.1, 0.9], [0.2, 0.8]]))
    0.5
    """

    rows_independent = True

    direction = "up"

    name: str | None = "sparse_categorical_accuracy"

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return `sparse_categorical_accuracy`."""
        return sparse_categorical_accuracy(y_true, y_pred)


class TopKCategoricalAccuracy(MeanOfValues):
    """How often the label is among the `k` largest predictions, for one-hot labels.

    As `keras.metrics.TopKCategoricalAccuracy`.

    Args:
        k: How many of the largest predictions to look at, at least 1.
        name: As in `Metric`.

    Raises:
        ValueError: `k` is not an integer of at least 1.

    >>> print(TopKCategoricalAccuracy(2)([[0, 1, 0]], [[0.6, 0.3, 0.1]]))
    1.0
    """

    rows_independent = True

    direction = "up"

    k: int = 5
    name: str | None = field(default="top_k_categorical_accuracy", kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        integer_at_least(type(self).__name__, "k", self.k, 1)

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return `top_k_categorical_accuracy`."""
        return top_k_categorical_accuracy(y_true, y_pred, self.k)


class SparseTopKCategoricalAccuracy(MeanOfValues):
    """How often the label is among the `k` largest predictions, for integer labels.

    As `keras.metrics.SparseTopKCategoricalAccuracy`.

    Args:
        k: How many of the largest predictions to look at, at least 1.
        from_sorted_ids: Whether `y_pred` holds class ids, best first.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(SparseTopKCategoricalAccuracy(k=2)([1], [[0.6, 0.3, 0.1]]))
    1.0
    """

    rows_independent = True

    direction = "up"

    k: int = 5
    from_sorted_ids: bool = False
    name: str | None = field(default="sparse_top_k_categorical_accuracy", kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        integer_at_least(type(self).__name__, "k", self.k, 1)
        one_of(type(self).__name__, "from_sorted_ids", self.from_sorted_ids, (True, False))

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return `sparse_top_k_categorical_accuracy`."""
        return sparse_top_k_categorical_accuracy(y_true, y_pred, self.k, self.from_sorted_ids)


_ONE_HOT = (
    "Integer class labels belong to the sparse metric of the same name; this one needs one-hot "
    "rows, as `to_categorical` returns them."
)


def _matches(y_true: Array, y_pred: Array) -> Array:
    return jnp.equal(y_true, y_pred).astype(jnp.float32)


def _prepare_sparse(owner: str, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[Array, Array]:
    y_true, y_pred = jnp.asarray(y_true), jnp.asarray(y_pred)
    rows = y_pred.shape[:-1]
    if y_pred.ndim == 0 or y_true.shape not in (rows, (*rows, 1)):
        hint = (
            "One-hot rows belong to the metric of the same name without `sparse`."
            if y_true.shape == y_pred.shape
            else "Give one integer label for each row of predictions."
        )
        raise shape_error(owner, "y_true", y_true.shape, y_pred.shape, hint)
    return y_true, y_pred


def _in_top_k(labels: Array, y_pred: Array, k: int) -> Array:
    label_scores = jnp.take_along_axis(y_pred, labels[..., None], axis=-1)
    # As in Keras, NaN is the smallest score.
    label_scores = jnp.where(jnp.isnan(label_scores), -jnp.inf, label_scores)
    return (jnp.sum(y_pred > label_scores, axis=-1) < k).astype(jnp.float32)
