"""In which layer a pass is: for notes on errors, and for layouts by path."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import jax

from fjax.typing import PyTree

_PATH: ContextVar[tuple[str, ...]] = ContextVar("path", default=())


def layer_path() -> str:
    """Return the names of the layers on the way to the one that is being called, joined by "/"."""
    return "/".join(_PATH.get())


@contextmanager
def layer_context(
    name: str, layer: Any, inputs: tuple[PyTree, ...], has_path: bool = True
) -> Iterator[None]:
    """Add the layer's name, configuration and input shapes to errors raised in the block.

    Args:
        name: The name of the layer.
        layer: The layer.
        inputs: Its inputs, or their shapes.
        has_path: Whether the layer's weights are under its name.

    >>> with layer_context("encoder", None, ()), layer_context("dense", None, ()):
    ...     layer_path()
    'encoder/dense'
    """
    token = _PATH.set((*_PATH.get(), name) if has_path else _PATH.get())
    try:
        yield
    except Exception as error:
        shapes = ", ".join(
            f"{tuple(leaf.shape)} {leaf.dtype}" if hasattr(leaf, "shape") else repr(leaf)
            for leaf in jax.tree.leaves(inputs)
        )
        error.add_note(f"In layer {name!r}, {layer!r}, with inputs of {shapes or 'no shape'}.")
        raise
    finally:
        _PATH.reset(token)
