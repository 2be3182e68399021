"""Configured objects as plain data, and back: what a model file says in words.

What JSON does not have is told by an object of one key: `{"tuple": […]}`, `{"dict": {…}}`,
`{"float": "nan"}`, `{"function": "activations.relu"}`. An object of fjax is `{"class":
"layers.Dense", "config": {…}}`, where the config has each field of the class; one of a user's is
`{"custom": "Shop>Double", "config": {…}}`.
"""

import inspect
import math
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fjax.configuration import Configured, arguments, is_required
from fjax.core.calling import CallKwargs
from fjax.core.masking import Masked
from fjax.errors import suggestion
from fjax.storage.classes import CLASSES
from fjax.storage.functions import FUNCTIONS
from fjax.storage.registration import find_custom, name_of
from fjax.storage.strict_json import NOT_FINITE

_CLASS_NAMES = {member: name for name, member in CLASSES.items()}
_FUNCTION_NAMES = {id(member): name for name, member in FUNCTIONS.items()}


def encode(value: Any, where: str = "the value") -> Any:
    """Return plain data for a configured object, or for what its fields hold.

    Args:
        value: The object.
        where: What to call it in an error.

    Raises:
        TypeError: There is something that cannot be told by a name, as a lambda.

    >>> from fjax.layers import Reshape
    >>> encode(Reshape((2, 3)))["config"]["target_shape"]
    {'tuple': [2, 3]}
    """
    # The network of a model that an author wrote is told by that model.
    value = getattr(value, "described_by", value)
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        number = float(value)
        return number if math.isfinite(number) else {"float": str(number)}
    if isinstance(value, list):
        return _listed(value, where)
    if isinstance(value, Masked):
        return {"masked": _listed([value.values, value.mask], where)}
    # A named tuple of another library, as optax's optimizers are, would come back as a plain one.
    if type(value) is tuple:
        return {"tuple": _listed(value, where)}
    if isinstance(value, Mapping):
        kind = "keywords" if isinstance(value, CallKwargs) else "dict"
        return {kind: _mapped(value, where)}
    if isinstance(value, Configured):
        return _object(value, where)
    if hasattr(value, "get_config") and not isinstance(value, type):
        return _custom(value, where)
    if callable(value):
        return _function(value, where)
    raise TypeError(
        f"{where} is {value!r} of type `{type(value).__name__}`, which a model file cannot hold."
    )


