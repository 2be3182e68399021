"""Losses by name: what `compile(loss=…)` accepts."""

from collections.abc import Mapping
from typing import Any

from fjax.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from fjax.losses.divergence import KLDivergence, Poisson, kl_divergence, poisson
from fjax.losses.focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
)
from fjax.losses.generalized import (
    CategoricalGeneralizedCrossEntropy,
    categorical_generalized_cross_entropy,
)
from fjax.losses.hinge import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from fjax.losses.loss import FunctionLoss, Loss
from fjax.losses.overlap import (
    Dice,
    Tversky,
    dice,
    tversky,
)
from fjax.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from fjax.losses.similarity import (
    Circle,
    circle,
)
from fjax.losses.temporal import (
    CTC,
    ctc,
)
from fjax.registry import Registry
from fjax.registry import serialize as serialize
from fjax.typing import Identifier, Shape

_CLASSES: dict[Any, type[Loss]] = {
    binary_crossentropy: BinaryCrossentropy,
    binary_focal_crossentropy: BinaryFocalCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    categorical_focal_crossentropy: CategoricalFocalCrossentropy,
    categorical_generalized_cross_entropy: CategoricalGeneralizedCrossEntropy,
    categorical_hinge: CategoricalHinge,
    circle: Circle,
    cosine_similarity: CosineSimilarity,
    ctc: CTC,
    dice: Dice,
    hinge: Hinge,
    huber: Huber,
    kl_divergence: KLDivergence,
    log_cosh: LogCosh,
    mean_absolute_error: MeanAbsoluteError,
    mean_absolute_percentage_error: MeanAbsolutePercentageError,
    mean_squared_error: MeanSquaredError,
    mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    poisson: Poisson,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    squared_hinge: SquaredHinge,
    tversky: Tversky,
}

REGISTRY = Registry(
    "loss",
    [*_CLASSES, *_CLASSES.values()],
    # As in Keras, a name in snake case means the function and not the class.
    {function.__name__: function for function in _CLASSES}
    | {
        "bce": binary_crossentropy,
        "kld": kl_divergence,
        "logcosh": log_cosh,
        "mae": mean_absolute_error,
        "mape": mean_absolute_percentage_error,
        "mse": mean_squared_error,
        "msle": mean_squared_logarithmic_error,
    },
)


def get(identifier: Identifier) -> Any:
    """Return the loss function or object for an identifier, as `keras.losses.get`.

    Args:
        identifier: A function's name such as "mean_squared_error" or "mse"; a class or its name, to
            make an object with the default arguments; `{"class_name": …, "config": …}`; a function
            or object; or None.

    Raises:
        ValueError: The name is unknown; the nearest known one is suggested.
        TypeError: The identifier is none of these.

    >>> get("mse").__name__, get("Huber")
    ('mean_squared_error', Huber())
    """
    return None if identifier is None else REGISTRY.get(identifier)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the loss that `serialize` described.

    >>> deserialize(serialize(Huber())) == Huber()
    True
    """
    return REGISTRY.deserialize(config, custom_objects)


def as_loss(identifier: Identifier) -> Loss:
    """Return the `Loss` object for an identifier; equal identifiers give equal objects.

    A loss function of fjax gives an object of its class, any other function a `FunctionLoss`.

    Raises:
        ValueError: The name is unknown.
        TypeError: The identifier is not a loss.

    >>> as_loss("mse") == as_loss(mean_squared_error) == MeanSquaredError()
    True
    """
    loss = REGISTRY.get(identifier)
    if isinstance(loss, Loss):
        return loss
    # Compared by identity, because a callable object need not be hashable.
    for function, cls in _CLASSES.items():
        if function is loss:
            return cls()
    return FunctionLoss(loss)


def resolve(identifier: Identifier, y_true_shape: Shape, y_pred_shape: Shape) -> Loss:
    """Return the `Loss` object for an identifier; the shapes choose which one "crossentropy" means.

    Args:
        identifier: As in `get`, or "crossentropy" or "ce".
        y_true_shape: The shape of the targets, batch axis included.
        y_pred_shape: The shape of the predictions, batch axis included.

    >>> resolve("ce", (32,), (32, 10))
    SparseCategoricalCrossentropy()
    """
    if isinstance(identifier, str) and identifier.lower() in ("crossentropy", "ce"):
        return {
            "binary": BinaryCrossentropy,
            "sparse": SparseCategoricalCrossentropy,
            "categorical": CategoricalCrossentropy,
        }[label_kind(y_true_shape, y_pred_shape)]()
    return as_loss(identifier)


def label_kind(y_true_shape: Shape, y_pred_shape: Shape) -> str:
    """Return the kind of labels that the shapes imply: "binary", "sparse" or "categorical".

    The rules are those of Keras's `compile`; predictions without a last axis are binary.

    >>> label_kind((32, 1), (32, 1)), label_kind((32,), (32, 10)), label_kind((32, 10), (32, 10))
    ('binary', 'sparse', 'categorical')
    """
    if len(y_pred_shape) < 2 or y_pred_shape[-1] == 1:
        return "binary"
    sparse = len(y_true_shape) < len(y_pred_shape) or y_true_shape[-1] == 1
    return "sparse" if sparse else "categorical"
