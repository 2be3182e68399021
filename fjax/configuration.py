"""Configured objects: what a layer, loss, metric, optimizer or initializer is, as plain fields.

A subclass lists its fields as annotations, as in a dataclass, and gets from here its constructor,
`repr`, equality and hash by value, `get_config` and `from_config`. Objects are sealed once made:
compiled programs are kept by the configuration that they were compiled for.
"""

import copy
import copyreg
import dataclasses
import functools
import inspect
import operator
import re
import sys
import types
import warnings
import weakref
from collections.abc import Hashable, Mapping
from dataclasses import field
from itertools import chain
from typing import Any, ClassVar, Self, TypeGuard, dataclass_transform

import numpy as np

from fjax.errors import check_keywords


@functools.lru_cache(1024)
def snake_case(name: str) -> str:
    """Return the snake case of a class name.

    >>> snake_case("BatchNormalization"), snake_case("Conv2D"), snake_case("AUC")
    ('batch_normalization', 'conv2d', 'auc')
    """
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


class _FieldsAsSignature:
    """What `help` and a notebook show of the constructor: a class's fields."""

    def __get__(self, instance: Any, owner: type["Configured"]) -> inspect.Signature:
        if owner._authored or instance is not None:
            raise AttributeError("__signature__")
        return inspect.Signature([_as_parameter(item) for item in arguments(owner)])


def _as_parameter(item: dataclasses.Field[Any]) -> inspect.Parameter:
    kind = (
        inspect.Parameter.KEYWORD_ONLY if item.kw_only else inspect.Parameter.POSITIONAL_OR_KEYWORD
    )
    default = inspect.Parameter.empty if is_required(item) else item.default
    return inspect.Parameter(item.name, kind, default=default, annotation=item.type)


