"""Scores by scikit-learn's scorers, of outputs that a population has made already."""

import copy
import numbers
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fjax.wrappers.estimator import Estimator
from fjax.wrappers.examples import Examples

Scorer = Callable[..., Any]


def fitted_with(estimator: Estimator, model: Any, whole: Examples, outputs: Any) -> Any:
    """Return a fitted estimator whose model makes these outputs, whatever it is asked for.

    Scorers call `predict`, `predict_proba` or `score` on it, which go from outputs to what these
    return as in any other.
    """
    fitted = copy.copy(estimator).adopt(model, whole, {})
    setattr(fitted, "_outputs", lambda X, model=None: outputs)  # noqa: B010
    return fitted


def scored(
    scorer: Scorer, fitted: Any, X: Any, y: Any, weight: np.ndarray | None = None
) -> dict[str, float]:
    """Return the scores of an estimator by name; a single one is called "score".

    Raises:
        ValueError: A scorer returned no number.
    """
    given = (X,) if y is None else (X, y)
    found = scorer(fitted, *given, **({} if weight is None else {"sample_weight": weight}))
    values = dict(found) if isinstance(found, Mapping) else {"score": found}
    return {name: _number(name, value) for name, value in values.items()}


def _number(name: str, value: Any) -> float:
    number = value.item() if hasattr(value, "item") and np.ndim(value) == 0 else value
    if not isinstance(number, numbers.Real):
        raise ValueError(f"The scorer {name!r} must return a number, and returned {value!r}.")
    return float(number)
