"""Metrics of a confusion matrix at given thresholds: counts, precision and recall."""

from collections.abc import Sequence
from dataclasses import field
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from fjax.errors import integer_at_least, is_number
from fjax.losses.preparation import EPSILON, divide_no_nan, expand_weights, prepare_pair
from fjax.metrics.metric import Accumulator, Metric, add, zeros
from fjax.typing import Array, ArrayLike

# What stands for "not among the best k"; as a threshold it lets every other score pass.
_FILTERED = -1e10


def parse_thresholds(owner: str, thresholds: Any) -> Any:
    """Return None, one float, or a tuple of floats.

    Raises:
        ValueError: A threshold is no number from 0 to 1, or there is none.

    >>> parse_thresholds("Precision", [0.2, 2])
    Traceback (most recent call last):
        ...
    ValueError: `Precision`: `thresholds` must be numbers from 0 to 1, received [0.2, 2].
    """
    if thresholds is None:
        return None
    one = is_number(thresholds)
    values = (thresholds,) if one else tuple(np.asarray(thresholds, dtype=object).ravel())
    if not values or not all(is_number(value) and 0 <= value <= 1 for value in values):
        raise ValueError(
            f"`{owner}`: `thresholds` must be numbers from 0 to 1, received {thresholds!r}."
        )
    return float(thresholds) if one else tuple(float(value) for value in values)


def even(thresholds: Sequence[float]) -> bool:
    """Tell whether thresholds divide [0, 1] evenly, both ends among them.

    >>> even([0.0, 0.5, 1.0]), even([0.0, 0.1, 1.0])
    (True, False)
    """
    return len(thresholds) >= 3 and np.allclose(
        thresholds, np.linspace(0.0, 1.0, len(thresholds)), atol=EPSILON
    )


def passed(y_pred: Array, thresholds: Sequence[float]) -> Array:
    """Return how many of sorted even thresholds every prediction is above, by arithmetic alone."""
    return jnp.ceil(jnp.clip(y_pred, 0.0, 1.0) * (len(thresholds) - 1)).astype(jnp.int32)


def chosen_class(
    owner: str, class_id: int | None, y_true: Array, y_pred: Array, weights: Array
) -> tuple[Array, Array, Array]:
    """Return targets, predictions and weights of one class, or all where it is None.

    Raises:
        ValueError: The predictions have no such class.
    """
    if class_id is None:
        return y_true, y_pred, weights
    _check_classes(owner, "class_id", class_id, class_id + 1, y_pred)
    return y_true[..., class_id], y_pred[..., class_id], weights[..., class_id]


def _check_classes(owner: str, argument: str, value: int, least: int, y_pred: Array) -> int:
    classes = y_pred.shape[-1] if y_pred.ndim > 1 else 0
    if classes < least:
        raise ValueError(
            f"`{owner}`: `{argument}` {value} needs predictions of shape (batch, …, classes) with "
            f"at least {least} classes, received {y_pred.shape}."
        )
    return classes


