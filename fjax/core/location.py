"""Notes on errors that say in which layer they occurred."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax

from fjax.typing import PyTree


@contextmanager
def layer_context(name: str, layer: Any, inputs: tuple[PyTree, ...]) -> Iterator[None]:
    """Add the layer's name, configuration and input shapes to errors raised in the block."""
    try:
        yield
    except Exception as error:
        shapes = ", ".join(
            f"{tuple(leaf.shape)} {leaf.dtype}" if hasattr(leaf, "shape") else repr(leaf)
            for leaf in jax.tree.leaves(inputs)
        )
        error.add_note(f"In layer {name!r}, {layer!r}, with inputs of {shapes or 'no shape'}.")
        raise
