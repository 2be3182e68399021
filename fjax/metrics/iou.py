"""Intersection over union of segmentations."""

from dataclasses import field
from typing import Any

import jax.numpy as jnp

from fjax.errors import integer_at_least, one_of
from fjax.losses.crossentropy import check_ignored
from fjax.losses.preparation import EPSILON, align, fit_weights, mismatch
from fjax.losses.regression import check_axis
from fjax.metrics.metric import Accumulator, Metric, zeros
from fjax.typing import Array, ArrayLike


class MeanIoU(Metric):
    """Mean over classes of intersection over union; as `keras.metrics.MeanIoU`.

    A class that is neither labelled nor predicted is left out of the mean; a label or a prediction
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

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        owner = type(self).__name__
        integer_at_least(owner, "num_classes", self.num_classes, 1)
        for argument in ("sparse_y_true", "sparse_y_pred"):
            one_of(owner, argument, getattr(self, argument), (True, False))
        check_ignored(owner, self.ignore_class)
        check_axis(owner, self.axis)

    def init(self, y_true: Any = None, y_pred: Any = None) -> Accumulator:
        """Return zeros: how often each label got each prediction."""
        return {"confusion": zeros((self.num_classes, self.num_classes))}

    def update(
        self,
        accumulator: Accumulator,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> Accumulator:
        """Return the accumulator with a batch added to it."""
        true = self._classes(jnp.asarray(y_true), self.sparse_y_true)
        pred = self._classes(jnp.asarray(y_pred), self.sparse_y_pred)
        true, pred = align(true, pred)
        if true.shape != pred.shape:
            hint = "Set `sparse_y_true` and `sparse_y_pred` to False for what has one axis more."
            raise mismatch(type(self).__name__, "y_true", true.shape, pred.shape, hint)
        counted = (true >= 0) & (true < self.num_classes) & (pred >= 0) & (pred < self.num_classes)
        if self.ignore_class is not None:
            counted &= true != self.ignore_class
        weights = counted.astype(jnp.float32)
        if sample_weight is not None:
            weights = weights * fit_weights(type(self).__name__, sample_weight, true.shape)
        where = jnp.where(counted, true, 0), jnp.where(counted, pred, 0)
        confusion = jnp.asarray(accumulator["confusion"])
        return {"confusion": confusion.at[where].add(weights.astype(confusion.dtype))}

    def result(self, accumulator: Accumulator) -> Array:
        """Return the mean over the classes that came."""
        confusion = jnp.asarray(accumulator["confusion"])
        both = jnp.diagonal(confusion)
        either = jnp.sum(confusion, axis=0) + jnp.sum(confusion, axis=1) - both
        came = either > 1e-9
        ratios = jnp.where(came, both / (either + EPSILON), 0.0)
        return jnp.sum(ratios) / (jnp.sum(came) + EPSILON)

    def _classes(self, values: Array, sparse: bool) -> Array:
        if not sparse:
            values = jnp.argmax(values, axis=self.axis)
        return values.astype(jnp.int32)
