"""Scores by the scorers of scikit-learn, of outputs that a population has computed already."""

import copy
import numbers
import time
import traceback
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import _safe_indexing

from fjax.errors import warn_user
from fjax.models import Model
from fjax.search.candidate_groups import Outcome
from fjax.wrappers.estimator import Estimator
from fjax.wrappers.examples import Examples

Scorer = Callable[..., Any]


class FittedMember:
    """A mixin for the class of an estimator that was trained as a member of a population.

    Its outputs for the rows that are scored are known. For other rows, and if the model is asked
    for, the model is made from the train state of the member.
    """

    _outcome: Outcome
    _known: tuple[np.ndarray, np.ndarray]

    @cached_property
    def model_(self) -> Model:
        """The trained model."""
        model = copy.copy(self._outcome.candidate.model)
        model.train_state = self._outcome.train_state()
        return model

    def compute_outputs(self, X: Any, model: Model | None = None) -> np.ndarray:
        """Return the outputs for inputs; see `Estimator.compute_outputs`."""
        inputs, outputs = self._known
        if model is None and np.array_equal(self.check_inputs(X), inputs):  # type: ignore[attr-defined]
            return outputs
        return super().compute_outputs(X, model)  # type: ignore[misc]


class Scoring(NamedTuple):
    """What scores are computed from.

    Attributes:
        whole: All data, checked.
        X: The inputs.
        y: The targets.
        weight: The weight of each row in a score, or None.
        scorer: Returns a number, or a dict of numbers.
        error_score: The score of a fit or a scorer that failed; "raise" raises an error.
    """

    whole: Examples
    X: Any
    y: Any
    weight: np.ndarray | None
    scorer: Scorer
    error_score: Any

    def score(self, outcome: Outcome) -> dict[str, float]:
        """Return the times and scores of a candidate in a fold; a failed fit has times only."""
        start = time.perf_counter()
        columns = {"fit_time": outcome.seconds, "score_time": 0.0}
        parts = [
            ("test", outcome.fold.test, outcome.outputs),
            ("train", outcome.fold.train, outcome.train_outputs),
        ]
        for part, rows, outputs in parts:
            if outputs is not None and outcome.failed is None:
                scores = self._score_rows(outcome, rows, outputs)
                columns |= {f"{part}_{name}": value for name, value in scores.items()}
        columns["score_time"] = time.perf_counter() - start
        return columns

    def _score_rows(
        self, outcome: Outcome, rows: np.ndarray, outputs: np.ndarray
    ) -> dict[str, float]:
        estimator = outcome.candidate.estimator
        cls = type(estimator)
        fitted: Any = copy.copy(estimator)
        fitted.__class__ = type(cls.__name__, (FittedMember, cls), {"__module__": cls.__module__})
        fitted._known, fitted._outcome = (self.whole.x[rows], outputs), outcome
        fitted.adopt(outcome.candidate.model, self.whole, outcome.history)
        # Made when it is read.
        del fitted.model_
        X, y, weight = (
            None if data is None else _safe_indexing(data, rows)
            for data in (self.X, self.y, self.weight)
        )
        return self._compute_scores(fitted, (X,) if y is None else (X, y), weight)

    def _compute_scores(
        self, fitted: Estimator, data: tuple[Any, ...], weight: np.ndarray | None
    ) -> dict[str, float]:
        """Return the scores of a fitted estimator by name; a single score is called "score".

        A scorer that raises an error has no scores, since only the scorer knows their names; the
        error is a warning, as in scikit-learn.

        Raises:
            ValueError: A scorer returned something other than a number.
        """
        keywords = {} if weight is None else {"sample_weight": weight}
        try:
            result = self.scorer(fitted, *data, **keywords)
        except Exception:
            if self.error_score == "raise":
                raise
            self._warn_of_failure(traceback.format_exc())
            return {}
        scores = dict(result) if isinstance(result, Mapping) else {"score": result}
        for name, value in scores.items():
            # If one of several scorers raises, scikit-learn returns the traceback as its score.
            if isinstance(value, str) and scorers_of(self.scorer) is not None:
                self._warn_of_failure(value)
                scores[name] = self.error_score
        return {name: _number(name, value) for name, value in scores.items()}

    def _warn_of_failure(self, details: str) -> None:
        warn_user(
            "Scoring failed. The score on this train-test partition for these parameters will be "
            f"set to {self.error_score}. Details: \n{details}",
        )


def scorers_of(scorer: Scorer) -> dict[str, Scorer] | None:
    """Return the scorers that scikit-learn has combined into one; None for a single scorer."""
    return getattr(scorer, "_scorers", None)


def _number(name: str, value: Any) -> float:
    number = np.asarray(value).item() if np.ndim(value) == 0 else value
    if not isinstance(number, numbers.Real):
        raise ValueError(f"The scorer {name!r} must return a number, it returned {value!r}.")
    return float(number)
