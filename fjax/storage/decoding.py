"""Configured objects from plain data: the reverse of `encoding`."""

import types
from collections.abc import Callable, Mapping
from typing import Any

from fjax.configuration import Configured, arguments, is_required
from fjax.core.calling import CallKwargs
from fjax.core.masking import Masked
from fjax.custom_objects import find_custom
from fjax.errors import suggestion
from fjax.storage.classes import CLASSES
from fjax.storage.functions import function_named
from fjax.storage.strict_json import NON_FINITE

CustomObjects = Mapping[str, Any]


def decode(data: Any, custom_objects: CustomObjects | None = None) -> Any:
    """Return the object that `encode` turned into plain data.

    It imports nothing, and creates only what `CLASSES`, `FUNCTIONS` and the user's names allow.

    Args:
        data: The plain data.
        custom_objects: A user's classes and functions by name, in addition to the registered ones.

    Raises:
        ValueError: The data is not in the form that `encode` gives it, contains an unknown name,
            or describes an object that its class rejects.

    >>> decode({"class": "layers.Reshape", "config": {"target_shape": {"tuple": [2]}}})
    Reshape(target_shape=(2,))
    >>> decode({"class": "layers.Reshape", "config": {}})
    Traceback (most recent call last):
        ...
    ValueError: `layers.Reshape` lacks the required argument `target_shape`
    """
    custom = custom_objects or {}
    if data is None or isinstance(data, bool | str | int | float):
        return data
    if isinstance(data, list):
        return [decode(item, custom) for item in data]
    if not isinstance(data, dict):
        raise ValueError(f"{data!r} is not plain data")
    keys = tuple(sorted(data))
    decoder = _DECODERS.get(keys)
    if decoder is None:
        raise ValueError(f"unrecognized object with the keys {', '.join(map(repr, keys))[:120]}")
    return decoder(data, custom)


def config_values(owner: str, config: Any, keys: tuple[str, ...]) -> tuple[Any, ...]:
    """Return the values of a configuration, which must have exactly these keys.

    >>> config_values("Model", {"name": "net"}, ("name", "network"))
    Traceback (most recent call last):
        ...
    ValueError: the configuration of `Model` must have exactly the keys 'name', ...
    """
    if not isinstance(config, Mapping) or config.keys() != set(keys):
        found = ", ".join(map(repr, config)) if isinstance(config, Mapping) else repr(config)
        expected = ", ".join(map(repr, keys))
        raise ValueError(
            f"the configuration of `{owner}` must have exactly the keys {expected}, found "
            f"{found[:200]}"
        )
    return tuple(config[key] for key in keys)


def _decode_tuple(data: dict[str, Any], custom: CustomObjects) -> Any:
    return tuple(_decode_items(data["tuple"], custom))


def _decode_dict(data: dict[str, Any], custom: CustomObjects) -> Any:
    return _decode_mapping(data["dict"], custom)


def _decode_keywords(data: dict[str, Any], custom: CustomObjects) -> Any:
    return CallKwargs(_decode_mapping(data["keywords"], custom))


def _decode_masked(data: dict[str, Any], custom: CustomObjects) -> Any:
    values, mask = _decode_items(data["masked"], custom)
    return Masked(values, mask)


def _decode_float(data: dict[str, Any], custom: CustomObjects) -> Any:
    if data["float"] not in NON_FINITE:
        raise ValueError(f"{data['float']!r} must be one of 'nan', 'inf' and '-inf'")
    return NON_FINITE[data["float"]]


def _decode_function(data: dict[str, Any], custom: CustomObjects) -> Any:
    return function_named(str(data["function"]))


def _decode_custom_function(data: dict[str, Any], custom: CustomObjects) -> Any:
    return find_custom("function", str(data["custom_function"]), custom)


def _decode_class(data: dict[str, Any], custom: CustomObjects) -> Any:
    name = data["class"]
    if name not in CLASSES:
        raise ValueError(f"fjax has no class {name!r}{suggestion(str(name), CLASSES)}")
    return _create(name, CLASSES[name], _decode_mapping(data["config"], custom))


def _decode_custom(data: dict[str, Any], custom: CustomObjects) -> Any:
    name = str(data["custom"])
    cls = find_custom("class", name, custom)
    config = _decode_mapping(data["config"], custom)
    if issubclass(cls, Configured) and not cls.has_own_init:
        return _create(name, cls, config)
    return cls.from_config(config)


# The decoders by the sorted keys of an object.
_DECODERS: Mapping[tuple[str, ...], Callable[[dict[str, Any], CustomObjects], Any]] = {
    ("tuple",): _decode_tuple,
    ("dict",): _decode_dict,
    ("keywords",): _decode_keywords,
    ("masked",): _decode_masked,
    ("float",): _decode_float,
    ("function",): _decode_function,
    ("custom_function",): _decode_custom_function,
    ("class", "config"): _decode_class,
    ("config", "custom"): _decode_custom,
}


def _decode_items(values: Any, custom: CustomObjects) -> list[Any]:
    if not isinstance(values, list):
        raise ValueError(f"expected a list, found {str(values)[:80]!r}")
    return [decode(item, custom) for item in values]


def _decode_mapping(values: Any, custom: CustomObjects) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise ValueError(f"expected an object, found {str(values)[:80]!r}")
    return {key: decode(item, custom) for key, item in values.items()}


def _create(name: str, cls: type[Configured], config: dict[str, Any]) -> Configured:
    """Return an object with these fields, after checking their names and plain types.

    A field that is missing, because a later release added it, takes its default.
    """
    fields = {item.name: item for item in arguments(cls)}
    config = {cls.present_name(key): value for key, value in config.items()}
    unknown = [key for key in config if key not in fields]
    missing = [key for key in fields if key not in config and is_required(fields[key])]
    if unknown:
        raise ValueError(
            f"`{name}` has no argument {unknown[0][:80]!r}{suggestion(unknown[0], fields)}"
        )
    if missing:
        plural = "s" if len(missing) > 1 else ""
        names = ", ".join(f"`{key}`" for key in missing)
        raise ValueError(f"`{name}` lacks the required argument{plural} {names}")
    for key, value in config.items():
        if not _matches_annotation(value, fields[key].type):
            raise ValueError(
                f"`{name}`: `{key}` must be of type `{fields[key].type}`, found {value!r}"
            )
    return cls.from_config(config)


def _matches_annotation(value: Any, annotation: Any) -> bool:
    """Tell whether a value has the type of a field; only plain types are checked."""
    is_union = isinstance(annotation, types.UnionType)
    choices = annotation.__args__ if is_union else (annotation,)
    if not all(choice in (bool, int, float, str, type(None)) for choice in choices):
        return True
    if value is None or isinstance(value, bool):
        return type(value) in choices
    return type(value) in choices or (type(value) is int and float in choices)
