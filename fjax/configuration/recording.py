"""The recorded arguments of an authored class's `__init__`, from which an object is made again."""

import inspect
from collections.abc import Mapping
from typing import Any

# The attribute of an object that holds the arguments it was made with.
RECORDED = "_recorded_arguments"

_PLAIN = (str, int, float, bool, type(None))


def record_arguments(instance: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Store the arguments of `__init__` on an object, by name and with their defaults.

    An argument that is not plain data is stored by its name alone: an object may change after it
    was passed, and so may an array.
    """
    try:
        bound = inspect.signature(type(instance).__init__).bind(instance, *args, **kwargs)
    except TypeError:
        # `__init__` itself raises this error, and `copy` makes objects without arguments.
        return
    bound.apply_defaults()
    values: dict[str, Any] = {}
    refused: list[str] = []
    for parameter in [*bound.signature.parameters.values()][1:]:
        value = bound.arguments[parameter.name]
        if parameter.kind is parameter.VAR_KEYWORD:
            named = value
        elif parameter.kind in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            named = {}
            refused += [parameter.name] if value != () else []
        else:
            named = {parameter.name: value}
        values |= {name: item for name, item in named.items() if _is_plain(item)}
        refused += [name for name, item in named.items() if not _is_plain(item)]
    vars(instance)[RECORDED] = values, tuple(refused)


def recorded_arguments(instance: Any) -> dict[str, Any]:
    """Return the arguments that an object was made with.

    Raises:
        TypeError: An argument is not plain data, or has no name.
    """
    values, refused = vars(instance).get(RECORDED, ({}, ()))
    refused = [name for name in refused if name not in type(instance).inherited_arguments]
    if refused:
        raise TypeError(
            f"`{type(instance).__name__}` has no configuration: its argument `{refused[0]}` is not "
            "plain data (numbers, strings, None, and lists, tuples and dicts of these), or has no "
            "name. Write `get_config(self)` so that it returns the arguments of `__init__` by "
            "name, together with those of `super().get_config()`."
        )
    return dict(values)


def argument_names(cls: type) -> tuple[frozenset[str], bool]:
    """Return the names of the arguments of `__init__`, and whether it takes any keyword.

    >>> class Scaled:
    ...     def __init__(self, factor, **kwargs): ...
    >>> argument_names(Scaled)
    (frozenset({'factor'}), True)
    """
    parameters = [*inspect.signature(cls.__init__).parameters.values()][1:]  # type: ignore[misc]
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    names = frozenset(item.name for item in parameters if item.kind in named)
    return names, any(item.kind is item.VAR_KEYWORD for item in parameters)


def accepts(arguments: tuple[frozenset[str], bool], name: str) -> bool:
    """Tell whether `__init__`, of these arguments, takes an argument by name."""
    names, takes_any = arguments
    return takes_any or name in names


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return isinstance(value, _PLAIN)
