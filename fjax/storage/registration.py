"""Names of user classes and functions: how a file refers to them, and how they are looked up."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fjax.errors import suggestion

Registered = TypeVar("Registered", bound=Callable[..., Any])

# User classes and functions by name. It never holds the names of fjax, and no file adds to it.
_REGISTERED: dict[str, Any] = {}


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
    for name, known in _REGISTERED.items():
        if known is thing:
            return name
    return thing.__name__


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
    for names, objects in (((name, short_name), custom_objects), ((name,), _REGISTERED)):
        for spelling in names:
            if spelling in objects:
                return _check_kind(kind, name, objects[spelling])
    hint = suggestion(name, [*custom_objects, *_REGISTERED])
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
