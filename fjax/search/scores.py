"""Scores by the scorers of scikit-learn, of outputs that a population has computed already."""

import copy
import numbers
import traceback
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fjax.models import Model
from fjax.wrappers.estimator import Estimator
from fjax.wrappers.examples import Examples

Scorer = Callable[..., Any]


class FittedMember:
    """A mixin for the class of an estimator that was trained as a member of a population.

    Its outputs for the rows that are scored are known. For other rows, and if the model is asked
    for, the model is made from the train state of the member.
    """

    _make_model: Callable[[], Model]
    _known: tuple[np.ndarray, np.ndarray]
    _model: Model | None = None

    @property
    def model_(self) -> Model:
        """The trained model."""
        if self._model is None:
            self._model = self._make_model()
        return self._model

    @model_.setter
    def model_(self, model: Model | None) -> None:
        self._model = model

    def compute_outputs(self, X: Any, model: Model | None = None) -> np.ndarray:
        """Return the outputs for inputs; see `Estimator.compute_outputs`."""
        inputs, outputs = self._known
        if model is None and np.array_equal(self.check_inputs(X), inputs):  # type: ignore[attr-defined]
            return outputs
        return super().compute_outputs(X, model)  # type: ignore[misc]


def fitted_member(
    estimator: Estimator,
    whole: Examples,
    rows: np.ndarray,
    outputs: np.ndarray,
    history: Mapping[str, list[Any]],
    untrained_model: Model,
    make_model: Callable[[], Model],
) -> Any:
    """Return a fitted estimator whose outputs for some rows are known.

    Args:
        estimator: The estimator, not fitted.
        whole: All data, checked.
        rows: The numbers of the rows whose outputs are known.
        outputs: The outputs for these rows.
        history: The logs of the training.
        untrained_model: The model before training.
        make_model: Returns the trained model.
    """
    fitted: Any = copy.copy(estimator)
    cls = type(estimator)
    fitted.__class__ = type(cls.__name__, (FittedMember, cls), {"__module__": cls.__module__})
    fitted._known, fitted._make_model = (whole.x[rows], outputs), make_model
    fitted.adopt(untrained_model, whole, history)
    fitted.model_ = None
    return fitted


def scorers_of(scorer: Scorer) -> dict[str, Scorer] | None:
    """Return the scorers that scikit-learn has combined into one; None for a single scorer."""
    return getattr(scorer, "_scorers", None)


def compute_scores(
    scorer: Scorer,
    fitted: Any,
    X: Any,
    y: Any,
    weight: np.ndarray | None = None,
    error_score: Any = "raise",
) -> dict[str, float]:
    """Return the scores of an estimator by name; a single score is called "score".

    If the scorer raises an error, no scores are returned, since only the scorer knows their names.

    Args:
        scorer: Returns a number, or a dict of numbers.
        fitted: The estimator.
        X: The inputs.
        y: The targets, or None.
        weight: The weight of each row, or None.
        error_score: The score if the scorer raises an error, which is shown as a warning, as in
            scikit-learn; "raise" raises the error.

    Raises:
        ValueError: A scorer returned something other than a number.
    """
    data = (X,) if y is None else (X, y)
    keywords = {} if weight is None else {"sample_weight": weight}
    try:
        result = scorer(fitted, *data, **keywords)
    except Exception:
        if error_score == "raise":
            raise
        _warn_of_failure(error_score, traceback.format_exc())
        return {}
    scores = dict(result) if isinstance(result, Mapping) else {"score": result}
    for name, value in scores.items():
        # If one of several scorers raises, scikit-learn returns the traceback as its score.
        if isinstance(value, str) and scorers_of(scorer) is not None:
            _warn_of_failure(error_score, value)
            scores[name] = error_score
    return {name: _number(name, value) for name, value in scores.items()}


def _warn_of_failure(error_score: Any, details: str) -> None:
    warnings.warn(
        "Scoring failed. The score on this train-test partition for these parameters will be set "
        f"to {error_score}. Details: \n{details}",
        UserWarning,
        stacklevel=2,
    )


def _number(name: str, value: Any) -> float:
    number = np.asarray(value).item() if np.ndim(value) == 0 else value
    if not isinstance(number, numbers.Real):
        raise ValueError(f"The scorer {name!r} must return a number, it returned {value!r}.")
    return float(number)
