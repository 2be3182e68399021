"""Cross-entropies, divergences and hinge losses as metrics: means over all batches."""

import jax.numpy as jnp

from fjax.losses.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from fjax.losses.divergence import kl_divergence, poisson
from fjax.losses.labels import check_ignore_class, check_smoothing
from fjax.losses.margins import categorical_hinge, hinge, squared_hinge
from fjax.losses.preparation import check_axis, expand_weights
from fjax.metrics.metric import Accumulator
from fjax.metrics.reduction import MeanOfValues
from fjax.typing import Array, ArrayLike


class KLDivergence(MeanOfValues):
    """Mean Kullback-Leibler divergence, as `keras.metrics.KLDivergence`.

    >>> print(KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]]))
    0.0
    """

    rows_independent = True

    direction = "down"

    name: str | None = "kl_divergence"

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return `kl_divergence`."""
        return kl_divergence(y_true, y_pred)


class Poisson(MeanOfValues):
    """Mean negative log-likelihood of counts, as `keras.metrics.Poisson`.

    >>> print(Poisson()([[0.0]], [[1.0]]))
    1.0
    """

    rows_independent = True

    direction = "down"

    name: str | None = "poisson"

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return `poisson`."""
        return poisson(y_true, y_pred)


class Hinge(MeanOfValues):
    """Mean hinge loss, as `keras.metrics.Hinge`.

    >>> print(Hinge()([[-1.0], [1.0]], [[-3.0], [0.5]]))
    0.25
    """

    rows_independent = True

    direction = "down"

    name: str | None = "hinge"

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return `hinge`."""
        return hinge(y_true, y_pred)


class SquaredHinge(MeanOfValues):
    """Mean squared hinge loss, as `keras.metrics.SquaredHinge`.

    >>> print(SquaredHinge()([[-1.0], [1.0]], [[-3.0], [0.5]]))
    0.125
    """

    rows_independent = True

    direction = "down"

    name: str | None = "squared_hinge"

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return `squared_hinge`."""
        return squared_hinge(y_true, y_pred)


class CategoricalHinge(MeanOfValues):
    """Mean categorical hinge loss, as `keras.metrics.CategoricalHinge`.

    >>> print(CategoricalHinge()([[0.0, 1.0]], [[0.25, 0.5]]))
    0.75
    """

    rows_independent = True

    direction = "down"

    name: str | None = "categorical_hinge"

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return `categorical_hinge`."""
        return categorical_hinge(y_true, y_pred)


class BinaryCrossentropy(MeanOfValues):
    """Mean cross-entropy of binary labels, as `keras.metrics.BinaryCrossentropy`.

    Args:
        name: As in `Metric`.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: How far labels are moved toward 0.5, from 0 to 1.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(BinaryCrossentropy()([[1]], [[0.5]]))
    0.69314...
    """

    rows_independent = True

    direction = "down"

    name: str | None = "binary_crossentropy"
    from_logits: bool = False
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        check_smoothing(type(self).__name__, self.from_logits, self.label_smoothing)

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return `binary_crossentropy`."""
        return binary_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing)


class CategoricalCrossentropy(MeanOfValues):
    """Mean cross-entropy of one-hot labels, as `keras.metrics.CategoricalCrossentropy`.

    Args:
        name: As in `Metric`.
        from_logits: Whether `y_pred` holds logits.
        label_smoothing: The part of a label that is spread evenly over all classes, from 0 to 1.
        axis: The axis of the classes.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(CategoricalCrossentropy()([[0, 1]], [[0.5, 0.5]]))
    0.69314...
    """

    direction = "down"

    name: str | None = "categorical_crossentropy"
    from_logits: bool = False
    label_smoothing: float = 0.0
    axis: int = -1

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        check_smoothing(type(self).__name__, self.from_logits, self.label_smoothing)
        check_axis(type(self).__name__, self.axis)

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is the last one."""
        return self.axis == -1

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return `categorical_crossentropy`."""
        return categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.label_smoothing, self.axis
        )


class SparseCategoricalCrossentropy(MeanOfValues):
    """Mean cross-entropy of integer labels, as `keras.metrics.SparseCategoricalCrossentropy`.

    As in Keras, ignored labels are left out of the mean if there are sample weights; without
    weights they count as losses of 0.

    Args:
        name: As in `Metric`.
        from_logits: Whether `y_pred` holds logits.
        ignore_class: A label whose loss is 0 for any prediction.
        axis: The axis of the classes.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]))
    0.69314...
    """

    direction = "down"

    name: str | None = "sparse_categorical_crossentropy"
    from_logits: bool = False
    ignore_class: int | None = None
    axis: int = -1

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        check_smoothing(type(self).__name__, self.from_logits, 0.0)
        check_ignore_class(type(self).__name__, self.ignore_class)
        check_axis(type(self).__name__, self.axis)

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is the last one and no class is ignored."""
        return self.axis == -1 and self.ignore_class is None

    def values(self, y_true: ArrayLike, y_pred: ArrayLike) -> Array:
        """Return `sparse_categorical_crossentropy`."""
        return sparse_categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.ignore_class, self.axis
        )

    def update(
        self,
        accumulator: Accumulator,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> Accumulator:
        """Return the accumulator with a batch added."""
        values = self.values(y_true, y_pred)
        if sample_weight is not None and self.ignore_class is not None:
            counted = (jnp.asarray(y_true) != self.ignore_class).reshape(values.shape)
            sample_weight = counted * expand_weights(
                type(self).__name__, sample_weight, values.shape
            )
        return self._add(accumulator, values, sample_weight)
