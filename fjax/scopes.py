"""Scopes of names, from which the paths of variables are made."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

import jax

_NAMES: ContextVar[tuple[str, ...]] = ContextVar("names", default=())


@contextlib.contextmanager
def name_scope(name: str) -> Iterator[None]:
    """Let the paths of new variables begin with a name, as `keras.name_scope`.

    The names of nested scopes are joined by "/". Weights of layers are named after the layers, in
    any scope. In a traced function, the name is that of the operations in profiles.

    Args:
        name: The name, without "/".

    Raises:
        ValueError: The name is not a str, is empty, or contains "/".

    >>> from fjax import Variable
    >>> with name_scope("outer"), name_scope("inner"):
    ...     print(Variable(0.0, name="count").path)
    outer/inner/count
    """
    if not isinstance(name, str) or not name or "/" in name:
        raise ValueError(f"`name_scope`: `name` must be a str without '/', received {name!r}.")
    token = _NAMES.set((*_NAMES.get(), name))
    try:
        with jax.named_scope(name):
            yield
    finally:
        _NAMES.reset(token)


def scoped_path(name: str) -> str:
    """Return a name after those of the scopes that are entered, joined by "/".

    >>> scoped_path("count")
    'count'
    """
    return "/".join((*_NAMES.get(), name))
