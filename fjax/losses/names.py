"""Losses by name: what `compile(loss=…)` accepts."""

from collections.abc import Mapping
from typing import Any

from fjax.losses import (
    crossentropy,
    divergence,
    focal,
    generalized,
    margins,
    overlap,
    regression,
    similarity,
    temporal,
)
from fjax.losses.loss import FunctionLoss, Loss
from fjax.registry import Registry, defined_in, serialize_as_dict
from fjax.typing import Identifier, Shape

_MODULES = (
    crossentropy, divergence, focal, generalized, margins, overlap, regression, similarity, temporal
)  # fmt: skip

# The class of each loss function.
_CLASSES: dict[Any, type[Loss]] = {
    member.function: member for member in defined_in(*_MODULES) if hasattr(member, "function")
}

REGISTRY = Registry(
    "loss",
    [*_CLASSES, *_CLASSES.values(), FunctionLoss],
    # As in Keras, a name in snake case means the function and not the class.
    {function.__name__: function for function in _CLASSES}
    | {
        "LossFunctionWrapper": FunctionLoss,
        "bce": crossentropy.binary_crossentropy,
        "kld": divergence.kl_divergence,
        "logcosh": regression.log_cosh,
        "mae": regression.mean_absolute_error,
        "mape": regression.mean_absolute_percentage_error,
        "mse": regression.mean_squared_error,
        "msle": regression.mean_squared_logarithmic_error,
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


def serialize(loss: Any) -> Any:
    """Return a loss function or object as plain data, as `keras.losses.serialize`.

    Raises:
        TypeError: It is neither, or a function without a name.

    >>> from fjax.losses import Huber
    >>> deserialize(serialize(Huber(2.0)))
    Huber(delta=2.0)
    """
    return serialize_as_dict(loss)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the loss function or object for the result of `serialize`.

    As `keras.losses.deserialize`.

    Args:
        name: The result of `serialize`, or the name of a function or class.
        custom_objects: Your own classes and functions by name.

    Raises:
        ValueError: The name is unknown.
        TypeError: The configuration is not in this form.

    >>> deserialize({"class_name": "Huber", "config": {}})
    Huber()
    """
    return REGISTRY.deserialize(name, custom_objects)


def as_loss(identifier: Identifier) -> Loss:
    """Return the `Loss` object for an identifier; equal identifiers give equal objects.

    A loss function of fjax gives an object of its class, any other function a `FunctionLoss`.

    Raises:
        ValueError: The name is unknown.
        TypeError: The identifier is not a loss.

    >>> as_loss("mse") == as_loss(regression.mean_squared_error) == regression.MeanSquaredError()
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


def log_name(identifier: Identifier) -> str:
    """Return a loss's name in logs: a function's name as it is written, or an object's name.

    >>> from fjax.losses import Huber
    >>> log_name("mse"), log_name("Huber"), log_name(Huber(name="robust"))
    ('mse', 'huber_loss', 'robust')
    """
    is_text = isinstance(identifier, str)
    if is_text and (_is_by_shapes(identifier) or not isinstance(REGISTRY.get(identifier), Loss)):
        return str(identifier)
    return str(as_loss(identifier).name)


def resolve(identifier: Identifier, y_true_shape: Shape, y_pred_shape: Shape) -> Loss:
    """Return the `Loss` object for an identifier; the shapes choose which one "crossentropy" means.

    Args:
        identifier: As in `get`, or "crossentropy" or "ce".
        y_true_shape: The shape of the targets, batch axis included.
        y_pred_shape: The shape of the predictions, batch axis included.

    >>> resolve("ce", (32,), (32, 10))
    SparseCategoricalCrossentropy()
    """
    if _is_by_shapes(identifier):
        return {
            "binary": crossentropy.BinaryCrossentropy,
            "sparse": crossentropy.SparseCategoricalCrossentropy,
            "categorical": crossentropy.CategoricalCrossentropy,
        }[label_kind(y_true_shape, y_pred_shape)]()
    return as_loss(identifier)


def _is_by_shapes(identifier: Any) -> bool:
    return isinstance(identifier, str) and identifier.lower() in ("crossentropy", "ce")


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