@dataclass_transform(eq_default=False, field_specifiers=(field,))
class Configured:
    """Base of everything that is described by plain fields.

    A subclass with annotations becomes a dataclass: its `__post_init__` may normalize the fields,
    after it the object is sealed. A subclass that writes its own `__init__` (as authors of Keras
    classes do) is left as it is: it may set what it likes and is equal to itself alone.

    `_renamed` maps older spellings of an argument to today's; they work with a DeprecationWarning.
    `_varying` names the fields whose numbers a compiled program can take as inputs: what is
    computed with them holds for traced numbers too, and asks by `is_nonzero` if there are any.
    `_width_field` names the field that is the width of the outputs, where a wider layer with zeros
    computes the same.

    >>> class Scale(Configured):
    ...     factor: float = 1.0
    >>> Scale(2.0), Scale(2.0) == Scale(factor=2.0), Scale().get_config()
    (Scale(factor=2.0), True, {'factor': 1.0})
    >>> Scale(factr=2.0)
    Traceback (most recent call last):
        ...
    TypeError: `Scale` takes no argument `factr`. Did you mean `factor`? It takes: factor.
    """

    __signature__: ClassVar[Any] = _FieldsAsSignature()
    _renamed: ClassVar[Mapping[str, str]] = {}
    _varying: ClassVar[frozenset[str]] = frozenset()
    _width_field: ClassVar[str | None] = None
    _authored: ClassVar[bool] = False
    _settable: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in cls.__dict__ or cls._authored:
            cls._authored = True
            return
        # Its constructor is the one below: compiling one for each class is half the time that
        # importing fjax would take.
        dataclasses.dataclass(init=False, eq=False, repr=False)(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        for name, value in _bound(self, args, kwargs).items():
            setattr(self, name, value)
        self.__post_init__()
        # An author's `__init__` goes on after `super().__init__()`.
        if not self._authored:
            object.__setattr__(self, "_sealed", True)

    def __post_init__(self) -> None:
        """Normalize the fields."""

    def __setattr__(self, name: str, value: Any) -> None:
        if "_sealed" in self.__dict__ and name not in self._settable:
            raise AttributeError(
                f"`{type(self).__name__}` is a description and cannot be changed: `{name}` was set "
                f"to {value!r}. Make a new one, as with `{type(self).__name__}.from_config`."
            )
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        if "_sealed" in self.__dict__:
            raise AttributeError(f"`{type(self).__name__}` is a description and cannot be changed.")
        object.__delattr__(self, name)

    def __eq__(self, other: object) -> bool:
        if self._authored or type(self) is not type(other):
            return self is other
        return _comparable(self) == _comparable(other)

    def __hash__(self) -> int:
        return object.__hash__(self) if self._authored else hash(_comparable(self))

    def __repr__(self) -> str:
        if self._authored:
            return f"{type(self).__name__}()"
        shown = []
        for item in arguments(type(self)):
            value = getattr(self, item.name)
            if not _same(value, item.default):
                shown.append(f"{item.name}={_shown(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def get_config(self) -> dict[str, Any]:
        """Return the fields as plain data: functions by name, configured objects as dicts."""
        if self._authored:
            return {}
        return {item.name: plain(getattr(self, item.name)) for item in arguments(type(self))}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the object that `get_config` described."""
        return cls(**config)


def varying(cls: type[Configured]) -> frozenset[str]:
    """Return the fields of a class, and of its bases, whose numbers may be a program's inputs.

    A user's subclass may compute otherwise with what it inherits: there only its own word counts.
    """
    if not cls.__module__.startswith("fjax."):
        return frozenset(cls.__dict__.get("_varying", ()))
    named = (base.__dict__.get("_varying", frozenset()) for base in cls.__mro__)
    return frozenset().union(*named)


def is_nonzero(number: float | None) -> TypeGuard[float]:
    """Tell whether a field's number is there and not 0; one that is traced is.

    Which members of a population have a 0 decides what program they run, and none has in this one.

    >>> is_nonzero(None), is_nonzero(0.0), is_nonzero(0.5)
    (False, False, True)
    """
    return number is not None and not (isinstance(number, int | float) and number == 0)


def fields_ending(configured: Configured, suffix: str) -> dict[str, Any]:
    """Return the fields whose names end so and which are set, by what stands before the end.

    >>> class Pair(Configured):
    ...     left_size: int = 1
    ...     right_size: int | None = None
    >>> fields_ending(Pair(), "_size")
    {'left': 1}
    """
    values = {item.name: getattr(configured, item.name) for item in dataclasses.fields(configured)}  # type: ignore[arg-type]
    return {
        name.removesuffix(suffix): value
        for name, value in values.items()
        if name.endswith(suffix) and value is not None
    }


def plain(value: Any) -> Any:
    """Return plain data for a field's value, as `get_config` and a model file hold it."""
    if isinstance(value, Configured):
        return {"class_name": type(value).__name__, "config": value.get_config()}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    if callable(value):
        if not hasattr(value, "__name__"):
            raise TypeError(f"A configuration holds functions by name, and {value!r} has none.")
        return value.__name__
    return value


def cache_key(thing: Any) -> Hashable | None:
    """Return plain data that stands for a description in a cache, or None if nothing safely can.

    Equal keys mean equal programs for the life of the process. A description has one if it is made
    of nothing but plain data, fjax's own classes as fjax defines them, and functions of fjax, JAX
    and numpy. A user's function may read what changes outside of it, a user's class may be defined
    again or edited, and an array may be written to: these have none, nor has a class of fjax that
    was patched after its first use here.

    >>> cache_key((1, "relu", np.tanh)) == cache_key((1, "relu", np.tanh))
    True
    >>> cache_key((1, True)) == cache_key((True, 1)), cache_key(lambda x: x)
    (False, None)
    """
    try:
        return (_key_of(thing, set()),)
    except _NoKeyError:
        return None


def detached(thing: Any) -> Any:
    """Return a copy of a description, without what models keep with its layers.

    Configured objects are copied, and all in them; functions and plain values stay what they are.

    >>> class Pair(Configured):
    ...     function: Any
    >>> pair = Pair(np.tanh)
    >>> detached(pair) == pair, detached(pair) is pair, detached(pair).function is np.tanh
    (True, False, True)
    """
    if isinstance(thing, Configured):
        twin = copy.copy(thing)
        for item in dataclasses.fields(thing):  # type: ignore[arg-type]
            object.__setattr__(twin, item.name, detached(getattr(thing, item.name)))
        return twin
    if isinstance(thing, Mapping):
        return type(thing)({key: detached(item) for key, item in thing.items()})  # type: ignore[call-arg]
    if isinstance(thing, list | tuple) and not _are_strings(thing):
        items = [detached(item) for item in thing]
        return type(thing)(*items) if hasattr(thing, "_fields") else type(thing)(items)
    return thing


class ByIdentity:
    """Some objects as a key, equal to those alone; they are kept alive as long as the key is.

    >>> ByIdentity([1]) == ByIdentity([1])
    False
    """

    __slots__ = ("_identities", "_things")

    def __init__(self, *things: Any) -> None:
        self._things = things
        self._identities = tuple(map(id, things))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByIdentity) and self._identities == other._identities

    def __hash__(self) -> int:
        return hash(self._identities)


def code_of(cls: type) -> ByIdentity:
    """Return what a class computes with: its attributes and its bases', and the code of methods.

    Two results are equal only if nothing was patched or reloaded between the calls.
    """
    values = _attributes(cls)
    # A reload may put new code into the same function.
    code = [value.__code__ for value in values if type(value) is types.FunctionType]
    return ByIdentity(*values, *code)


def _attributes(cls: type) -> tuple[Any, ...]:
    # Python notes the names of slots in a class when an object of it is first copied.
    for base in cls.__mro__[:-1]:
        if "__slotnames__" not in vars(base):
            copyreg._slotnames(base)  # type: ignore[attr-defined]
    return tuple(chain.from_iterable(vars(base).values() for base in cls.__mro__[:-1]))


class _NoKeyError(Exception):
    """A description holds what no key can stand for."""


def _key_of(thing: Any, checked: set[type]) -> Hashable:
    """Return a key; `checked` has the classes that are known to be as fjax defines them."""
    if thing is None or isinstance(thing, str | bytes):
        return thing
    if isinstance(thing, bool | int | float | np.generic):
        # 1, 1.0 and True, and 0.0 and -0.0, are equal in Python and lead to different programs.
        return type(thing), repr(thing)
    if isinstance(thing, Configured):
        cls = type(thing)
        if cls not in checked:
            if thing._authored or not is_as_defined(cls):
                raise _NoKeyError
            checked.add(cls)
        names = (item.name for item in dataclasses.fields(thing))  # type: ignore[arg-type]
        return cls, *(_key_of(getattr(thing, name), checked) for name in names)
    if isinstance(thing, Mapping):
        items = ((_key_of(key, checked), _key_of(item, checked)) for key, item in thing.items())
        return type(thing), *sorted(items, key=lambda item: repr(item[0]))
    if isinstance(thing, list | tuple):
        kind = "list" if type(thing) in (list, tuple) else type(thing)
        if _are_strings(thing):
            return kind, *thing
        return kind, *(_key_of(item, checked) for item in thing)
    if dataclasses.is_dataclass(thing) and is_as_defined(type(thing)):
        fields = dataclasses.fields(thing)
        return type(thing), *(_key_of(getattr(thing, item.name), checked) for item in fields)
    if callable(thing) and is_library_function(thing):
        return ByIdentity(thing)
    raise _NoKeyError


def is_library_function(thing: Any) -> bool:
    """Tell whether a function is one of fjax's, JAX's or numpy's, found there by its name.

    A function that wraps a user's, as of `numpy.vectorize`, is not.

    >>> is_library_function(np.tanh), is_library_function(np.vectorize(lambda x: x))
    (True, False)
    """
    name = getattr(thing, "__qualname__", None) or getattr(thing, "__name__", None) or ""
    if "<" in name or not name:
        return False
    own = getattr(thing, "__module__", None)
    for module in (own, type(thing).__module__, *PUBLIC_MODULES):
        if module and module.split(".")[0] in LIBRARIES:
            found: Any = sys.modules.get(module)
            for part in name.split("."):
                found = getattr(found, part, None)
            if found is thing:
                return True
    return False


# Whose functions compute the same for good, and where a function may be found that does not say.
LIBRARIES = ("fjax", "jax", "jaxlib", "numpy")
PUBLIC_MODULES = ("jax.numpy", "jax.nn", "jax.lax", "numpy")


# The attributes of each class when it was first met.
_FIRST_ATTRIBUTES: weakref.WeakKeyDictionary[type, tuple[Any, ...]] = weakref.WeakKeyDictionary()


def is_as_defined(cls: type) -> bool:
    """Tell whether a class is one of fjax's, and was not patched since it was first met here."""
    module = sys.modules.get(cls.__module__)
    # A class of a doctest, or of a module that was loaded anew, is not what its module has.
    if cls.__module__.split(".")[0] != "fjax" or getattr(module, cls.__qualname__, None) is not cls:
        return False
    now = _attributes(cls)
    first = _FIRST_ATTRIBUTES.setdefault(cls, now)
    return len(first) == len(now) and all(map(operator.is_, first, now))


def _bound(configured: Configured, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the value of each field that the constructor takes, old spellings translated."""
    cls = type(configured)
    for old in kwargs.keys() & cls._renamed.keys():
        new = cls._renamed[old]
        if new in kwargs:
            raise TypeError(f"`{cls.__name__}` was given `{new}` and its older spelling `{old}`.")
        warnings.warn(
            f"`{cls.__name__}({old}=…)` is an older spelling of `{new}=`.",
            DeprecationWarning,
            stacklevel=3,
        )
        kwargs[new] = kwargs.pop(old)
    taken = arguments(cls)
    if kwargs:
        check_keywords(cls.__name__, kwargs, [item.name for item in taken])
    positional = [item.name for item in taken if not item.kw_only]
    if len(args) > len(positional):
        raise TypeError(
            f"`{cls.__name__}` takes at most {len(positional)} arguments by position "
            f"({', '.join(positional)}), received {len(args)}."
        )
    values = dict(zip(positional, args, strict=False))
    twice = [name for name in values if name in kwargs]
    if twice:
        raise TypeError(f"`{cls.__name__}` was given `{twice[0]}` by position and by name.")
    values |= kwargs
    missing = [item.name for item in taken if item.name not in values and is_required(item)]
    if missing:
        needed = ", ".join(f"`{name}`" for name in missing)
        raise TypeError(f"`{cls.__name__}` was made without {needed}, which it needs.")
    # In the order of the fields, which is the order that they are listed in.
    return {item.name: values.get(item.name, item.default) for item in taken}


def is_required(item: dataclasses.Field[Any]) -> bool:
    """Tell whether a field has no default."""
    return item.default is dataclasses.MISSING


def arguments(cls: type) -> list[dataclasses.Field[Any]]:
    """Return the fields that the constructor takes, positional ones first."""
    taken = [item for item in dataclasses.fields(cls) if item.init]
    return sorted(taken, key=lambda item: bool(item.kw_only))


def _comparable(configured: Configured) -> tuple[Any, ...]:
    values = (getattr(configured, item.name) for item in dataclasses.fields(configured))  # type: ignore[arg-type]
    return (type(configured), *(_hashable(value) for value in values))


def _hashable(value: Any) -> Any:
    """Return what stands for a field's value where two are compared: it can be hashed."""
    if isinstance(value, Mapping):
        items = ((key, _hashable(item)) for key, item in value.items())
        return tuple(sorted(items, key=lambda item: repr(item[0])))
    if isinstance(value, list | tuple):
        return tuple(value) if _are_strings(value) else tuple(_hashable(item) for item in value)
    # 1, 1.0 and True are equal in Python, and lead to different programs.
    if isinstance(value, bool | int | float):
        return type(value), value
    if dataclasses.is_dataclass(value) and not isinstance(value, type | Configured):
        fields = dataclasses.fields(value)
        return type(value), *(_hashable(getattr(value, item.name)) for item in fields)
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return value.dtype.str, value.shape, value.tobytes()
    try:
        hash(value)
    except TypeError:
        return ByIdentity(value)
    return value


def _are_strings(values: list[Any] | tuple[Any, ...]) -> bool:
    # A vocabulary has many thousands: told at once, not one by one.
    return set(map(type, values)) == {str}


def _same(value: Any, default: Any) -> bool:
    if isinstance(default, str) and isinstance(value, Configured):
        return snake_case(type(value).__name__) == default and value == type(value)()
    if isinstance(default, str) and callable(value):
        return getattr(value, "__name__", None) == default
    return type(value) is type(default) and bool(value == default)


def _shown(value: Any) -> str:
    if callable(value) and not isinstance(value, Configured):
        return getattr(value, "__name__", repr(value))
    if isinstance(value, list | tuple):
        inner = ", ".join(_shown(item) for item in value)
        return (
            f"[{inner}]"
            if isinstance(value, list)
            else f"({inner}{',' if len(value) == 1 else ''})"
        )
    return repr(value)
