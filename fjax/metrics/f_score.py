"""F-scores: the weighted harmonic mean of precision and recall."""

from dataclasses import field
from typing import Any

import jax.numpy as jnp

from fjax.errors import number_between, one_of
from fjax.losses.preparation import EPSILON, expand_weights, prepare_pair
from fjax.metrics.metric import Accumulator, Metric, add, matrices, outputs, zeros
from fjax.typing import Array, ArrayLike

_SUMS = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")


class _FScore(Metric):
    rows_independent = True

    direction = "up"

    average: str | None = None

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        owner = type(self).__name__
        one_of(owner, "average", self.average, (None, "micro", "macro", "weighted"))
        number_between(owner, "beta", self._beta(), 0.0, open_low=True)
        if self._threshold() is not None:
            number_between(owner, "threshold", self._threshold(), 0.0, 1.0, open_low=True)

    def init(self, y_true: Any = None, y_pred: Any = None) -> Accumulator:
        """Return zeros, for each class of `y_pred` unless the average is "micro"."""
        shape = () if self.average == "micro" else (outputs(type(self).__name__, y_pred),)
        return {name: zeros(shape) for name in _SUMS}

    def update(
        self,
        accumulator: Accumulator,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> Accumulator:
        """Return the accumulator with a batch added to it."""
        owner = type(self).__name__
        hint = "Give one-hot labels, one column for each class, as `to_categorical` makes them."
        true, pred = prepare_pair(owner, y_true, y_pred, hint)
        matrices(owner, true, pred, hint)
        threshold = self._threshold()
        if threshold is None:
            # As in Keras a row of zeros answers nothing.
            largest = pred >= jnp.max(pred, axis=-1, keepdims=True)
            answer = largest & (jnp.abs(pred) > 1e-9)
        else:
            answer = pred > threshold
        answered = answer.astype(true.dtype)
        terms = (answered * true, answered * (1.0 - true), (1.0 - answered) * true, true)
        weights: Array | float = 1.0
        if sample_weight is not None:
            weights = expand_weights(owner, sample_weight, true.shape)
        axis = None if self.average == "micro" else 0
        sums = (jnp.sum(term * weights, axis=axis) for term in terms)
        return add(accumulator, dict(zip(_SUMS, sums, strict=True)))

    def result(self, accumulator: Accumulator) -> Array:
        """Return the score, or one for each class where there is no average."""
        right, wrong, missed, present = (jnp.asarray(accumulator[name]) for name in _SUMS)
        precision = right / (right + wrong + EPSILON)
        recall = right / (right + missed + EPSILON)
        square = self._beta() ** 2
        scores = (1 + square) * precision * recall / (square * precision + recall + EPSILON)
        if self.average == "weighted":
            return jnp.sum(scores * (present / (jnp.sum(present) + EPSILON)))
        return scores if self.average is None else jnp.mean(scores)

    def _beta(self) -> float:
        return 1.0

    def _threshold(self) -> float | None:
        raise NotImplementedError(self._missing("_threshold(self)"))


class FBetaScore(_FScore):
    """Harmonic mean of precision and of recall weighted by `beta`; as `keras.metrics.FBetaScore`.

    Args:
        average: "micro" counts all classes together, "macro" averages the classes, "weighted"
            weights them by how often they come; None gives a score for each.
        beta: How many times recall weighs as much as precision, more than 0.
        threshold: Above which a prediction is 1, from 0 to 1; the largest of a row where None.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range, or the data has not two axes.

    >>> print(FBetaScore(beta=2.0, threshold=0.5)([[1], [1], [0]], [[0.9], [0.2], [0.8]]))
    [0.5]
    """

    beta: float = 1.0
    threshold: float | None = None
    name: str | None = field(default="fbeta_score", kw_only=True)

    def _beta(self) -> float:
        return self.beta

    def _threshold(self) -> float | None:
        return self.threshold


class F1Score(_FScore):
    """Harmonic mean of precision and recall; as `keras.metrics.F1Score`.

    Args:
        average: "micro" counts all classes together, "macro" averages the classes, "weighted"
            weights them by how often they come; None gives a score for each.
        threshold: Above which a prediction is 1, from 0 to 1; the largest of a row where None.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range, or the data has not two axes.

    >>> print(F1Score(average="macro")([[0, 1], [1, 0]], [[0.1, 0.9], [0.8, 0.2]]))
    0.99999...
    """

    threshold: float | None = None
    name: str | None = field(default="f1_score", kw_only=True)

    def _threshold(self) -> float | None:
        return self.threshold
