"""How the outputs of layers are divided, while a program for several devices is traced."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from fjax.core.location import layer_path
from fjax.typing import PyTree

# Returns the outputs of the layer with a path, such as "encoder/dense", with sharding constraints.
Constrain = Callable[[str, PyTree], PyTree]

_CONSTRAIN: ContextVar[Constrain | None] = ContextVar("constrain", default=None)


@contextmanager
def constrain_outputs(constrain: Constrain) -> Iterator[None]:
    """Let a function constrain the outputs of all layers that are called in the block.

    Args:
        constrain: Takes the path of a layer and its outputs, and returns the outputs.
    """
    token = _CONSTRAIN.set(constrain)
    try:
        yield
    finally:
        _CONSTRAIN.reset(token)


def constrained(outputs: PyTree) -> PyTree:
    """Return the outputs of the layer that is being called, with the constraints of the program.

    >>> constrained("outputs")
    'outputs'
    """
    constrain = _CONSTRAIN.get()
    return outputs if constrain is None else constrain(layer_path(), outputs)
