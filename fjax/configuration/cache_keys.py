"""Keys of configurations in caches: equal keys mean equal programs."""

import copy
import dataclasses
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from fjax.configuration.configured import Configured, are_strings
from fjax.configuration.fields import stored
from fjax.configuration.identity import ByIdentity, is_as_defined, is_library_function


def cache_key(configuration: Any) -> Hashable | None:
    """Return plain data that can stand for a configuration in a cache, or None.

    Equal keys mean equal programs as long as the process runs. Only these have a key: plain data,
    objects of unpatched fjax classes, functions of fjax, JAX and numpy, and containers of them.
    Everything else has none, since it may change without comparing unequal: a user's function may
    read global variables, a user's class may be edited, an array may be written to.

    >>> cache_key((1, "relu", np.tanh)) == cache_key((1, "relu", np.tanh))
    True
    >>> cache_key((1, True)) == cache_key((True, 1)), cache_key(lambda x: x)
    (False, None)
    """
    try:
        return (_key(configuration, set()),)
    except _NoKeyError:
        return None


def detached(configuration: Any) -> Any:
    """Return a copy of a configuration, without what models store in its layers.

    Configured objects and the containers of them are copied; functions and plain values are not.

    >>> class Pair(Configured):
    ...     function: Any
    >>> pair = Pair(np.tanh)
    >>> detached(pair) == pair, detached(pair) is pair, detached(pair).function is np.tanh
    (True, False, True)
    """
    if isinstance(configuration, Configured):
        duplicate = copy.copy(configuration)
        for item in dataclasses.fields(configuration):  # type: ignore[arg-type]
            object.__setattr__(duplicate, item.name, detached(stored(configuration, item.name)))
        return duplicate
    if isinstance(configuration, Mapping):
        items = {key: detached(value) for key, value in configuration.items()}
        return type(configuration)(items)  # type: ignore[call-arg]
    if isinstance(configuration, list | tuple) and not are_strings(configuration):
        entries = [detached(entry) for entry in configuration]
        is_named_tuple = hasattr(configuration, "_fields")
        return type(configuration)(*entries) if is_named_tuple else type(configuration)(entries)
    return configuration


class _NoKeyError(Exception):
    """A part of the configuration has no key."""


def _key(part: Any, checked: set[type]) -> Hashable:
    """Return the key of a part; `checked` holds the classes already known to be unpatched."""
    if part is None or isinstance(part, str | bytes):
        return part
    if isinstance(part, bool | int | float | np.generic):
        # In Python 1, 1.0 and True are equal, and so are 0.0 and -0.0; their programs differ.
        return type(part), repr(part)
    if isinstance(part, Configured):
        cls = type(part)
        if cls not in checked:
            if part.has_own_init or not is_as_defined(cls):
                raise _NoKeyError
            checked.add(cls)
        names = (item.name for item in dataclasses.fields(part))  # type: ignore[arg-type]
        return cls, *(_key(stored(part, name), checked) for name in names)
    if isinstance(part, Mapping):
        items = ((_key(key, checked), _key(value, checked)) for key, value in part.items())
        return type(part), *sorted(items, key=lambda item: repr(item[0]))
    if isinstance(part, list | tuple):
        kind = "list" if type(part) in (list, tuple) else type(part)
        if are_strings(part):
            return kind, *part
        return kind, *(_key(entry, checked) for entry in part)
    if dataclasses.is_dataclass(part) and is_as_defined(type(part)):
        fields = dataclasses.fields(part)
        return type(part), *(_key(getattr(part, item.name), checked) for item in fields)
    if callable(part) and is_library_function(part):
        return ByIdentity(part)
    raise _NoKeyError
