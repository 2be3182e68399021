"""Metrics by name: what `compile(metrics=[…])` accepts."""

from typing import Any

from fjax.losses.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from fjax.losses.divergence import kl_divergence, poisson
from fjax.losses.focal import binary_focal_crossentropy, categorical_focal_crossentropy
from fjax.losses.hinge import categorical_hinge, hinge, squared_hinge
from fjax.losses.names import label_kind
from fjax.losses.regression import (
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from fjax.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from fjax.metrics.auc import AUC
from fjax.metrics.confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from fjax.metrics.correlation import (
    ConcordanceCorrelation,
    PearsonCorrelation,
    concordance_correlation,
    pearson_correlation,
)
from fjax.metrics.f_score import F1Score, FBetaScore
from fjax.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from fjax.metrics.metric import Metric
from fjax.metrics.operating_point import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from fjax.metrics.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    Hinge,
    KLDivergence,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from fjax.metrics.reduction import FunctionMetric, Mean, Sum, function_name
from fjax.metrics.regression import (
    CosineSimilarity,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    R2Score,
    RootMeanSquaredError,
)
from fjax.registry import Registry
from fjax.typing import Identifier, Shape

REGISTRY = Registry(
    "metric",
    [
        AUC,
        BinaryIoU,
        ConcordanceCorrelation,
        IoU,
        OneHotIoU,
        OneHotMeanIoU,
        PearsonCorrelation,
        PrecisionAtRecall,
        RecallAtPrecision,
        SensitivityAtSpecificity,
        SpecificityAtSensitivity,
        concordance_correlation,
        pearson_correlation,
        Accuracy,
        BinaryAccuracy,
        BinaryCrossentropy,
        CategoricalAccuracy,
        CategoricalCrossentropy,
        CategoricalHinge,
        CosineSimilarity,
        F1Score,
        FBetaScore,
        FalseNegatives,
        FalsePositives,
        Hinge,
        KLDivergence,
        LogCoshError,
        Mean,
        MeanAbsoluteError,
        MeanAbsolutePercentageError,
        MeanIoU,
        MeanSquaredError,
        MeanSquaredLogarithmicError,
        Poisson,
        Precision,
        R2Score,
        Recall,
        RootMeanSquaredError,
        SparseCategoricalAccuracy,
        SparseCategoricalCrossentropy,
        SparseTopKCategoricalAccuracy,
        SquaredHinge,
        Sum,
        TopKCategoricalAccuracy,
        TrueNegatives,
        TruePositives,
        binary_accuracy,
        binary_crossentropy,
        binary_focal_crossentropy,
        categorical_accuracy,
        categorical_crossentropy,
        categorical_focal_crossentropy,
        categorical_hinge,
        hinge,
        huber,
        kl_divergence,
        log_cosh,
        mean_absolute_error,
        mean_absolute_percentage_error,
        mean_squared_error,
        mean_squared_logarithmic_error,
        poisson,
        sparse_categorical_accuracy,
        sparse_categorical_crossentropy,
        sparse_top_k_categorical_accuracy,
        squared_hinge,
        top_k_categorical_accuracy,
    ],
    {
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

    >>> get("mae"), get("AUC")
    (MeanAbsoluteError(), AUC())
    """
    return None if identifier is None else REGISTRY.get(identifier)


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

    >>> log_name("MAE"), log_name(RootMeanSquaredError(name="rmse")), log_name(AUC)
    ('MAE', 'rmse', 'auc')
    """
    return identifier if isinstance(identifier, str) else function_name(REGISTRY.get(identifier))
