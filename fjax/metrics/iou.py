"""Intersection over union of segmentations."""

import math
from collections.abc import Sequence
from dataclasses import field
from typing import Any, NamedTuple

import jax.numpy as jnp

from fjax.errors import integer_at_least, is_integer, number_between, one_of
from fjax.losses.labels import check_ignore_class
from fjax.losses.preparation import EPSILON, align, check_axis, expand_weights, shape_error
from fjax.metrics.metric import Accumulator, Metric, zeros
from fjax.typing import Array, ArrayLike


class _Layout(NamedTuple):
    num_classes: int
    targets: Sequence[int] | None = None
    ignore_class: int | None = None
    sparse_y_true: bool = True
    sparse_y_pred: bool = True
    axis: int = -1


class _IoU(Metric):
    """Base of these metrics: a confusion matrix, and what is read from it."""

    direction = "up"

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        owner, layout = type(self).__name__, self._layout()
        integer_at_least(owner, "num_classes", layout.num_classes, 1)
        for argument in ("sparse_y_true", "sparse_y_pred"):
            one_of(owner, argument, getattr(layout, argument), (True, False))
        check_ignore_class(owner, layout.ignore_class)
        check_axis(owner, layout.axis)
        if layout.targets is not None:
            targets = _class_ids(owner, layout.targets, layout.num_classes)
            object.__setattr__(self, "target_class_ids", targets)

    def _layout(self) -> _Layout:
        raise NotImplementedError

    def init(self, y_true: Any = None, y_pred: Any = None) -> Accumulator:
        """Return zeros: how often each label got each prediction."""
        size = self._layout().num_classes
        return {"confusion": zeros((size, size))}

    def update(
        self,
        accumulator: Accumulator,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> Accumulator:
        """Return the accumulator with a batch added to it."""
        layout = self._layout()
        true = _classes(jnp.asarray(y_true), layout.sparse_y_true, layout.axis)
        pred = _classes(jnp.asarray(y_pred), layout.sparse_y_pred, layout.axis)
        true, pred = align(true, pred)
        if true.shape != pred.shape:
            hint = "Set `sparse_y_true` and `sparse_y_pred` to False for what has one axis more."
            raise shape_error(type(self).__name__, "y_true", true.shape, pred.shape, hint)
        size = layout.num_classes
        counted = (true >= 0) & (true < size) & (pred >= 0) & (pred < size)
        if layout.ignore_class is not None:
            counted &= true != layout.ignore_class
        weights = counted.astype(jnp.float32)
        if sample_weight is not None:
            weights = weights * expand_weights(type(self).__name__, sample_weight, true.shape)
        where = jnp.where(counted, true, 0), jnp.where(counted, pred, 0)
        confusion = jnp.asarray(accumulator["confusion"])
        return {"confusion": confusion.at[where].add(weights.astype(confusion.dtype))}

    def result(self, accumulator: Accumulator) -> Array:
        """Return the mean over the classes that came."""
        confusion = jnp.asarray(accumulator["confusion"])
        both = jnp.diagonal(confusion)
        either = jnp.sum(confusion, axis=0) + jnp.sum(confusion, axis=1) - both
        targets = self._layout().targets
        if targets is not None:
            both, either = both[jnp.asarray(targets)], either[jnp.asarray(targets)]
        came = either > 1e-9
        ratios = jnp.where(came, both / (either + EPSILON), 0.0)
        return jnp.sum(ratios) / (jnp.sum(came) + EPSILON)


class IoU(_IoU):
    """Intersection over union, mean over some of the classes; as `keras.metrics.IoU`.

    What is not labeled, not predicted or no class is treated as in `MeanIoU`.

    Args:
        num_classes: How many classes, at least 1.
        target_class_ids: The classes to measure.
        ignore_class: A label that counts nowhere.
        sparse_y_true: Whether `y_true` holds class ids; one-hot rows otherwise.
        sparse_y_pred: Whether `y_pred` holds class ids; scores of the classes otherwise.
        axis: The axis of the classes of what is not sparse.
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

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is the last one and no class is ignored."""
        return self.axis == -1 and self.ignore_class is None

    def _layout(self) -> _Layout:
        return _Layout(
            self.num_classes,
            self.target_class_ids,
            self.ignore_class,
            self.sparse_y_true,
            self.sparse_y_pred,
            self.axis,
        )


class BinaryIoU(_IoU):
    """Intersection over union of class 0, class 1 or both; as `keras.metrics.BinaryIoU`.

    Args:
        target_class_ids: The classes to measure, of 0 and 1.
        threshold: From it on the answer is 1; of logits 0 is the half.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range, or the shapes differ.

    >>> print(BinaryIoU(threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7]))
    0.3333...
    """

    rows_independent = True

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
        """Return the accumulator with a batch added to it."""
        answers = jnp.asarray(y_pred) >= self.threshold
        return super().update(accumulator, y_true, answers, sample_weight)

    def _layout(self) -> _Layout:
        return _Layout(2, self.target_class_ids)


class MeanIoU(_IoU):
    """Mean over classes of intersection over union; as `keras.metrics.MeanIoU`.

    A class that is neither labeled nor predicted is left out of the mean; a label or a prediction
    that is no class counts nowhere. Weights count as they are, where Keras rounds them down.

    Args:
        num_classes: How many classes, at least 1.
        ignore_class: A label that counts nowhere.
        sparse_y_true: Whether `y_true` holds class ids; one-hot rows otherwise.
        sparse_y_pred: Whether `y_pred` holds class ids; scores of the classes otherwise.
        axis: The axis of the classes of what is not sparse.
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

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is the last one and no class is ignored."""
        return self.axis == -1 and self.ignore_class is None

    def _layout(self) -> _Layout:
        return _Layout(
            self.num_classes,
            None,
            self.ignore_class,
            self.sparse_y_true,
            self.sparse_y_pred,
            self.axis,
        )


class OneHotIoU(_IoU):
    """`IoU` of one-hot labels; as `keras.metrics.OneHotIoU`.

    Args:
        num_classes: How many classes, at least 1.
        target_class_ids: The classes to measure.
        ignore_class: A label that counts nowhere.
        sparse_y_pred: Whether `y_pred` holds class ids; scores of the classes otherwise.
        axis: The axis of the classes.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range, or the shapes differ.

    >>> metric = OneHotIoU(num_classes=2, target_class_ids=[1])
    >>> print(metric([[1, 0], [0, 1]], [[0.2, 0.8], [0.1, 0.9]]))
    0.4999...
    """

    num_classes: int
    target_class_ids: Sequence[int]
    ignore_class: int | None = None
    sparse_y_pred: bool = False
    axis: int = -1
    name: str | None = field(default="one_hot_io_u", kw_only=True)

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is the last one and no class is ignored."""
        return self.axis == -1 and self.ignore_class is None

    def _layout(self) -> _Layout:
        return _Layout(
            self.num_classes,
            self.target_class_ids,
            self.ignore_class,
            False,
            self.sparse_y_pred,
            self.axis,
        )


class OneHotMeanIoU(_IoU):
    """`MeanIoU` of one-hot labels; as `keras.metrics.OneHotMeanIoU`.

    Args:
        num_classes: How many classes, at least 1.
        ignore_class: A label that counts nowhere.
        sparse_y_pred: Whether `y_pred` holds class ids; scores of the classes otherwise.
        axis: The axis of the classes.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range, or the shapes differ.

    >>> print(OneHotMeanIoU(num_classes=2)([[1, 0], [0, 1]], [[0.2, 0.8], [0.1, 0.9]]))
    0.25
    """

    num_classes: int
    ignore_class: int | None = None
    sparse_y_pred: bool = False
    axis: int = -1
    name: str | None = field(default="one_hot_mean_io_u", kw_only=True)

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is the last one and no class is ignored."""
        return self.axis == -1 and self.ignore_class is None

    def _layout(self) -> _Layout:
        return _Layout(
            self.num_classes, None, self.ignore_class, False, self.sparse_y_pred, self.axis
        )


def _classes(values: Array, sparse: bool, axis: int) -> Array:
    if not sparse:
        values = jnp.argmax(values, axis=axis)
    return values.astype(jnp.int32)


def _class_ids(owner: str, ids: Any, num_classes: int) -> tuple[int, ...]:
    valid = isinstance(ids, list | tuple | range) and len(ids) > 0
    if not valid or not all(is_integer(one) and 0 <= one < num_classes for one in ids):
        raise ValueError(
            f"`{owner}`: `target_class_ids` must be a list of classes from 0 to "
            f"{num_classes - 1}, received {ids!r}."
        )
    return tuple(int(one) for one in ids)
