"""Where in a network an error happened."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax

from fjax.typing import PyTree


@contextmanager
def layer_context(name: str, layer: Any, inputs: tuple[PyTree, ...]) -> Iterator[None]:
    """Add to an error inside a layer which one it was, its configuration and what it met."""
    try:
        yield
    except Exception as error:
        shapes = ", ".join(
            f"{tuple(leaf.shape)} {leaf.dtype}" if hasattr(leaf, "shape") else repr(leaf)
            for leaf in jax.tree.leaves(inputs)
        )
        error.add_note(f"In layer {name!r}, {layer!r}, with inputs of {shapes or 'no shape'}.")
        raise
