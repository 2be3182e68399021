"""Configured objects as plain data: the JSON part of a model file. See `decoding` for the reverse.

What JSON cannot express becomes an object with one key: `{"tuple": […]}`, `{"dict": {…}}`,
`{"float": "nan"}`, `{"function": "activations.relu"}`. An object of a fjax class becomes
`{"class": "layers.Dense", "config": {…}}`, with all fields of the class in its config but those
that are implied. An object of a user's class becomes `{"custom": "Shop>Double", "config": {…}}`.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fjax.configuration import Configured, described_arguments, stored
from fjax.core.calling import CallKwargs
from fjax.core.masking import Masked
from fjax.custom_objects import registered_name
from fjax.storage.classes import CLASSES
from fjax.storage.functions import name_of_function
from fjax.typing import DescribedBy, HasConfig

_CLASS_NAMES = {member: name for name, member in CLASSES.items()}


def encode(value: Any, label: str = "the value") -> Any:
    """Return a configured object, or a value of one of its fields, as plain data.

    Args:
        value: The object.
        label: The name of the value in error messages.

    Raises:
        TypeError: The value contains something that has no name, such as a lambda.

    >>> from fjax.layers import Reshape
    >>> encode(Reshape((2, 3)))["config"]["target_shape"]
    {'tuple': [2, 3]}
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        number = float(value)
        return number if math.isfinite(number) else {"float": str(number)}
    if isinstance(value, np.ndarray):
        return encode(value.tolist(), label)
    if isinstance(value, list):
        return _encode_items(value, label)
    if isinstance(value, Masked):
        return {"masked": _encode_items([value.values, value.mask], label)}
    # Only plain tuples: a named tuple, such as an optax optimizer, would lose its class.
    if type(value) is tuple:
        return {"tuple": _encode_items(value, label)}
    if isinstance(value, Mapping):
        kind = "keywords" if isinstance(value, CallKwargs) else "dict"
        return {kind: _encode_mapping(value, label)}
    return _encode_object(value, label)


def _encode_items(values: Any, label: str) -> list[Any]:
    return [encode(item, f"{label}[{index}]") for index, item in enumerate(values)]


def _encode_mapping(values: Mapping[Any, Any], label: str) -> dict[str, Any]:
    for key in values:
        if not isinstance(key, str):
            raise TypeError(
                f"{label} has the key {key!r}: the keys in a model file must be strings."
            )
    return {key: encode(item, f"{label}[{key!r}]") for key, item in values.items()}


def _encode_object(value: Any, label: str) -> Any:
    if isinstance(value, DescribedBy):
        value = value.described_by
    if isinstance(value, Configured):
        return _encode_configured(value, label)
    if isinstance(value, HasConfig) and not isinstance(value, type):
        return _encode_custom(value)
    if callable(value):
        return _encode_function(value, label)
    raise TypeError(
        f"{label} is {value!r} of type `{type(value).__name__}`, which a model file cannot hold."
    )


def _encode_configured(value: Configured, label: str) -> dict[str, Any]:
    name = _CLASS_NAMES.get(type(value))
    if name is None and value.has_own_init:
        return _encode_custom(value)
    owner = f"`{type(value).__name__}`"
    config = {
        item.name: encode(stored(value, item.name), f"{owner}: `{item.name}`")
        for item in described_arguments(value)
    }
    if name is None:
        return {"custom": registered_name(type(value)), "config": config}
    return {"class": name, "config": config}


def _encode_custom(value: HasConfig) -> dict[str, Any]:
    """Encode an object whose class defines `__init__`, by what its `get_config` returns."""
    cls: Any = type(value)
    config = dict(value.get_config())
    uses_inherited_from_config = cls.from_config.__module__.startswith("fjax.")
    if uses_inherited_from_config:
        _check_constructor_takes(cls, config)
    encoded = _encode_mapping(config, f"`{cls.__name__}`: `get_config()`")
    return {"custom": registered_name(cls), "config": encoded}


def _check_constructor_takes(cls: type, config: Mapping[str, Any]) -> None:
    try:
        inspect.signature(cls).bind(**config)
    except TypeError as error:
        raise TypeError(
            f"`{cls.__name__}` cannot be created again from its configuration, "
            f"{sorted(config)}: {error}. Write `get_config(self)` so that it returns the arguments "
            "of `__init__` by name, together with those of `super().get_config()`."
        ) from None


def _encode_function(value: Callable[..., Any], label: str) -> dict[str, Any]:
    name = name_of_function(value)
    if name is not None:
        return {"function": name}
    name = registered_name(value)
    if "<" in name:
        raise TypeError(
            f"{label} is a function without a name: define it with `def`, or give it a name by "
            "`custom_object_scope({name: function})`, so that it can be passed by name when the "
            "file is loaded."
        )
    return {"custom_function": name}
