"""Keys of programs that contain user code, which are kept by one model."""

from collections.abc import Callable
from types import FunctionType
from typing import Any

from fjax.configuration import ByIdentity, cache_key, code_of
from fjax.core.layer import Layer


def private_key(part: Any) -> Any:
    """Return the key of a part of a model's private programs.

    The key is the part itself, or its identity if it is not hashable, and the code of the classes
    and functions in it.
    """
    shared = cache_key(part)
    if shared is not None:
        return shared
    code = _code_in(part)
    try:
        hash(part)
    except TypeError:
        part = ByIdentity(part)
    return part, *code


def _code_in(part: Any) -> list[ByIdentity]:
    """Return the code of the classes and functions of a layer, loss, metric or optimizer."""
    classes: dict[type, ByIdentity] = {}
    functions: list[Any] = []

    def visit(part: Any) -> None:
        if isinstance(part, list | tuple):
            for entry in part:
                visit(entry)
            return
        if type(part) not in classes:
            classes[type(part)] = code_of(type(part))
        values = vars(part).values() if hasattr(part, "__dict__") else ()
        functions.extend(value.__code__ for value in values if isinstance(value, FunctionType))
        for layer in part.inside() if isinstance(part, Layer) else ():
            visit(layer)

    visit(part)
    return [*classes.values(), ByIdentity(*functions)]


def step_key(step: Callable[..., Any]) -> Any:
    """Return the key of a user's step: its identity, and that of its code."""
    # A method is a new object at each access.
    function = getattr(step, "__func__", step)
    return ByIdentity(function, getattr(step, "__self__", None), getattr(function, "__code__", 0))