def decode(data: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return what `encode` made plain data of.

    Nothing is imported, and nothing made but what `CLASSES`, `FUNCTIONS` and the custom names have.

    Args:
        data: The plain data.
        custom_objects: A user's classes and functions by name, beside the registered ones.

    Raises:
        ValueError: Something is not as `encode` makes it, is not known, or cannot be made.

    >>> decode({"class": "layers.Reshape", "config": {"target_shape": {"tuple": [2]}}})
    Reshape(target_shape=(2,))
    >>> decode({"class": "layers.Reshape", "config": {}})
    Traceback (most recent call last):
        ...
    ValueError: `layers.Reshape` is described without `target_shape`, which it needs
    """
    custom = custom_objects or {}
    if data is None or isinstance(data, bool | str | int | float):
        return data
    if isinstance(data, list):
        return [decode(item, custom) for item in data]
    if not isinstance(data, dict):
        raise ValueError(f"{data!r} is no plain data")
    keys = tuple(sorted(data))
    reader = _READERS.get(keys)
    if reader is None:
        raise ValueError(
            f"an object has the keys {', '.join(map(repr, keys))[:120]}, which say nothing"
        )
    return reader(data, custom)


def completed(data: Any) -> Any:
    """Return plain data in which each object of fjax has all its fields.

    Two descriptions of the same thing, of which one was written before a field was added, are
    equal then.

    >>> short = {"class": "layers.Flatten", "config": {}}
    >>> from fjax.layers import Flatten
    >>> completed(short) == encode(Flatten())
    True
    """
    if isinstance(data, list):
        return [completed(item) for item in data]
    if not isinstance(data, dict):
        return data
    data = {key: completed(item) for key, item in data.items()}
    if data.keys() == {"class", "config"} and data["class"] in CLASSES:
        fields = arguments(CLASSES[data["class"]])
        missing = [item for item in fields if item.name not in data["config"]]
        if missing:
            data["config"] |= _defaults(data, missing)
    return data


def _defaults(data: dict[str, Any], missing: list[Any]) -> dict[str, Any]:
    """Return the fields that a description lacks, as they are where they are left out."""
    try:
        whole = decode(data)
    except ValueError:
        # It has something of a user's inside.
        return {item.name: encode(item.default) for item in missing if not is_required(item)}
    return {item.name: encode(getattr(whole, item.name)) for item in missing}


def _listed(values: Any, where: str) -> list[Any]:
    return [encode(item, f"{where}[{place}]") for place, item in enumerate(values)]


def _mapped(values: Mapping[Any, Any], where: str) -> dict[str, Any]:
    for key in values:
        if not isinstance(key, str):
            raise TypeError(f"{where} has the key {key!r}: a model file holds strings as keys.")
    return {key: encode(item, f"{where}[{key!r}]") for key, item in values.items()}


def _object(value: Configured, where: str) -> dict[str, Any]:
    name = _CLASS_NAMES.get(type(value))
    if name is None and value._authored:
        return _custom(value, where)
    label = f"`{type(value).__name__}`"
    config = {
        item.name: encode(getattr(value, item.name), f"{label}: `{item.name}`")
        for item in arguments(type(value))
    }
    if name is None:
        return {"custom": name_of(type(value)), "config": config}
    return {"class": name, "config": config}


def _custom(value: Any, where: str) -> dict[str, Any]:
    """Describe an object whose class has its own `__init__`, by its own `get_config`."""
    cls = type(value)
    config = dict(value.get_config())
    if cls.from_config.__module__.startswith("fjax."):
        try:
            inspect.signature(cls).bind(**config)
        except TypeError as error:
            raise TypeError(
                f"`{cls.__name__}` cannot be made again from its configuration, "
                f"{sorted(config)}: {error}. Write `get_config(self)` so that it returns the "
                "arguments of `__init__` by name, with those of `super().get_config()`."
            ) from None
    return {"custom": name_of(cls), "config": _mapped(config, f"`{cls.__name__}`: `get_config()`")}


def _function(value: Callable[..., Any], where: str) -> dict[str, Any]:
    name = _FUNCTION_NAMES.get(id(value))
    if name is not None:
        return {"function": name}
    own = getattr(value, "__name__", "<lambda>")
    if "<" in own:
        raise TypeError(
            f"{where} is a function without a name: write it by `def`, so that who reads the file "
            "can give it by its name."
        )
    return {"custom_function": name_of(value)}


def _read_tuple(data: dict[str, Any], custom: Mapping[str, Any]) -> Any:
    return tuple(_items(data["tuple"], custom))


def _read_dict(data: dict[str, Any], custom: Mapping[str, Any]) -> Any:
    return _entries(data["dict"], custom)


def _read_keywords(data: dict[str, Any], custom: Mapping[str, Any]) -> Any:
    return CallKwargs(_entries(data["keywords"], custom))


def _read_masked(data: dict[str, Any], custom: Mapping[str, Any]) -> Any:
    values, mask = _items(data["masked"], custom)
    return Masked(values, mask)


def _read_float(data: dict[str, Any], custom: Mapping[str, Any]) -> Any:
    if data["float"] not in NOT_FINITE:
        raise ValueError(f"{data['float']!r} is no number that is not finite")
    return NOT_FINITE[data["float"]]


def _read_function(data: dict[str, Any], custom: Mapping[str, Any]) -> Any:
    name = data["function"]
    if name not in FUNCTIONS:
        raise ValueError(f"fjax has no function {name!r}{suggestion(str(name), FUNCTIONS)}")
    return FUNCTIONS[name]


def _read_custom_function(data: dict[str, Any], custom: Mapping[str, Any]) -> Any:
    return find_custom("function", str(data["custom_function"]), custom)


def _read_class(data: dict[str, Any], custom: Mapping[str, Any]) -> Any:
    name = data["class"]
    if name not in CLASSES:
        raise ValueError(f"fjax has no class {name!r}{suggestion(str(name), CLASSES)}")
    return _made(name, CLASSES[name], _entries(data["config"], custom))


def _read_custom(data: dict[str, Any], custom: Mapping[str, Any]) -> Any:
    name = str(data["custom"])
    cls = find_custom("class", name, custom)
    config = _entries(data["config"], custom)
    if issubclass(cls, Configured) and not cls._authored:
        return _made(name, cls, config)
    return cls.from_config(config)


_READERS: Mapping[tuple[str, ...], Callable[[dict[str, Any], Mapping[str, Any]], Any]] = {
    ("tuple",): _read_tuple,
    ("dict",): _read_dict,
    ("keywords",): _read_keywords,
    ("masked",): _read_masked,
    ("float",): _read_float,
    ("function",): _read_function,
    ("custom_function",): _read_custom_function,
    ("class", "config"): _read_class,
    ("config", "custom"): _read_custom,
}


def _items(values: Any, custom: Mapping[str, Any]) -> list[Any]:
    if not isinstance(values, list):
        raise ValueError(f"expected a list, found {str(values)[:80]!r}")
    return [decode(item, custom) for item in values]


def _entries(values: Any, custom: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise ValueError(f"expected an object, found {str(values)[:80]!r}")
    return {key: decode(item, custom) for key, item in values.items()}


def _made(name: str, cls: type[Configured], config: dict[str, Any]) -> Configured:
    """Return an object of these fields, each of its plain type.

    A field that a file does not have, as one that a later release added, takes its default.
    """
    fields = {item.name: item for item in arguments(cls)}
    unknown = [key for key in config if key not in fields]
    missing = [key for key in fields if key not in config and is_required(fields[key])]
    if unknown:
        raise ValueError(
            f"`{name}` has no argument {unknown[0][:80]!r}{suggestion(unknown[0], fields)}"
        )
    if missing:
        needed = ", ".join(f"`{key}`" for key in missing)
        raise ValueError(f"`{name}` is described without {needed}, which it needs")
    for key, value in config.items():
        if not _of_type(value, fields[key].type):
            raise ValueError(
                f"`{name}`: `{key}` must be of type `{fields[key].type}`, found {value!r}"
            )
    return cls.from_config(config)


def _of_type(value: Any, annotation: Any) -> bool:
    """Tell whether a value may stand in a field, as far as its annotation is of plain types."""
    union = isinstance(annotation, types.UnionType)
    choices = annotation.__args__ if union else (annotation,)
    if not all(choice in (bool, int, float, str, type(None)) for choice in choices):
        return True
    if value is None or isinstance(value, bool):
        return type(value) in choices
    return type(value) in choices or (type(value) is int and float in choices)
