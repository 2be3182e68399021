"""Scores by scikit-learn's scorers, of outputs that a population has made already."""

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


class Fitted:
    """Mixed into the class of an estimator that was trained as a member of a population.

    For the rows that are scored its outputs are known; for any other rows, and where the model
    itself is asked for, the model is made from the member's train state.
    """

    _trained: Callable[[], Model]
    _known: tuple[np.ndarray, np.ndarray]
    _model: Model | None = None

    @property
    def model_(self) -> Model:
        """The trained model."""
        if self._model is None:
            self._model = self._trained()
        return self._model

    @model_.setter
    def model_(self, model: Model | None) -> None:
        self._model = model

    def _outputs(self, X: Any, model: Model | None = None) -> np.ndarray:
        inputs, outputs = self._known
        if model is None and np.array_equal(self._inputs(X, first=False), inputs):  # type: ignore[attr-defined]
            return outputs
        return super()._outputs(X, model)  # type: ignore[misc]


def fitted_with(
    estimator: Estimator,
    whole: Examples,
    rows: np.ndarray,
    outputs: np.ndarray,
    history: Mapping[str, list[Any]],
    untrained: Model,
    trained: Callable[[], Model],
) -> Any:
    """Return a fitted estimator whose outputs for some rows are known.

    Args:
        estimator: The estimator, not fitted.
        whole: All data, checked.
        rows: The numbers of the rows whose outputs are known.
        outputs: Their outputs.
        history: The logs of the training.
        untrained: The model before training.
        trained: Makes the trained model, for whatever else it is asked.
    """
    fitted: Any = copy.copy(estimator)
    cls = type(estimator)
    fitted.__class__ = type(cls.__name__, (Fitted, cls), {"__module__": cls.__module__})
    fitted._known, fitted._trained = (whole.x[rows], outputs), trained
    fitted.adopt(untrained, whole, history)
    fitted.model_ = None
    return fitted


def scored(
    scorer: Scorer,
    fitted: Any,
    X: Any,
    y: Any,
    weight: np.ndarray | None = None,
    error_score: Any = "raise",
) -> dict[str, float]:
    """Return the scores of an estimator by name; a single one is called "score".

    Nothing is returned where the scorer raises: only it knows the names.

    Args:
        scorer: Returns a number, or a dict of them.
        fitted: The estimator.
        X: The inputs.
        y: The targets, or None.
        weight: What each row counts, or None.
        error_score: The score where the scorer raises, after a warning, as in scikit-learn;
            "raise" lets the error through.

    Raises:
        ValueError: A scorer returned no number.
    """
    given = (X,) if y is None else (X, y)
    try:
        found = scorer(fitted, *given, **({} if weight is None else {"sample_weight": weight}))
    except Exception:
        if error_score == "raise":
            raise
        _warn_of_failure(error_score, traceback.format_exc())
        return {}
    values = dict(found) if isinstance(found, Mapping) else {"score": found}
    for name, value in values.items():
        # Where one of several scorers raises, scikit-learn has its traceback in the place.
        if isinstance(value, str) and hasattr(scorer, "_scorers"):
            _warn_of_failure(error_score, value)
            values[name] = error_score
    return {name: _number(name, value) for name, value in values.items()}


def _warn_of_failure(error_score: Any, details: str) -> None:
    warnings.warn(
        "Scoring failed. The score on this train-test partition for these parameters will be set "
        f"to {error_score}. Details: \n{details}",
        UserWarning,
        stacklevel=2,
    )


def _number(name: str, value: Any) -> float:
    number = value.item() if hasattr(value, "item") and np.ndim(value) == 0 else value
    if not isinstance(number, numbers.Real):
        raise ValueError(f"The scorer {name!r} must return a number, and returned {value!r}.")
    return float(number)
