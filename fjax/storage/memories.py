"""What callbacks remember, and logs: plain data in which numbers may be arrays."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.storage.strict_json import NOT_FINITE


def packed(value: Any, name: str) -> tuple[Any, dict[str, Any]]:
    """Return plain data that JSON holds, and the arrays that were in it, by dotted names.

    Args:
        value: Numbers, strings, None, lists, tuples, dicts with strings as keys, and arrays.
        name: What the arrays' names begin with.

    Raises:
        TypeError: There is something else in it.

    >>> packed({"best": 0.5, "weights": [np.ones(2)]}, "callbacks.0")[0]
    {'dict': {'best': 0.5, 'weights': [{'array': 'callbacks.0.weights.0'}]}}
    """
    arrays: dict[str, Any] = {}
    return _packed(value, name, arrays), arrays


def unpacked(data: Any, read: Callable[[str], np.ndarray]) -> Any:
    """Return what `packed` made plain data of; `read` returns an array by its name."""
    if isinstance(data, list):
        return [unpacked(item, read) for item in data]
    if not isinstance(data, dict):
        return data
    ((kind, told),) = data.items()
    if kind == "dict":
        return {key: unpacked(item, read) for key, item in told.items()}
    if kind == "tuple":
        return tuple(unpacked(item, read) for item in told)
    if kind == "float":
        return NOT_FINITE[told]
    array = read(told)
    if kind == "on device":
        return jnp.array(array, copy=True)
    return array[()] if kind == "scalar" else array


def _packed(value: Any, name: str, arrays: dict[str, Any]) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and not isinstance(value, np.generic):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, list):
        return _items(value, name, arrays)
    if isinstance(value, tuple):
        return {"tuple": _items(value, name, arrays)}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {
            "dict": {key: _packed(item, f"{name}.{key}", arrays) for key, item in value.items()}
        }
    if isinstance(value, np.ndarray | np.generic | jax.Array):
        arrays[name] = value
        on_device = isinstance(value, jax.Array)
        kind = "on device" if on_device else "array" if isinstance(value, np.ndarray) else "scalar"
        return {kind: name}
    raise TypeError(
        f"{name} is {value!r} of type `{type(value).__name__}`: what is remembered must be "
        "numbers, strings, lists, dicts with strings as keys, and arrays."
    )


def _items(values: Any, name: str, arrays: dict[str, Any]) -> list[Any]:
    return [_packed(item, f"{name}.{place}", arrays) for place, item in enumerate(values)]
