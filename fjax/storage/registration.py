"""Names for what a user wrote: how a file speaks of it, and how it is found again."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fjax.errors import suggestion

Thing = TypeVar("Thing", bound=Callable[..., Any])

# What was registered, by name. No name of fjax's own is looked up here, and no file adds to it.
_REGISTERED: dict[str, Any] = {}


def register_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[Thing], Thing]:
    """Decorate a class or function of your own, so that model files can speak of it.

    The file holds the name alone. Where it is read, the class must be registered under the same
    name, or be given in `custom_objects`: a file never says what to import.

    Args:
        package: What the name begins with, to tell yours from others'.
        name: The name, by default that of the class or function.

    Raises:
        ValueError: The name is taken by something else, or has a ">".

    Source: Keras's page "register_keras_serializable".

    >>> from fjax import Layer
    >>> @register_serializable("Shop")
    ... class Double(Layer):
    ...     def call(self, inputs):
    ...         return 2 * inputs
    >>> name_of(Double)
    'Shop>Double'
    """
    for word in (package, name or "name"):
        if not isinstance(word, str) or not word or ">" in word:
            raise ValueError(
                "`register_serializable`: `package` and `name` must be non-empty strings without "
                f"'>', received {word!r}."
            )

    def register(thing: Thing) -> Thing:
        full = f"{package}>{name or thing.__name__}"
        known = _REGISTERED.get(full)
        # A notebook's cell that runs twice defines the same class anew.
        if known is not None and _origin(known) != _origin(thing):
            raise ValueError(
                f"`register_serializable`: the name {full!r} is taken by {known!r}. Choose another "
                "`name` or `package`."
            )
        _REGISTERED[full] = thing
        return thing

    return register


def name_of(thing: Any) -> str:
    """Return the name by which a file speaks of a class or function of a user's."""
    for name, known in _REGISTERED.items():
        if known is thing:
            return name
    return thing.__name__


def find_custom(kind: str, name: str, custom_objects: Mapping[str, Any]) -> Any:
    """Return what a file calls by a custom name.

    Args:
        kind: What it must be, "class" or "function".
        name: The name in the file.
        custom_objects: What the reader gave, by full or short names; it is asked first.

    Raises:
        ValueError: There is nothing of this name, or it is of another kind.
    """
    short = name.rpartition(">")[2]
    for names, where in (((name, short), custom_objects), ((name,), _REGISTERED)):
        for spelling in names:
            if spelling in where:
                return _of_kind(kind, name, where[spelling])
    hint = suggestion(name, [*custom_objects, *_REGISTERED])
    raise ValueError(
        f"it has the custom {kind} {name!r}, which is not known here.{hint} Give "
        f"`custom_objects={{{short!r}: …}}`, or decorate it by `register_serializable`."
    )


def _of_kind(kind: str, name: str, thing: Any) -> Any:
    if isinstance(thing, type) != (kind == "class") or not callable(thing):
        raise ValueError(f"the custom name {name!r} must be a {kind}, and stands for {thing!r}.")
    return thing


def _origin(thing: Any) -> tuple[Any, ...]:
    return getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
