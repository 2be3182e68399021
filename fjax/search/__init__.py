"""Searches that train all their candidates as one program, with scikit-learn's interface.

scikit-learn is an extra; it is imported when one of these names is first used.
"""

from typing import TYPE_CHECKING, Any

from fjax.wrappers.lazy import import_name

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

_MODULES = {
    "cross_validation": ("CrossValidation", "cross_validate"),
    "halving": ("HalvingGridSearchCV", "HalvingRandomSearchCV"),
    "learning_rates": ("TrainedRates", "sweep_learning_rates"),
    "searches": ("GridSearchCV", "RandomizedSearchCV"),
}


def __getattr__(name: str) -> Any:
    return import_name("fjax.search", name, _MODULES)
