"""F-scores: the weighted harmonic mean of precision and recall."""

from dataclasses import field
from typing import Any

import jax.numpy as jnp

from fjax.errors import number_between, one_of
from fjax.losses.preparation import EPSILON, expand_weights, prepare_pair
from fjax.metrics.metric import Accumulator, Metric, add, check_matrices, output_count, zeros
from fjax.typing import Array, ArrayLike

_SUMS = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")


class _FScore(Metric):
    """Base class of F-scores: it counts the confusion matrix of each class."""

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
        """Return zeros, one for each class of `y_pred` unless the average is "micro"."""
        shape = () if self.average == "micro" else (output_count(type(self).__name__, y_pred),)
        return {name: zeros(shape, self.dtype) for name in _SUMS}

    def update(
        self,
        accumulator: Accumulator,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> Accumulator:
        """Return the accumulator with a batch added."""
        owner = type(self).__name__
        hint = "Give one-hot labels, one column for each class, as `to_categorical` returns them."
        true, pred = prepare_pair(owner, y_true, y_pred, hint)
        check_matrices(owner, true, pred, hint)
        threshold = self._threshold()
        if threshold is None:
            # As in Keras, a row of zeros predicts no class.
            is_largest = pred >= jnp.max(pred, axis=-1, keepdims=True)
            predicted = (is_largest & (jnp.abs(pred) > 1e-9)).astype(true.dtype)
        else:
            predicted = (pred > threshold).astype(true.dtype)
        terms = (predicted * true, predicted * (1.0 - true), (1.0 - predicted) * true, true)
        weights: Array | float = 1.0
        if sample_weight is not None:
            weights = expand_weights(owner, sample_weight, true.shape)
        axis = None if self.average == "micro" else 0
        sums = (jnp.sum(term * weights, axis=axis) for term in terms)
        return add(accumulator, dict(zip(_SUMS, sums, strict=True)))

    def result(self, accumulator: Accumulator) -> Array:
        """Return the score, or one for each class if there is no average."""
        true_positives, false_positives, false_negatives, support = (
            jnp.asarray(accumulator[name]) for name in _SUMS
        )
        precision = true_positives / (true_positives + false_positives + EPSILON)
        recall = true_positives / (true_positives + false_negatives + EPSILON)
        square = self._beta() ** 2
        scores = (1 + square) * precision * recall / (square * precision + recall + EPSILON)
        if self.average == "weighted":
            return jnp.sum(scores * (support / (jnp.sum(support) + EPSILON)))
        return scores if self.average is None else jnp.mean(scores)

    def _beta(self) -> float:
        return 1.0

    def _threshold(self) -> float | None:
        raise NotImplementedError(self._missing("_threshold(self)"))


class FBetaScore(_FScore):
    """Weighted harmonic mean of precision and recall, as `keras.metrics.FBetaScore`.

    Args:
        average: "micro" counts all classes together, "macro" averages the scores of the classes,
            "weighted" weights them by the number of their labels; None returns one for each.
        beta: The weight of recall relative to precision, above 0.
        threshold: A threshold from 0 to 1; None predicts the class with the largest value of a row.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range, or the data do not have two axes.

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
    """Harmonic mean of precision and recall, as `keras.metrics.F1Score`.

    Args:
        average: "micro" counts all classes together, "macro" averages the scores of the classes,
            "weighted" weights them by the number of their labels; None returns one for each.
        threshold: A threshold from 0 to 1; None predicts the class with the largest value of a row.
        name: As in `Metric`.

    Raises:
        ValueError: An argument is out of its range, or the data do not have two axes.

    >>> print(F1Score(average="macro")([[0, 1], [1, 0]], [[0.1, 0.9], [0.8, 0.2]]))
    0.99999...
    """

    threshold: float | None = None
    name: str | None = field(default="f1_score", kw_only=True)

    def _threshold(self) -> float | None:
        return self.threshold
