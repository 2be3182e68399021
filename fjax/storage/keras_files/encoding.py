"""Configurations of Keras from objects of fjax: the reverse of `decoding`."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from fjax.configuration import Configured, arguments, stored
from fjax.core.inputs import InputLayer
from fjax.core.layer import Layer
from fjax.custom_objects import registered_name
from fjax.dtype_policies import NAMED, describe_policy
from fjax.storage.classes import CLASSES
from fjax.storage.functions import name_of_function
from fjax.storage.keras_files.decoding import warn_of_difference
from fjax.typing import HasConfig

ADVICE = "Save it in fjax's own format, with another extension, such as `model.save('model.fjax')`."
# What a first layer declares is in the configuration of the model.
_DECLARED = "input_shape"
_NAMES = {member: name for name, member in CLASSES.items()}
# The families of classes that are packages of Keras under another name.
_MODULES = {"schedules": "optimizers.schedules"}


def encode_for_keras(value: Any, label: str = "the value") -> Any:
    """Return an object, or a value of one of its fields, as Keras describes it.

    Args:
        value: The object.
        label: The name of the value in error messages.

    Raises:
        TypeError: It contains something that Keras does not have.

    >>> from fjax.layers import Dropout
    >>> described = encode_for_keras(Dropout(0.5))
    >>> described["module"], described["class_name"], described["config"]["rate"]
    ('keras.layers', 'Dropout', 0.5)
    """
    if value is None or isinstance(value, bool | str | int | float):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [encode_for_keras(item, f"{label}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {key: encode_for_keras(each, f"{label}[{key!r}]") for key, each in value.items()}
    if isinstance(value, Configured):
        return encode_object(value)
    if isinstance(value, HasConfig) and not isinstance(value, type):
        return _encode_custom(value)
    if callable(value):
        return _encode_function(value, label)
    raise TypeError(f"{label} is {value!r}, which a file of Keras cannot hold. {ADVICE}")


def encode_object(value: Configured) -> dict[str, Any]:
    """Return an object as Keras describes it: a class of Keras, or one of the user.

    Raises:
        TypeError: Keras has no such class, or not a value of one of its fields.
    """
    cls = type(value)
    is_own = cls.__module__.startswith("fjax.")
    if cls not in _NAMES and not is_own:
        return _encode_custom(value)
    family, _, name = _NAMES.get(cls, f"core.{cls.__name__}").partition(".")
    if family == "core" or not cls.in_keras:
        raise TypeError(
            f"`{name}`{_called(value)} is not a class of Keras, so a `.keras` file cannot hold it. "
            f"{ADVICE}"
        )
    warn_of_difference(cls)
    return {
        "module": f"keras.{_MODULES.get(family, family)}",
        "class_name": name,
        "config": _config(value),
        "registered_name": None,
    }


def _config(value: Configured) -> dict[str, Any]:
    """Return the fields of an object under Keras's names."""
    cls, owner = type(value), f"`{type(value).__name__}`{_called(value)}"
    names = {ours: theirs for theirs, ours in cls.keras_fields.items()}
    beyond = _fields_beyond_keras(cls)
    config = {}
    for item in arguments(cls):
        field = stored(value, item.name)
        if item.name == _DECLARED:
            continue
        if item.name in beyond:
            if item.default is dataclasses.MISSING or not _is_default(field, item.default):
                raise TypeError(
                    f"{owner}: `{item.name}` is {field!r}, and Keras has no such argument. {ADVICE}"
                )
            continue
        config[names.get(item.name, item.name)] = encode_for_keras(field, f"{owner}: `{item.name}`")
    if isinstance(value, InputLayer):
        return _input_config(value)
    if isinstance(value, Layer):
        config["dtype"] = _policy(stored(value, "dtype"), owner)
    return config


def _policy(name: str, owner: str) -> dict[str, Any]:
    if name not in NAMED:
        raise TypeError(f"{owner}: Keras has no dtype policy {name!r}. {ADVICE}")
    return describe_policy(name)


def _input_config(layer: InputLayer) -> dict[str, Any]:
    return {
        "batch_shape": [layer.batch_size, *layer.shape],
        "dtype": layer.dtype,
        "sparse": False,
        "ragged": False,
        "name": layer.given_name,
        "optional": False,
    }


def _encode_custom(value: Any) -> dict[str, Any]:
    """Return an object of a user's class, whose `get_config` says how it is made."""
    cls, config = type(value), dict(value.get_config())
    return {
        "module": None,
        "class_name": cls.__name__,
        "config": encode_for_keras(config, f"`{cls.__name__}`: `get_config()`"),
        "registered_name": registered_name(cls),
    }


def _encode_function(value: Any, label: str) -> Any:
    known = name_of_function(value)
    family, _, name = (known or "").rpartition(".")
    if family in ("activations", "losses", "metrics"):
        return name
    custom = registered_name(value)
    if known is not None or "<" in custom:
        raise TypeError(
            f"{label} is the function {known or custom!r}, which Keras does not have under this "
            f"name. {ADVICE}"
        )
    return {
        "module": "builtins",
        "class_name": "function",
        "config": custom,
        "registered_name": custom,
    }


def _fields_beyond_keras(cls: type[Configured]) -> frozenset[str]:
    declared = (vars(base).get("fields_beyond_keras", frozenset()) for base in cls.__mro__)
    return frozenset().union(*declared)


def _is_default(value: Any, default: Any) -> bool:
    return type(value) is type(default) and bool(value == default)


def _called(value: Any) -> str:
    name = getattr(value, "name", None)
    return f" {name!r}" if isinstance(name, str) else ""
