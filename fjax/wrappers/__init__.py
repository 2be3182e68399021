"""Estimators for scikit-learn: networks with `fit`, `predict`, `get_params` and `clone`.

scikit-learn is an extra; it is imported when one of these names is first used.
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

# The module and the class of each name; the older names are the same classes.
_CLASSES = {
    "KerasClassifier": ("classifier", "SKLearnClassifier"),
    "KerasRegressor": ("regressor", "SKLearnRegressor"),
    "SKLearnClassifier": ("classifier", "SKLearnClassifier"),
    "SKLearnRegressor": ("regressor", "SKLearnRegressor"),
    "SKLearnTransformer": ("transformer", "SKLearnTransformer"),
}


def __getattr__(name: str) -> Any:
    if name == "scikit_learn":
        return importlib.import_module("fjax.wrappers.scikit_learn")
    if name not in _CLASSES:
        raise AttributeError(f"`fjax.wrappers` has no `{name}`. It has: {', '.join(__all__)}.")
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"`fjax.wrappers.{name}` needs scikit-learn: `pip install fjax[sklearn]`, or "
            "`pip install scikit-learn`."
        ) from error
    module, class_name = _CLASSES[name]
    return getattr(importlib.import_module(f"fjax.wrappers.{module}"), class_name)
