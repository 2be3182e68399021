"""Tell quickly whether a configuration, and the code of its classes and functions, has changed."""

import operator
from collections.abc import Mapping
from types import FunctionType, MethodType
from typing import Any

from fjax.configuration.configured import Configured

_CODE = operator.attrgetter("__code__")

# The attributes of an object or a class, as they are and as they were.
_Attributes = tuple[Mapping[str, Any], tuple[Any, ...]]


class Watch:
    """Some objects, the code of their classes and their functions, as they are now.

    What was derived from them is valid as long as `is_current`. Watched are configured objects,
    functions, classes, and lists, tuples and dicts of these, but not what other objects hold.

    Args:
        things: The objects.

    >>> class Scale(Configured):
    ...     factor: float = 2.0
    >>> scale = Scale()
    >>> watch = Watch(scale)
    >>> watch.is_current()
    True
    >>> Scale.__call__ = lambda self, x: x * self.factor
    >>> watch.is_current()
    False
    """

    def __init__(self, *things: Any) -> None:
        self._attributes: list[_Attributes] = []
        # Those of fjax's own classes, whose values need not be identical if they are equal: a tuple
        # of them is compared in half the time.
        self._fjax_attributes: list[_Attributes] = []
        self._functions: list[FunctionType] = []
        self._seen: set[int] = set()
        for thing in things:
            self._add(thing)
        self._code = tuple(map(_CODE, self._functions))

    def is_current(self) -> bool:
        """Return whether no attribute of an object or class, and no function, has changed."""
        for attributes, values in self._attributes:
            if len(attributes) != len(values):
                return False
            if not all(map(operator.is_, attributes.values(), values)):
                return False
        for attributes, values in self._fjax_attributes:
            if tuple(attributes.values()) != values:
                return False
        # A reload may put new code into the same function.
        return tuple(map(_CODE, self._functions)) == self._code

    def _add(self, thing: Any) -> None:
        if id(thing) in self._seen:
            return
        if isinstance(thing, FunctionType):
            self._seen.add(id(thing))
            self._functions.append(thing)
        elif isinstance(thing, MethodType):
            self._add(thing.__func__)
            self._add(thing.__self__)
        elif isinstance(thing, type):
            self._add_class(thing)
        elif isinstance(thing, Configured):
            self._add_attributes(thing, vars(thing))
            self._add_class(type(thing))
            for value in vars(thing).values():
                self._add(value)
        elif isinstance(thing, Mapping):
            for value in thing.values():
                self._add(value)
        elif isinstance(thing, list | tuple):
            for value in thing:
                self._add(value)

    def _add_class(self, cls: type) -> None:
        for base in cls.__mro__[:-1]:
            if id(base) in self._seen or base.__module__ == "builtins":
                continue
            self._add_attributes(base, vars(base))
            self._functions += [v for v in vars(base).values() if isinstance(v, FunctionType)]

    def _add_attributes(self, owner: Any, attributes: Mapping[str, Any]) -> None:
        self._seen.add(id(owner))
        is_fjax_class = isinstance(owner, type) and owner.__module__.startswith("fjax.")
        watched = self._fjax_attributes if is_fjax_class else self._attributes
        watched.append((attributes, tuple(attributes.values())))
