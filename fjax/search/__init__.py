"""Searches that train all their candidates as one program, with scikit-learn's interface.

scikit-learn is an extra; it is imported when one of these names is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fjax.search.cross_validation import CrossValidation, cross_validate
    from fjax.search.halving import HalvingGridSearchCV, HalvingRandomSearchCV
    from fjax.search.learning_rates import TrainedRates, sweep_learning_rates
    from fjax.search.searches import GridSearchCV, RandomizedSearchCV

__all__ = [
    "CrossValidation",
    "GridSearchCV",
    "HalvingGridSearchCV",
    "HalvingRandomSearchCV",
    "RandomizedSearchCV",
    "TrainedRates",
    "cross_validate",
    "sweep_learning_rates",
]

# The module that defines each name.
_MODULES = {
    "CrossValidation": "cross_validation",
    "GridSearchCV": "searches",
    "HalvingGridSearchCV": "halving",
    "HalvingRandomSearchCV": "halving",
    "TrainedRates": "learning_rates",
    "RandomizedSearchCV": "searches",
    "cross_validate": "cross_validation",
    "sweep_learning_rates": "learning_rates",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"`fjax.search` has no `{name}`. It has: {', '.join(__all__)}.")
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"`fjax.search.{name}` needs scikit-learn: `pip install fjax[sklearn]`, or "
            "`pip install scikit-learn`."
        ) from error
    return getattr(importlib.import_module(f"fjax.search.{_MODULES[name]}"), name)
