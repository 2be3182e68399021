"""Tell whether code is still the same: classes and functions compared by identity."""

import copyreg
import operator
import sys
import types
import weakref
from itertools import chain
from typing import Any

# Packages whose functions are trusted not to change while the process runs.
LIBRARIES = ("fjax", "jax", "jaxlib", "numpy")

# Modules to search for a function whose `__module__` does not say where it is public.
PUBLIC_MODULES = ("jax.numpy", "jax.nn", "jax.lax", "numpy")

# The attributes that each class of fjax had at its first use in `is_as_defined`.
_FIRST_ATTRIBUTES: weakref.WeakKeyDictionary[type, tuple[Any, ...]] = weakref.WeakKeyDictionary()


class ByIdentity:
    """A key for some objects: equal only to a key for the same objects, which it keeps alive.

    >>> ByIdentity([1]) == ByIdentity([1])
    False
    """

    __slots__ = ("_identities", "_objects")

    def __init__(self, *objects: Any) -> None:
        self._objects = objects
        self._identities = tuple(map(id, objects))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByIdentity) and self._identities == other._identities

    def __hash__(self) -> int:
        return hash(self._identities)


def code_of(cls: type) -> ByIdentity:
    """Return a key for the code of a class: its attributes, inherited ones and methods included.

    Two keys of a class are equal only if nothing in it was patched or reloaded in between.
    """
    values = _attributes(cls)
    # A reload may put new code into the same function.
    code = [value.__code__ for value in values if type(value) is types.FunctionType]
    return ByIdentity(*values, *code)


def is_as_defined(cls: type) -> bool:
    """Tell whether a class belongs to fjax and was not patched since the first call for it."""
    module = sys.modules.get(cls.__module__)
    # A class in a doctest, or one of a module that was reloaded, is not the module's own.
    if cls.__module__.split(".")[0] != "fjax" or getattr(module, cls.__qualname__, None) is not cls:
        return False
    now = _attributes(cls)
    first = _FIRST_ATTRIBUTES.setdefault(cls, now)
    return len(first) == len(now) and all(map(operator.is_, first, now))


def is_library_function(function: Any) -> bool:
    """Tell whether a function is public in fjax, JAX or numpy, under its own name.

    A library's wrapper around a user's function, such as `numpy.vectorize`, is not.

    >>> import numpy as np
    >>> is_library_function(np.tanh), is_library_function(np.vectorize(lambda x: x))
    (True, False)
    """
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None) or ""
    if "<" in name or not name:
        return False
    declared = getattr(function, "__module__", None)
    for module in (declared, type(function).__module__, *PUBLIC_MODULES):
        if module and module.split(".")[0] in LIBRARIES:
            candidate: Any = sys.modules.get(module)
            for part in name.split("."):
                candidate = getattr(candidate, part, None)
            if candidate is function:
                return True
    return False


def _attributes(cls: type) -> tuple[Any, ...]:
    # `copy` and whoever reads annotations, as `isinstance` of a protocol, store attributes in a
    # class at their first use: store them now, so that the attributes do not change later.
    for base in cls.__mro__[:-1]:
        if "__slotnames__" not in vars(base):
            copyreg._slotnames(base)  # type: ignore[attr-defined]
        if "__annotations__" not in vars(base):
            getattr(base, "__annotations__", None)
    return tuple(chain.from_iterable(vars(base).values() for base in cls.__mro__[:-1]))
