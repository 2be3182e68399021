"""Metrics by name: what `compile(metrics=[…])` accepts."""

from collections.abc import Mapping
from typing import Any

from fjax.losses.names import label_kind
from fjax.metrics.accuracy import (
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
)
from fjax.metrics.metric import Metric
from fjax.metrics.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    KLDivergence,
    SparseCategoricalCrossentropy,
)
from fjax.metrics.reduction import FunctionMetric, function_name
from fjax.metrics.regression import (
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
)
from fjax.registry import Registry, serialize_as_dict
from fjax.typing import Identifier, Shape

# The members are the package's public classes and functions, which `fjax.metrics` adds.
REGISTRY = Registry(
    "metric",
    [],
    {
        "MeanMetricWrapper": FunctionMetric,
        "bce": BinaryCrossentropy,
        "kld": KLDivergence,
        "logcosh": LogCoshError,
        "mae": MeanAbsoluteError,
        "mape": MeanAbsolutePercentageError,
        "mse": MeanSquaredError,
        "msle": MeanSquaredLogarithmicError,
    },
)

# By the kind of labels, as `label_kind` returns it.
_ACCURACIES: dict[str, type[Metric]] = {
    "binary": BinaryAccuracy,
    "sparse": SparseCategoricalAccuracy,
    "categorical": CategoricalAccuracy,
}
_CROSSENTROPIES: dict[str, Any] = {
    "binary": BinaryCrossentropy,
    "sparse": SparseCategoricalCrossentropy,
    "categorical": CategoricalCrossentropy,
}


def get(identifier: Identifier) -> Any:
    """Return the metric for an identifier, as `keras.metrics.get`.

    Args:
        identifier: A class, or a name such as "mse" or "MeanSquaredError", to make an object with
            the default arguments; `{"class_name": …, "config": …}`; a function or object; or None.

    Raises:
        ValueError: The name is unknown; the nearest known one is suggested.
        TypeError: The identifier is none of these.

    >>> from fjax.metrics import get
    >>> get("mae"), get("AUC")
    (MeanAbsoluteError(), AUC())
    """
    return None if identifier is None else REGISTRY.get(identifier)


def serialize(metric: Any) -> Any:
    """Return a metric function or object as plain data, as `keras.metrics.serialize`.

    Raises:
        TypeError: It is neither, or a function without a name.

    >>> from fjax.metrics import AUC
    >>> deserialize(serialize(AUC(curve="PR")))
    AUC(curve='PR')
    """
    return serialize_as_dict(metric)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the metric function or object for the result of `serialize`.

    As `keras.metrics.deserialize`.

    Args:
        config: The result of `serialize`, or the name of a function or class.
        custom_objects: Your own classes and functions by name.

    Raises:
        ValueError: The name is unknown.
        TypeError: The configuration is not in this form.

    >>> deserialize({"class_name": "AUC", "config": {}})
    AUC()
    """
    return REGISTRY.deserialize(config, custom_objects)


def resolve(
    identifier: Identifier, y_true_shape: Shape, y_pred_shape: Shape, loss: Any = None
) -> Metric:
    """Return the `Metric` object for an identifier in `compile(metrics=[…])`.

    As in Keras, the shapes choose the metric for "accuracy" and "acc", and for "crossentropy" and
    "ce". Any other identifier is passed to `get`; a function becomes a `FunctionMetric`. The name
    of the metric is that of `log_name`.

    Args:
        identifier: As in `get`.
        y_true_shape: The shape of the targets, batch axis included.
        y_pred_shape: The shape of the predictions, batch axis included.
        loss: The model's loss, whose `from_logits` applies to "crossentropy".

    Raises:
        ValueError: The name is unknown.
        TypeError: The identifier is not a metric.

    >>> resolve("accuracy", (32,), (32, 10))
    SparseCategoricalAccuracy(name='accuracy')
    >>> resolve("mae", (32, 1), (32, 1))
    MeanAbsoluteError(name='mae')
    """
    lower = identifier.lower() if isinstance(identifier, str) else None
    if lower in ("accuracy", "acc"):
        return _ACCURACIES[label_kind(y_true_shape, y_pred_shape)](name=identifier)
    if lower in ("crossentropy", "ce"):
        from_logits = bool(getattr(loss, "from_logits", False))
        cls = _CROSSENTROPIES[label_kind(y_true_shape, y_pred_shape)]
        return cls(name=identifier, from_logits=from_logits)
    metric = REGISTRY.get(identifier)
    if not isinstance(metric, Metric):
        return FunctionMetric(metric, name=log_name(identifier))
    return type(metric)(name=identifier) if isinstance(identifier, str) else metric


def log_name(identifier: Identifier) -> str:
    """Return a metric's key in logs: a string as it is, or the name of an object or function.

    >>> from fjax.metrics import AUC, RootMeanSquaredError
    >>> log_name("MAE"), log_name(RootMeanSquaredError(name="rmse")), log_name(AUC)
    ('MAE', 'rmse', 'auc')
    """
    return identifier if isinstance(identifier, str) else function_name(REGISTRY.get(identifier))
