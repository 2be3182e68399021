"""The area under the ROC or precision-recall curve."""

from collections.abc import Sequence
from dataclasses import field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.errors import integer_at_least, is_number, one_of
from fjax.losses.preparation import EPSILON, divide_no_nan, full_weights, prepare_pair
from fjax.metrics.confusion import are_even, count_even_below, parse_thresholds
from fjax.metrics.metric import Accumulator, Metric, output_count, zeros
from fjax.typing import Array, ArrayLike


class AUC(Metric):
    """Area under the ROC or precision-recall curve, as `keras.metrics.AUC`.

    The curve has one point for each threshold. An update counts each prediction in a histogram
    whose bins lie between the thresholds, so that its cost hardly depends on their number.

    Args:
        num_thresholds: The number of evenly spaced thresholds in [0, 1], at least 2; it is ignored,
            and may be None, if there are `thresholds`.
        curve: "ROC", "PR" or "PRGAIN".
        summation_method: "interpolation" (trapezoids; for "PR" the interpolation of Davis &
            Goadrich, 2006), "minoring" or "majoring" (the lower or the higher end of each step).
        thresholds: Thresholds between 0 and 1 to use instead of `num_thresholds`; 0 and 1 are
            added.
        multi_label: Whether each column has its own curve; the areas are averaged.
        num_labels: The number of columns if `multi_label`; None takes it from the predictions.
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

    num_thresholds: int | None = 200
    curve: str = "ROC"
    summation_method: str = "interpolation"
    thresholds: Sequence[float] | None = None
    multi_label: bool = False
    num_labels: int | None = None
    label_weights: Sequence[float] | None = None
    from_logits: bool = False
    name: str | None = field(default="auc", kw_only=True)

    def __post_init__(self) -> None:
        """Check and normalize the arguments."""
        super().__post_init__()
        owner = type(self).__name__
        self.curve = _ignore_case(owner, "curve", self.curve, ("ROC", "PR", "PRGAIN"))
        self.summation_method = _ignore_case(
            owner,
            "summation_method",
            self.summation_method,
            ("interpolation", "minoring", "majoring"),
        )
        if self.thresholds is None:
            integer_at_least(owner, "num_thresholds", self.num_thresholds, 2)
        else:
            self.thresholds = tuple(sorted(parse_thresholds(owner, list(self.thresholds))))
            self.num_thresholds = len(self.thresholds) + 2
        for argument in ("multi_label", "from_logits"):
            one_of(owner, argument, getattr(self, argument), (True, False))
        if self.num_labels is not None:
            integer_at_least(owner, "num_labels", self.num_labels, 1)
            if not self.multi_label:
                raise ValueError(
                    f"`{owner}`: `num_labels` belongs to `multi_label=True`. Leave it out, or set "
                    f"`multi_label=True`."
                )
        if self.label_weights is not None:
            self.label_weights = _check_label_weights(owner, self.label_weights)

    def init(self, y_true: Any = None, y_pred: Any = None) -> Accumulator:
        """Return zeros, `(2, num_thresholds + 1)` or `(2, num_thresholds + 1, columns)`.

        Entry `[label, i]` is the weight of predictions for that label above `i` thresholds.
        """
        shape: tuple[int, ...] = (2, self._threshold_count() + 1)
        if self.multi_label:
            shape += (self.num_labels or output_count(type(self).__name__, y_pred),)
        return {"histogram": zeros(shape)}

    def update(
        self,
        accumulator: Accumulator,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> Accumulator:
        """Return the accumulator with a batch added."""
        owner = type(self).__name__
        true, pred = prepare_pair(owner, y_true, y_pred)
        if self.from_logits:
            pred = jax.nn.sigmoid(pred)
        histogram = jnp.asarray(accumulator["histogram"])
        self._check_columns(pred.shape, histogram.shape)
        weights = full_weights(owner, sample_weight, true.shape)
        if self.label_weights is not None and not self.multi_label:
            weights = weights * jnp.asarray(self.label_weights, weights.dtype)
        index = [true.astype(bool).astype(jnp.int32), self._thresholds_below(pred)]
        if self.multi_label:
            index.append(jnp.broadcast_to(jnp.arange(pred.shape[1]), pred.shape))
        return {"histogram": histogram.at[tuple(index)].add(weights.astype(histogram.dtype))}

    def result(self, accumulator: Accumulator) -> Array:
        """Return the area; 0 if there were no labels 0 or no labels 1."""
        histogram = jnp.asarray(accumulator["histogram"])
        # Entry i counts predictions above at least i thresholds, that is, above threshold i - 1.
        above = jnp.flip(jnp.cumsum(jnp.flip(histogram, axis=1), axis=1), axis=1)
        negatives, positives = above[0, 0], above[1, 0]
        false_positives, true_positives = above[0, 1:], above[1, 1:]
        if self.curve == "PR" and self.summation_method == "interpolation":
            steps = _interpolated_steps(true_positives, false_positives, positives)
        else:
            x, y = self._points(true_positives, false_positives, positives, negatives)
            heights = {
                "interpolation": (y[:-1] + y[1:]) / 2.0,
                "minoring": jnp.minimum(y[:-1], y[1:]),
                "majoring": jnp.maximum(y[:-1], y[1:]),
            }[self.summation_method]
            steps = (x[:-1] - x[1:]) * heights
        areas = jnp.sum(steps, axis=0)
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return jnp.mean(areas)
        weights = jnp.asarray(self.label_weights, areas.dtype)
        return divide_no_nan(jnp.sum(areas * weights), jnp.sum(weights))

    def _points(
        self, true_positives: Array, false_positives: Array, positives: Array, negatives: Array
    ) -> tuple[Array, Array]:
        """Return the coordinates of the curve at each threshold."""
        if self.curve == "PRGAIN":
            return _gains(true_positives, false_positives, positives, negatives)
        recall = divide_no_nan(true_positives, positives)
        if self.curve == "ROC":
            return divide_no_nan(false_positives, negatives), recall
        return recall, divide_no_nan(true_positives, true_positives + false_positives)

    def _threshold_count(self) -> int:
        assert self.num_thresholds is not None
        return self.num_thresholds

    def _thresholds_below(self, y_pred: Array) -> Array:
        """Return how many thresholds are below each prediction."""
        inner = self.thresholds
        if inner is None or are_even((0.0, *inner, 1.0)):
            # The first threshold is just below 0, so it is below every prediction.
            return jnp.maximum(count_even_below(y_pred, self._threshold_count()), 1)
        bounds = np.array([-EPSILON, *inner, 1.0 + EPSILON])
        return jnp.searchsorted(jnp.asarray(bounds, y_pred.dtype), y_pred, method="compare_all")

    def _check_columns(self, pred_shape: tuple[int, ...], histogram_shape: tuple[int, ...]) -> None:
        owner = type(self).__name__
        if self.multi_label and (len(pred_shape) != 2 or pred_shape[1] != histogram_shape[2]):
            raise ValueError(
                f"`{owner}` with `multi_label=True` needs predictions of shape (batch, "
                f"{histogram_shape[2]}), received {pred_shape}."
            )
        if self.label_weights is not None and pred_shape[-1] != len(self.label_weights):
            raise ValueError(
                f"`{owner}`: `label_weights` has {len(self.label_weights)} weights, one for each "
                f"column, but the predictions have shape {pred_shape}."
            )


def _ignore_case(owner: str, argument: str, value: Any, allowed: tuple[str, ...]) -> Any:
    """Return the allowed value that equals this one up to case, or raise."""
    names = {name.lower(): name for name in allowed}
    if isinstance(value, str) and value.lower() in names:
        return names[value.lower()]
    return one_of(owner, argument, value, allowed)


def _check_label_weights(owner: str, label_weights: Any) -> tuple[float, ...]:
    values = np.asarray(label_weights, dtype=object).ravel()
    if not all(is_number(value) and value >= 0 for value in values):
        raise ValueError(
            f"`{owner}`: `label_weights` must be numbers of at least 0, one for each column, "
            f"received {label_weights!r}."
        )
    return tuple(float(value) for value in values)


def _interpolated_steps(true_positives: Array, false_positives: Array, positives: Array) -> Array:
    """Return the area of each step of a precision-recall curve (Davis & Goadrich, 2006).

    Between two thresholds the number of true positives is a linear function of the number of
    predicted positives. With slope `s` and intercept `c` the area is
    `s * (gain + c * log(ratio)) / positives`.
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
    is_empty = true_positives == 0
    recall = 1.0 - odds * divide_no_nan(positives - true_positives, true_positives)
    precision = 1.0 - odds * divide_no_nan(false_positives, true_positives)
    return jnp.maximum(jnp.where(is_empty, 0.0, recall), 0.0), jnp.where(is_empty, 1.0, precision)
