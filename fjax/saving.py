"""Model files and plain data, with the names of `keras.saving`."""

from collections.abc import Mapping
from typing import Any

from fjax import (
    activations,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
)
from fjax.custom_objects import CustomObjectScope as CustomObjectScope
from fjax.custom_objects import custom_object_scope as custom_object_scope
from fjax.custom_objects import get_custom_objects as get_custom_objects
from fjax.custom_objects import get_registered_name as get_registered_name
from fjax.custom_objects import get_registered_object as get_registered_object
from fjax.errors import unknown_name
from fjax.models.loading import load_model as load_model
from fjax.models.saving import load_weights as load_weights
from fjax.models.saving import save_model as save_model
from fjax.models.saving import save_weights as save_weights
from fjax.registry import serialize_as_dict
from fjax.storage import ModelFileError as ModelFileError
from fjax.storage import register_serializable as register_serializable
from fjax.storage.run_identity import ChangedRunError as ChangedRunError

# Keras's name of the same function.
register_keras_serializable = register_serializable

# The modules whose objects can be plain data. A class that several have is the first one's.
_FAMILIES = (
    layers, models, initializers, regularizers, constraints, activations, losses, metrics,
    optimizers, optimizers.schedules,
)  # fmt: skip


def serialize_keras_object(obj: Any) -> Any:
    """Return an object as plain data, which `deserialize_keras_object` takes.

    Args:
        obj: A layer, model, loss or the like, a function with a name, a number or text, or a list,
            tuple or dict of these.

    Raises:
        TypeError: The object has no `get_config`, or the function no name.

    Source: Keras's page "Serialization utilities".

    >>> from fjax.layers import Dense
    >>> serialize_keras_object({"layer": Dense(3), "size": 2})["layer"]["class_name"]
    'Dense'
    """
    if obj is None or isinstance(obj, bool | int | float | str):
        return obj
    if isinstance(obj, Mapping):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, list):
        return [serialize_keras_object(value) for value in obj]
    if isinstance(obj, tuple):
        items = [serialize_keras_object(value) for value in obj]
        return {"class_name": "__tuple__", "config": {"value": items}}
    return serialize_as_dict(obj)


def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True
) -> Any:
    """Return the object that `serialize_keras_object` described.

    It imports nothing and runs no code from the description: the classes are those of fjax, and
    yours by name.

    Args:
        config: The plain data.
        custom_objects: Your own classes and functions by name.
        safe_mode: Ignored: plain data never contains code.

    Raises:
        ValueError: A name is unknown.

    Source: Keras's page "Serialization utilities".

    >>> from fjax.layers import Dense
    >>> deserialize_keras_object(serialize_keras_object(Dense(3)))
    Dense(units=3)
    """
    with custom_object_scope(custom_objects or {}):
        return _deserialize(config)


def _deserialize(data: Any) -> Any:
    if isinstance(data, list | tuple):
        return [_deserialize(value) for value in data]
    if not isinstance(data, Mapping):
        return data
    if not {"class_name", "config"} <= data.keys():
        return {key: _deserialize(value) for key, value in data.items()}
    name, config = data["class_name"], data["config"]
    if name == "__tuple__":
        return tuple(_deserialize(config["value"]))
    if name == "function":
        return _find(config, None)
    member = _find(data.get("registered_name") or name, data.get("module"))
    return member.from_config(config) if hasattr(member, "from_config") else member(**config)


def _find(name: str, module: str | None) -> Any:
    """Return the class or function of a name: that of a family of fjax, or the user's."""
    families = [each for each in _FAMILIES if module in (None, each.__name__)] or _FAMILIES
    custom = get_registered_object(name)
    if custom is not None:
        return custom
    for family in families:
        if callable(vars(family).get(name)):
            return vars(family)[name]
    is_class = name[:1].isupper()
    public = {each for family in _FAMILIES for each in vars(family) if not each.startswith("_")}
    known = [each for each in public if each[:1].isupper() == is_class]
    raise unknown_name("class" if is_class else "function", name, known)


def __dir__() -> list[str]:
    modules = {each.__name__.rpartition(".")[2] for each in _FAMILIES}
    names = {name for name in globals() if not name.startswith("_")} - modules
    return sorted(names - {"Any", "Mapping", "serialize_as_dict", "unknown_name"})


def __getattr__(name: str) -> Any:
    raise AttributeError(
        f"`fjax.saving` has no `{name}`. It has {', '.join(f'`{each}`' for each in __dir__())}."
    )
