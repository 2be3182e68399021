"""Estimators for scikit-learn: networks with `fit`, `predict`, `get_params` and `clone`.

scikit-learn is an extra; it is imported when one of these names is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from fjax.wrappers.lazy import import_name

if TYPE_CHECKING:
    from fjax.wrappers.classifier import KerasClassifier, SKLearnClassifier
    from fjax.wrappers.regressor import KerasRegressor, SKLearnRegressor
    from fjax.wrappers.transformer import SKLearnTransformer

__all__ = [
    "KerasClassifier",
    "KerasRegressor",
    "SKLearnClassifier",
    "SKLearnRegressor",
    "SKLearnTransformer",
    "scikit_learn",
]

_MODULES = {
    "classifier": ("KerasClassifier", "SKLearnClassifier"),
    "regressor": ("KerasRegressor", "SKLearnRegressor"),
    "transformer": ("SKLearnTransformer",),
}


def __getattr__(name: str) -> Any:
    if name == "scikit_learn":
        return importlib.import_module("fjax.wrappers.scikit_learn")
    return import_name("fjax.wrappers", name, _MODULES)
