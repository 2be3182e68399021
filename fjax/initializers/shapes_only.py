"""Skip random numbers where only the shapes of weights are wanted."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_TRACE: ContextVar[Any] = ContextVar("trace", default=None)


@contextmanager
def shapes_only() -> Iterator[None]:
    """Tell initializers within this context that their values are thrown away.

    It holds for the current trace alone: a function that is compiled within the context keeps its
    own trace for later calls, whose values are used.

    >>> import jax, jax.numpy as jnp
    >>> from fjax.initializers import Orthogonal
    >>> with shapes_only():
    ...     print(Orthogonal()((2, 2)).sum(), jax.jit(lambda: Orthogonal()((2, 2)))().sum() != 0)
    0.0 True
    """
    token = _TRACE.set(_current_trace())
    try:
        yield
    finally:
        _TRACE.reset(token)


def wants_shape_only() -> bool:
    """Return whether values that are drawn now are thrown away."""
    trace = _TRACE.get()
    return trace is not None and bool(trace == _current_trace())


def _current_trace() -> Any:
    # Imported when it is used, since its package takes as long as a tenth of JAX.
    from jax.extend.core import get_opaque_trace_state

    return get_opaque_trace_state()
