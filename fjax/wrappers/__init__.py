"""Estimators for scikit-learn: a network with `fit`, `predict`, `get_params` and `clone`.

scikit-learn is an extra, and is imported when one of these names is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fjax.wrappers.classifier import SKLearnClassifier
    from fjax.wrappers.regressor import SKLearnRegressor
    from fjax.wrappers.transformer import SKLearnTransformer

    KerasClassifier = SKLearnClassifier
    KerasRegressor = SKLearnRegressor

__all__ = [
    "KerasClassifier",
    "KerasRegressor",
    "SKLearnClassifier",
    "SKLearnRegressor",
    "SKLearnTransformer",
    "scikit_learn",
]

# Where a name is defined, and what it is called there; the older names are the same classes.
_PLACES = {
    "KerasClassifier": ("classifier", "SKLearnClassifier"),
    "KerasRegressor": ("regressor", "SKLearnRegressor"),
    "SKLearnClassifier": ("classifier", "SKLearnClassifier"),
    "SKLearnRegressor": ("regressor", "SKLearnRegressor"),
    "SKLearnTransformer": ("transformer", "SKLearnTransformer"),
}


def __getattr__(name: str) -> Any:
    if name == "scikit_learn":
        return importlib.import_module("fjax.wrappers.scikit_learn")
    if name not in _PLACES:
        raise AttributeError(f"`fjax.wrappers` has no `{name}`. It has: {', '.join(__all__)}.")
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"`fjax.wrappers.{name}` is an estimator of scikit-learn: `pip install fjax[sklearn]`, "
            "or `pip install scikit-learn`."
        ) from error
    module, its_name = _PLACES[name]
    return getattr(importlib.import_module(f"fjax.wrappers.{module}"), its_name)