class _Counts(Metric):
    """Base of the metrics that add counts of `_counted` at each threshold."""

    rows_independent = True

    _counted: ClassVar[tuple[str, ...]] = ()

    thresholds: float | Sequence[float] | None = None

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        parsed = parse_thresholds(type(self).__name__, self.thresholds)
        object.__setattr__(self, "thresholds", parsed)

    def init(self, y_true: Any = None, y_pred: Any = None) -> Accumulator:
        """Return zeros for each threshold."""
        return {name: zeros((len(self._thresholds()),)) for name in self._counted}

    def update(
        self,
        accumulator: Accumulator,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> Accumulator:
        """Return the accumulator with a batch added to it."""
        true, pred = prepare_pair(type(self).__name__, y_true, y_pred)
        weights = jnp.ones(true.shape)
        if sample_weight is not None:
            weights = weights * expand_weights(type(self).__name__, sample_weight, true.shape)
        return self._count(accumulator, true, pred, weights)

    def _count(
        self, accumulator: Accumulator, y_true: Array, y_pred: Array, weights: Array
    ) -> Accumulator:
        thresholds = self._thresholds()
        label = y_true.astype(bool).reshape(-1, 1)
        y_pred, weights = y_pred.reshape(-1, 1), weights.reshape(-1, 1)
        if even(thresholds):
            answer = passed(y_pred, thresholds) > jnp.arange(len(thresholds))
        else:
            answer = y_pred > jnp.asarray(thresholds, y_pred.dtype)
        cells = {
            "true_positives": label & answer,
            "false_positives": ~label & answer,
            "true_negatives": ~label & ~answer,
            "false_negatives": label & ~answer,
        }
        sums = {
            name: jnp.sum(jnp.where(cells[name], weights, 0.0), axis=0) for name in self._counted
        }
        return add(accumulator, sums)

    def _thresholds(self) -> tuple[float, ...]:
        given = self.thresholds
        if given is None:
            return (0.5,)
        return tuple(given) if isinstance(given, Sequence) else (given,)

    def _one_or_all(self, values: Array) -> Array:
        return values[0] if len(self._thresholds()) == 1 else values


class _Count(_Counts):
    def result(self, accumulator: Accumulator) -> Array:
        """Return the count, or one for each of several thresholds."""
        return self._one_or_all(jnp.asarray(accumulator[self._counted[0]]))


class TruePositives(_Count):
    """Weight of the labels 1 that were predicted so; as `keras.metrics.TruePositives`.

    Args:
        thresholds: Above which a prediction is 1, one or several from 0 to 1; 0.5 where None.
        name: As in `Metric`.

    Raises:
        ValueError: A threshold is out of its range.

    >>> print(TruePositives()([0, 1, 1], [0.9, 0.9, 0.2]))
    1.0
    """

    _counted = ("true_positives",)
    name: str | None = field(default="true_positives", kw_only=True)


class TrueNegatives(_Count):
    """Weight of the labels 0 that were predicted so; as `keras.metrics.TrueNegatives`.

    Args:
        thresholds: Above which a prediction is 1, one or several from 0 to 1; 0.5 where None.
        name: As in `Metric`.

    Raises:
        ValueError: A threshold is out of its range.

    >>> print(TrueNegatives()([0, 0, 1], [0.1, 0.9, 0.2]))
    1.0
    """

    _counted = ("true_negatives",)
    name: str | None = field(default="true_negatives", kw_only=True)


class FalsePositives(_Count):
    """Weight of the labels 0 that were predicted as 1; as `keras.metrics.FalsePositives`.

    Args:
        thresholds: Above which a prediction is 1, one or several from 0 to 1; 0.5 where None.
        name: As in `Metric`.

    Raises:
        ValueError: A threshold is out of its range.

    >>> print(FalsePositives()([0, 0, 1], [0.1, 0.9, 0.2]))
    1.0
    """

    _counted = ("false_positives",)
    name: str | None = field(default="false_positives", kw_only=True)


class FalseNegatives(_Count):
    """Weight of the labels 1 that were predicted as 0; as `keras.metrics.FalseNegatives`.

    Args:
        thresholds: Above which a prediction is 1, one or several from 0 to 1; 0.5 where None.
        name: As in `Metric`.

    Raises:
        ValueError: A threshold is out of its range.

    >>> print(FalseNegatives()([0, 0, 1], [0.1, 0.9, 0.2]))
    1.0
    """

    _counted = ("false_negatives",)
    name: str | None = field(default="false_negatives", kw_only=True)


class _Ratio(_Counts):
    direction = "up"

    top_k: int | None = None
    class_id: int | None = None

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        if self.top_k is not None:
            integer_at_least(type(self).__name__, "top_k", self.top_k, 1)
        if self.class_id is not None:
            integer_at_least(type(self).__name__, "class_id", self.class_id, 0)

    def _thresholds(self) -> tuple[float, ...]:
        if self.thresholds is None and self.top_k is not None:
            return (_FILTERED,)
        return super()._thresholds()

    def _count(
        self, accumulator: Accumulator, y_true: Array, y_pred: Array, weights: Array
    ) -> Accumulator:
        owner = type(self).__name__
        if self.top_k is not None:
            classes = _check_classes(owner, "top_k", self.top_k, self.top_k, y_pred)
            best = jax.lax.top_k(y_pred, self.top_k)[1]
            among = jnp.any(best[..., None] == jnp.arange(classes), axis=-2)
            y_pred = jnp.where(among, y_pred, _FILTERED)
        y_true, y_pred, weights = chosen_class(owner, self.class_id, y_true, y_pred, weights)
        return super()._count(accumulator, y_true, y_pred, weights)

    def result(self, accumulator: Accumulator) -> Array:
        """Return the ratio, or one for each of several thresholds; 0 where nothing counts."""
        hits, misses = (jnp.asarray(accumulator[name]) for name in self._counted)
        return self._one_or_all(divide_no_nan(hits, hits + misses))


class Precision(_Ratio):
    """Share of the predicted labels 1 that are right; as `keras.metrics.Precision`.

    Args:
        thresholds: Above which a prediction is 1, one or several from 0 to 1; 0.5 where None, and
            none at all where `top_k` is given.
        top_k: Count the best `k` predictions of each row alone.
        class_id: Count the predictions of this class alone.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(Precision()([0, 1, 1, 1], [1, 0, 1, 1]))
    0.6666...
    """

    _counted = ("true_positives", "false_positives")
    name: str | None = field(default="precision", kw_only=True)


class Recall(_Ratio):
    """Share of the labels 1 that were predicted so; as `keras.metrics.Recall`.

    Args:
        thresholds: Above which a prediction is 1, one or several from 0 to 1; 0.5 where None, and
            none at all where `top_k` is given.
        top_k: Count the best `k` predictions of each row alone.
        class_id: Count the predictions of this class alone.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(Recall()([0, 1, 1, 1], [1, 0, 1, 1]))
    0.6666...
    """

    _counted = ("true_positives", "false_negatives")
    name: str | None = field(default="recall", kw_only=True)
