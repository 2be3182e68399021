"""Intersection over union of predicted and labeled classes."""

import math
from collections.abc import Sequence
from dataclasses import field
from typing import Any, NamedTuple

import jax.numpy as jnp

from fjax.errors import integer_at_least, is_integer, number_between, one_of
from fjax.losses.labels import check_ignore_class
from fjax.losses.preparation import EPSILON, align, check_axis, expand_weights, shape_error
from fjax.metrics.metric import Accumulator, Metric, zeros
from fjax.metrics.variables import AccumulatorVariable
from fjax.typing import Array, ArrayLike


class _Layout(NamedTuple):
    """How targets and predictions of a metric are given; the fields of the classes below."""

    num_classes: int
    target_class_ids: Sequence[int] | None = None
    ignore_class: int | None = None
    sparse_y_true: bool = True
    sparse_y_pred: bool = True
    axis: int = -1


class _IoU(Metric):
    """Base class of these metrics: a confusion matrix, and the mean IoU of some of its classes."""

    direction = "up"

    total_cm = AccumulatorVariable("confusion")

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        owner, layout = type(self).__name__, self._layout()
        integer_at_least(owner, "num_classes", layout.num_classes, 1)
        for argument in ("sparse_y_true", "sparse_y_pred"):
            one_of(owner, argument, getattr(layout, argument), (True, False))
        check_ignore_class(owner, layout.ignore_class)
        check_axis(owner, layout.axis)
        if layout.target_class_ids is not None:
            ids = _check_class_ids(owner, layout.target_class_ids, layout.num_classes)
            object.__setattr__(self, "target_class_ids", ids)

    def _layout(self) -> _Layout:
        attributes = {name: getattr(self, name) for name in _Layout._fields if hasattr(self, name)}
        return _Layout(**attributes)

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is the last one and no class is ignored."""
        layout = self._layout()
        return layout.axis == -1 and layout.ignore_class is None

    def init(self, y_true: Any = None, y_pred: Any = None) -> Accumulator:
        """Return zeros, `(classes, classes)`: the weight of each label and prediction."""
        size = self._layout().num_classes
        return {"confusion": zeros((size, size), self.dtype)}

    def update(
        self,
        accumulator: Accumulator,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> Accumulator:
        """Return the accumulator with a batch added."""
        layout = self._layout()
        true = _class_ids(jnp.asarray(y_true), layout.sparse_y_true, layout.axis)
        pred = _class_ids(jnp.asarray(y_pred), layout.sparse_y_pred, layout.axis)
        true, pred = align(true, pred)
        if true.shape != pred.shape:
            hint = "Set `sparse_y_true` or `sparse_y_pred` to False if it has a class axis."
            raise shape_error(type(self).__name__, "y_true", true.shape, pred.shape, hint)
        size = layout.num_classes
        counted = (true >= 0) & (true < size) & (pred >= 0) & (pred < size)
        if layout.ignore_class is not None:
            counted &= true != layout.ignore_class
        weights = counted.astype(jnp.float32)
        if sample_weight is not None:
            weights = weights * expand_weights(type(self).__name__, sample_weight, true.shape)
        index = jnp.where(counted, true, 0), jnp.where(counted, pred, 0)
        confusion = jnp.asarray(accumulator["confusion"])
        return {"confusion": confusion.at[index].add(weights.astype(confusion.dtype))}

    def result(self, accumulator: Accumulator) -> Array:
        """Return the mean over the classes that were labeled or predicted."""
        confusion = jnp.asarray(accumulator["confusion"])
        intersection = jnp.diagonal(confusion)
        union = jnp.sum(confusion, axis=0) + jnp.sum(confusion, axis=1) - intersection
        ids = self._layout().target_class_ids
        if ids is not None:
            intersection, union = intersection[jnp.asarray(ids)], union[jnp.asarray(ids)]
        is_present = union > 1e-9
        ratios = jnp.where(is_present, intersection / (union + EPSILON), 0.0)
        return jnp.sum(ratios) / (jnp.sum(is_present) + EPSILON)


class IoU(_IoU):
    """Mean intersection over union of some classes, as `keras.metrics.IoU`.

    Classes that do not occur and values that are not classes are left out, as in `MeanIoU`.

    Args:
        num_classes: The number of classes.
        target_class_ids: The classes to measure.
        ignore_class: A label to leave out.
        sparse_y_true: Whether `y_true` holds class ids rather than one-hot rows.
        sparse_y_pred: Whether `y_pred` holds class ids rather than scores of the classes.
        axis: The class axis of one-hot rows and scores.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range, or the shapes differ.

    >>> print(IoU(num_classes=2, target_class_ids=[0])([0, 0, 1, 1], [0, 1, 0, 1]))
    0.3333...
    """

    num_classes: int
    target_class_ids: Sequence[int]
    ignore_class: int | None = None
    sparse_y_true: bool = True
    sparse_y_pred: bool = True
    axis: int = -1
    name: str | None = field(default="io_u", kw_only=True)


class BinaryIoU(_IoU):
    """Intersection over union of class 0, class 1 or both, as `keras.metrics.BinaryIoU`.

    Args:
        target_class_ids: The classes to measure: 0, 1 or both.
        threshold: The threshold from which a prediction is 1; for logits, 0 is probability 0.5.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range, or the shapes differ.

    >>> print(BinaryIoU(threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7]))
    0.3333...
    """

    target_class_ids: Sequence[int] = (0, 1)
    threshold: float = 0.5
    name: str | None = field(default="binary_io_u", kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        number_between(type(self).__name__, "threshold", self.threshold, -math.inf)

    def update(
        self,
        accumulator: Accumulator,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> Accumulator:
        """Return the accumulator with a batch added."""
        predicted = jnp.asarray(y_pred) >= self.threshold
        return super().update(accumulator, y_true, predicted, sample_weight)

    def _layout(self) -> _Layout:
        return _Layout(2, self.target_class_ids)


class MeanIoU(_IoU):
    """Mean intersection over union of all classes, as `keras.metrics.MeanIoU`.

    A class that is neither labeled nor predicted is left out of the mean. Labels and predictions
    that are not classes are left out too. Unlike in Keras, weights are not rounded down.

    Args:
        num_classes: The number of classes.
        ignore_class: A label to leave out.
        sparse_y_true: Whether `y_true` holds class ids rather than one-hot rows.
        sparse_y_pred: Whether `y_pred` holds class ids rather than scores of the classes.
        axis: The class axis of one-hot rows and scores.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range, or the shapes differ.

    >>> print(MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1]))
    0.3333...
    """

    num_classes: int
    ignore_class: int | None = None
    sparse_y_true: bool = True
    sparse_y_pred: bool = True
    axis: int = -1
    name: str | None = field(default="mean_io_u", kw_only=True)


class OneHotIoU(_IoU):
    """`IoU` of one-hot labels, as `keras.metrics.OneHotIoU`.

    Args:
        num_classes: The number of classes.
        target_class_ids: The classes to measure.
        ignore_class: A label to leave out.
        sparse_y_pred: Whether `y_pred` holds class ids rather than scores of the classes.
        axis: The class axis.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range, or the shapes differ.

    >>> metric = OneHotIoU(num_classes=2, target_class_ids=[1])
    >>> print(metric([[1, 0], [0, 1]], [[0.2, 0.8], [0.1, 0.9]]))
    0.4999...
    """

    sparse_y_true = False

    num_classes: int
    target_class_ids: Sequence[int]
    ignore_class: int | None = None
    sparse_y_pred: bool = False
    axis: int = -1
    name: str | None = field(default="one_hot_io_u", kw_only=True)


class OneHotMeanIoU(_IoU):
    """`MeanIoU` of one-hot labels, as `keras.metrics.OneHotMeanIoU`.

    Args:
        num_classes: The number of classes.
        ignore_class: A label to leave out.
        sparse_y_pred: Whether `y_pred` holds class ids rather than scores of the classes.
        axis: The class axis.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range, or the shapes differ.

    >>> print(OneHotMeanIoU(num_classes=2)([[1, 0], [0, 1]], [[0.2, 0.8], [0.1, 0.9]]))
    0.25
    """

    sparse_y_true = False

    num_classes: int
    ignore_class: int | None = None
    sparse_y_pred: bool = False
    axis: int = -1
    name: str | None = field(default="one_hot_mean_io_u", kw_only=True)


def _class_ids(values: Array, sparse: bool, axis: int) -> Array:
    if not sparse:
        values = jnp.argmax(values, axis=axis)
    return values.astype(jnp.int32)


def _check_class_ids(owner: str, ids: Any, num_classes: int) -> tuple[int, ...]:
    is_list = isinstance(ids, list | tuple | range) and len(ids) > 0
    if not is_list or not all(is_integer(item) and 0 <= item < num_classes for item in ids):
        raise ValueError(
            f"`{owner}`: `target_class_ids` must be a list of classes from 0 to "
            f"{num_classes - 1}, received {ids!r}."
        )
    return tuple(int(item) for item in ids)
