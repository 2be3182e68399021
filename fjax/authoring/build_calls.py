"""Calls of a `build` that takes more than shapes, such as an initializer: its author makes them.

In Keras such a `build` runs once. Here each pass runs it, with the arguments of that call.
"""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from fjax.authoring.arguments import shape_parameters, takes_more_than_shapes
from fjax.authoring.attributes import BUILD_ARGUMENTS

# The arguments for the sublayers of the object whose pass runs, by the identity of the layer.
_GIVEN: ContextVar[dict[int, tuple[Any, ...]]] = ContextVar("given")


@contextmanager
def build_calls() -> Iterator[None]:
    """Keep what an object's `build` gives the `build` of its sublayers until its pass ends."""
    token = _GIVEN.set(dict(_GIVEN.get({})))
    try:
        yield
    finally:
        _GIVEN.reset(token)


def given_arguments(author: Any) -> tuple[Any, ...] | None:
    """Return the arguments of the call of an object's `build`, or None if shapes are enough."""
    if not takes_more_than_shapes(author):
        return None
    return _GIVEN.get({}).get(id(author), vars(author).get(BUILD_ARGUMENTS))


def note_in_pass(layer: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
    """Note how the `build` of the object that contains a layer calls the layer's `build`.

    Returns:
        The shapes among the arguments.
    """
    whole = _by_position(layer, arguments, named)
    _GIVEN.get()[id(layer)] = whole
    return _shapes(layer, whole)


def note_on_object(
    layer: Any, arguments: tuple[Any, ...], named: dict[str, Any]
) -> tuple[Any, ...]:
    """Note how a user calls the `build` of a layer, outside of any pass.

    Returns:
        The shapes among the arguments.
    """
    vars(layer)[BUILD_ARGUMENTS] = whole = _by_position(layer, arguments, named)
    return _shapes(layer, whole)


def _by_position(layer: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
    bound = inspect.signature(type(layer).build).bind(layer, *arguments, **named)
    bound.apply_defaults()
    return bound.args[1:]


def _shapes(layer: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the arguments that are the shapes of `call`'s inputs; by default, the first one."""
    are_shapes = shape_parameters(layer)
    pairs = zip(arguments, are_shapes, strict=False)
    return tuple(value for value, is_shape in pairs if is_shape) or arguments[:1]
