"""Area under a curve over thresholds."""

from collections.abc import Sequence
from dataclasses import field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.errors import integer_at_least, is_number, one_of
from fjax.losses.preparation import EPSILON, divide_no_nan, expand_weights, prepare_pair
from fjax.metrics.confusion import even, parse_thresholds, passed
from fjax.metrics.metric import Accumulator, Metric, outputs, zeros
from fjax.typing import Array, ArrayLike


class AUC(Metric):
    """Area under the ROC or the precision-recall curve; as `keras.metrics.AUC`.

    The curve is drawn through as many points as there are thresholds. A batch adds each prediction
    to the one interval between thresholds in which it lies, so that an update costs the same for
    two thresholds and for a thousand.

    Args:
        num_thresholds: How many thresholds divide [0, 1] evenly, at least 2.
        curve: "ROC", "PR" or "PRGAIN".
        summation_method: "interpolation" (trapezoids; for "PR" the interpolation of Davis &
            Goadrich, 2006), "minoring" or "majoring" (the lower or the higher end of a step).
        thresholds: Thresholds from 0 to 1 to add to 0 and 1, in place of `num_thresholds`.
        multi_label: Whether each column has its own curve; the areas are averaged.
        num_labels: How many columns, where `multi_label`; read off the predictions where None.
        label_weights: A weight for each column.
        from_logits: Whether `y_pred` holds logits.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(AUC()([0, 0, 1, 1], [0.1, 0.6, 0.5, 0.9]))
    0.75
    """

    rows_independent = True

    direction = "up"

    num_thresholds: int = 200
    curve: str = "ROC"
    summation_method: str = "interpolation"
    thresholds: Sequence[float] | None = None
    multi_label: bool = False
    num_labels: int | None = None
    label_weights: Sequence[float] | None = None
    from_logits: bool = False
    name: str | None = field(default="auc", kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments and fill in those that depend on others."""
        super().__post_init__()
        owner = type(self).__name__
        settle = {
            "curve": _spelt(owner, "curve", self.curve, ("ROC", "PR", "PRGAIN")),
            "summation_method": _spelt(
                owner,
                "summation_method",
                self.summation_method,
                ("interpolation", "minoring", "majoring"),
            ),
        }
        integer_at_least(owner, "num_thresholds", self.num_thresholds, 2)
        if self.thresholds is not None:
            given = parse_thresholds(owner, list(self.thresholds))
            settle |= {"thresholds": tuple(sorted(given)), "num_thresholds": len(given) + 2}
        for argument in ("multi_label", "from_logits"):
            one_of(owner, argument, getattr(self, argument), (True, False))
        if self.num_labels is not None:
            integer_at_least(owner, "num_labels", self.num_labels, 1)
            if not self.multi_label:
                raise ValueError(
                    f"`{owner}`: `num_labels` belongs to `multi_label=True`. Leave it out, or set "
                    f"that too."
                )
        if self.label_weights is not None:
            settle["label_weights"] = _label_weights(owner, self.label_weights)
        for name, value in settle.items():
            object.__setattr__(self, name, value)

    def init(self, y_true: Any = None, y_pred: Any = None) -> Accumulator:
        """Return zeros: of labels 0 and 1, the weight that lies above each number of thresholds."""
        shape: tuple[int, ...] = (2, self.num_thresholds + 1)
        if self.multi_label:
            shape += (self.num_labels or outputs(type(self).__name__, y_pred),)
        return {"histogram": zeros(shape)}

    def update(
        self,
        accumulator: Accumulator,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> Accumulator:
        """Return the accumulator with a batch added to it."""
        owner = type(self).__name__
        true, pred = prepare_pair(owner, y_true, y_pred)
        if self.from_logits:
            pred = jax.nn.sigmoid(pred)
        histogram = jnp.asarray(accumulator["histogram"])
        self._check_columns(pred.shape, histogram.shape)
        weights = jnp.ones(true.shape)
        if sample_weight is not None:
            weights = weights * expand_weights(owner, sample_weight, true.shape)
        if self.label_weights is not None and not self.multi_label:
            weights = weights * jnp.asarray(self.label_weights, weights.dtype)
        where = [true.astype(bool).astype(jnp.int32), self._interval(pred)]
        if self.multi_label:
            where.append(jnp.broadcast_to(jnp.arange(pred.shape[1]), pred.shape))
        return {"histogram": histogram.at[tuple(where)].add(weights.astype(histogram.dtype))}

    def result(self, accumulator: Accumulator) -> Array:
        """Return the area; 0 where a class never came."""
        # Above threshold i lies what passed more than i of them.
        histogram = jnp.asarray(accumulator["histogram"])
        above = jnp.flip(jnp.cumsum(jnp.flip(histogram, axis=1), axis=1), axis=1)
        negatives, positives = above[0, 0], above[1, 0]
        false_positives, true_positives = above[0, 1:], above[1, 1:]
        if self.curve == "PR" and self.summation_method == "interpolation":
            terms = _interpolated(true_positives, false_positives, positives)
        else:
            recall = divide_no_nan(true_positives, positives)
            if self.curve == "ROC":
                x, y = divide_no_nan(false_positives, negatives), recall
            elif self.curve == "PR":
                x, y = recall, divide_no_nan(true_positives, true_positives + false_positives)
            else:
                x, y = _gains(true_positives, false_positives, positives, negatives)
            heights = {
                "interpolation": (y[:-1] + y[1:]) / 2.0,
                "minoring": jnp.minimum(y[:-1], y[1:]),
                "majoring": jnp.maximum(y[:-1], y[1:]),
            }[self.summation_method]
            terms = (x[:-1] - x[1:]) * heights
        areas = jnp.sum(terms, axis=0)
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return jnp.mean(areas)
        weights = jnp.asarray(self.label_weights, areas.dtype)
        return divide_no_nan(jnp.sum(areas * weights), jnp.sum(weights))

    def _interval(self, y_pred: Array) -> Array:
        """Return how many thresholds lie below each prediction."""
        inner = self.thresholds
        if inner is None or even((0.0, *inner, 1.0)):
            # The first threshold lies just below 0, so that every prediction passes it.
            return jnp.maximum(passed(y_pred, range(self.num_thresholds)), 1)
        bounds = np.array([-EPSILON, *inner, 1.0 + EPSILON])
        return jnp.searchsorted(jnp.asarray(bounds, y_pred.dtype), y_pred, method="compare_all")

    def _check_columns(self, pred: tuple[int, ...], histogram: tuple[int, ...]) -> None:
        owner = type(self).__name__
        if self.multi_label and (len(pred) != 2 or pred[1] != histogram[2]):
            raise ValueError(
                f"`{owner}` with `multi_label=True` needs predictions of shape (batch, "
                f"{histogram[2]}), received {pred}."
            )
        if self.label_weights is not None and pred[-1] != len(self.label_weights):
            raise ValueError(
                f"`{owner}`: `label_weights` has {len(self.label_weights)} weights, one for each "
                f"column, but the predictions have shape {pred}."
            )


def _spelt(owner: str, argument: str, value: Any, allowed: tuple[str, ...]) -> Any:
    spellings = {name.lower(): name for name in allowed}
    if isinstance(value, str) and value.lower() in spellings:
        return spellings[value.lower()]
    return one_of(owner, argument, value, allowed)


def _label_weights(owner: str, label_weights: Any) -> tuple[float, ...]:
    values = np.asarray(label_weights, dtype=object).ravel()
    if not all(is_number(value) and value >= 0 for value in values):
        raise ValueError(
            f"`{owner}`: `label_weights` must be numbers of at least 0, one for each column, "
            f"received {label_weights!r}."
        )
    return tuple(float(value) for value in values)


def _interpolated(true_positives: Array, false_positives: Array, positives: Array) -> Array:
    """Return the area of each step of a precision-recall curve (Davis & Goadrich, 2006).

    Between two thresholds true positives grow in proportion to all that are predicted; with slope
    `s` and intercept `c` the area is `s * (gain + c * log(ratio)) / positives`.
    """
    predicted = true_positives + false_positives
    gain = true_positives[:-1] - true_positives[1:]
    slope = divide_no_nan(gain, jnp.maximum(predicted[:-1] - predicted[1:], 0.0))
    intercept = true_positives[1:] - slope * predicted[1:]
    both = (predicted[:-1] > 0) & (predicted[1:] > 0)
    ratio = jnp.where(both, divide_no_nan(predicted[:-1], predicted[1:]), 1.0)
    return divide_no_nan(slope * (gain + intercept * jnp.log(ratio)), positives)


def _gains(
    true_positives: Array, false_positives: Array, positives: Array, negatives: Array
) -> tuple[Array, Array]:
    """Return recall and precision gain (Flach & Kull, 2015)."""
    odds = divide_no_nan(positives, negatives)
    none = true_positives == 0
    recall = 1.0 - odds * divide_no_nan(positives - true_positives, true_positives)
    precision = 1.0 - odds * divide_no_nan(false_positives, true_positives)
    return jnp.maximum(jnp.where(none, 0.0, recall), 0.0), jnp.where(none, 1.0, precision)
