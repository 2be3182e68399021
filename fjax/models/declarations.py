"""The inputs that a network declares."""

from typing import Any

from fjax.core import Graph, InputLayer, Serial
from fjax.typing import PyTree


def declared_inputs(network: Any) -> tuple[PyTree, ...] | None:
    """Return the declarations of a network's inputs, one for each argument, if it has them."""
    if isinstance(network, Graph):
        several = isinstance(network.inputs, list | tuple)
        return tuple(network.inputs) if several else (network.inputs,)
    if isinstance(network, Serial) and network.layers:
        first = network.layers[0]
        return (first,) if isinstance(first, InputLayer) else None
    return None
