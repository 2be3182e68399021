"""Names of a user's classes and functions: how names and files refer to them.

They are those of `register_serializable`, of the dict of `get_custom_objects`, and of the
`custom_object_scope`s around the call.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, TypeVar

from fjax.errors import suggestion

Registered = TypeVar("Registered", bound=Callable[..., Any])

# User classes and functions by name. It never holds the names of fjax, and no file adds to it.
_REGISTERED: dict[str, Any] = {}
_NONE: Mapping[str, Any] = MappingProxyType({})
_IN_SCOPE: ContextVar[Mapping[str, Any]] = ContextVar("custom objects", default=_NONE)


def register_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[Registered], Registered]:
    """Register your own class or function, so that model files can refer to it by name.

    A file stores only the name. Whoever loads the file registers the class under the same name, or
    passes it in `custom_objects`: a file never says what to import.

    Args:
        package: The first part of the name; it tells your classes from those of others.
        name: The second part, by default the name of the class or function.

    Raises:
        ValueError: The name is already registered for something else, or contains a ">".

    Source: Keras's page "register_keras_serializable".

    >>> from fjax import Layer
    >>> @register_serializable("Shop")
    ... class Double(Layer):
    ...     def call(self, inputs):
    ...         return 2 * inputs
    >>> registered_name(Double)
    'Shop>Double'
    """
    for word in (package, name or "name"):
        if not isinstance(word, str) or not word or ">" in word:
            raise ValueError(
                "`register_serializable`: `package` and `name` must be non-empty strings without "
                f"'>', received {word!r}."
            )

    def register(thing: Registered) -> Registered:
        full_name = f"{package}>{name or thing.__name__}"
        known = _REGISTERED.get(full_name)
        # A notebook cell that runs twice defines the same class again.
        if known is not None and _origin(known) != _origin(thing):
            raise ValueError(
                f"`register_serializable`: the name {full_name!r} is already registered for "
                f"{known!r}. Choose another `name` or `package`."
            )
        _REGISTERED[full_name] = thing
        return thing

    return register


def registered_name(thing: Any) -> str:
    """Return the name that a file uses for a user's class or function."""
    for name, known in (*_IN_SCOPE.get().items(), *_REGISTERED.items()):
        if known is thing:
            return name
    return getattr(thing, "__name__", "<lambda>")


def get_custom_objects() -> dict[str, Any]:
    """Return the dict of registered classes and functions by name, to which names can be added.

    Source: Keras's page "Serialization utilities".

    >>> get_custom_objects()["double"] = lambda x: 2 * x
    >>> from fjax.layers import Activation
    >>> float(Activation("double")(3.0))
    6.0
    >>> del get_custom_objects()["double"]
    """
    return _REGISTERED


@contextlib.contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any]) -> Iterator[None]:
    """Let names refer to your classes and functions within a `with` block.

    Args:
        custom_objects: Classes and functions by name.

    Raises:
        TypeError: `custom_objects` is not a mapping.

    Source: Keras's page "Serialization utilities".

    >>> from fjax import activations
    >>> with custom_object_scope({"double": lambda x: 2 * x}):
    ...     activations.get("double")(3.0)
    6.0
    """
    if not isinstance(custom_objects, Mapping):
        raise TypeError(
            f"`custom_object_scope` takes a dict of classes and functions by name, received "
            f"{custom_objects!r}."
        )
    token = _IN_SCOPE.set({**_IN_SCOPE.get(), **custom_objects})
    try:
        yield
    finally:
        _IN_SCOPE.reset(token)


# Keras's name of the same context.
CustomObjectScope = custom_object_scope


def get_registered_name(obj: Any) -> str:
    """Return the name of a registered class or function, or its own name; a name is returned as is.

    >>> get_registered_name(dict)
    'dict'
    """
    return obj if isinstance(obj, str) else registered_name(obj)


def get_registered_object(
    name: str,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """Return the user's class or function of a name, or None.

    Args:
        name: Its name, with or without the package.
        custom_objects: Further names, which are looked up first.
        module_objects: Further names, which are looked up last.

    >>> get_registered_object("double", {"double": max})
    <built-in function max>
    """
    for objects in (custom_objects or {}, _IN_SCOPE.get(), _REGISTERED, module_objects or {}):
        if name in objects:
            return objects[name]
    return None


def find_custom(kind: str, name: str, custom_objects: Mapping[str, Any]) -> Any:
    """Return the user's class or function to which a file refers.

    Args:
        kind: The expected kind, "class" or "function".
        name: The name in the file.
        custom_objects: Classes and functions by full or short name; these are looked up first.

    Raises:
        ValueError: The name is unknown, or stands for something of another kind.
    """
    short_name = name.rpartition(">")[2]
    both = (name, short_name)
    lookups = ((both, custom_objects), (both, _IN_SCOPE.get()), ((name,), _REGISTERED))
    for names, objects in lookups:
        for spelling in names:
            if spelling in objects:
                return _check_kind(kind, name, objects[spelling])
    hint = suggestion(name, [*custom_objects, *_IN_SCOPE.get(), *_REGISTERED])
    raise ValueError(
        f"it contains the custom {kind} {name!r}, which is not known here.{hint} Pass "
        f"`custom_objects={{{short_name!r}: …}}`, or decorate it with `register_serializable`."
    )


def _check_kind(kind: str, name: str, thing: Any) -> Any:
    if isinstance(thing, type) != (kind == "class") or not callable(thing):
        raise ValueError(f"the custom name {name!r} must be a {kind}, but it is {thing!r}.")
    return thing


def _origin(thing: Any) -> tuple[Any, ...]:
    return getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
