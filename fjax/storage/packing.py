"""Nested Python values with arrays inside, split into JSON data and named arrays.

Checkpoints store the states of callbacks and the logs in this way.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.storage.strict_json import NON_FINITE


def pack(value: Any, name: str) -> tuple[Any, dict[str, Any]]:
    """Split a value into data that JSON can hold and its arrays by dotted names.

    Args:
        value: Numbers, strings, None, arrays, and lists, tuples and dicts of these; the keys of a
            dict are strings.
        name: The prefix of the arrays' names.

    Raises:
        TypeError: The value contains an object of another type.

    >>> pack({"best": 0.5, "weights": [np.ones(2)]}, "callbacks.0")[0]
    {'dict': {'best': 0.5, 'weights': [{'array': 'callbacks.0.weights.0'}]}}
    """
    arrays: dict[str, Any] = {}
    return _pack(value, name, arrays), arrays


def unpack(data: Any, read: Callable[[str], np.ndarray]) -> Any:
    """Return the value that `pack` split; `read` returns an array by its name."""
    if isinstance(data, list):
        return [unpack(item, read) for item in data]
    if not isinstance(data, dict):
        return data
    ((kind, content),) = data.items()
    if kind == "dict":
        return {key: unpack(item, read) for key, item in content.items()}
    if kind == "tuple":
        return tuple(unpack(item, read) for item in content)
    if kind == "float":
        return NON_FINITE[content]
    array = read(content)
    if kind == "on device":
        return jnp.array(array, copy=True)
    return array[()] if kind == "scalar" else array


def _pack(value: Any, name: str, arrays: dict[str, Any]) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and not isinstance(value, np.generic):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, list):
        return _pack_items(value, name, arrays)
    if isinstance(value, tuple):
        return {"tuple": _pack_items(value, name, arrays)}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {"dict": {key: _pack(item, f"{name}.{key}", arrays) for key, item in value.items()}}
    if isinstance(value, np.ndarray | np.generic | jax.Array):
        arrays[name] = value
        return {_array_kind(value): name}
    raise TypeError(
        f"{name} is {value!r} of type `{type(value).__name__}`: a checkpoint can store numbers, "
        "strings, None, arrays, and lists, tuples and dicts of these with strings as keys."
    )


def _pack_items(values: Any, name: str, arrays: dict[str, Any]) -> list[Any]:
    return [_pack(item, f"{name}.{index}", arrays) for index, item in enumerate(values)]


def _array_kind(value: Any) -> str:
    if isinstance(value, jax.Array):
        return "on device"
    return "array" if isinstance(value, np.ndarray) else "scalar"
