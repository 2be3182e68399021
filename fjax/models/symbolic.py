"""The symbolic tensors of a model, from which new models can be created."""

from collections.abc import Mapping
from typing import Any

import jax

from fjax.core import Graph
from fjax.core.graph_builder import Symbols, symbols_of
from fjax.data.structure import match_structure


def model_symbols(name: str, network: Any) -> Symbols:
    """Return new symbolic tensors of a model's network.

    Raises:
        AttributeError: The network is neither a graph nor a `Serial` with a declared input.
    """
    symbols = symbols_of(network)
    if symbols is None:
        raise AttributeError(
            f"The model {name!r} has no symbolic tensors: only a `Sequential` that begins with "
            "`Input` and a model created as `Model(inputs, outputs)` have them."
        )
    return symbols


def layer_tensors(symbols: Symbols, name: str, layer: Any) -> Symbols:
    """Return the symbolic tensors that a layer of a model takes and returns.

    Raises:
        ValueError: The layer is called several times.
    """
    for tensor in jax.tree.leaves(symbols.inputs):
        if tensor.node.layer is layer:
            return Symbols(tensor, tensor)
    nodes = [node for node in symbols.nodes if node.layer is layer and not node.weight]
    if len(nodes) != 1:
        raise ValueError(
            f"The layer {name!r} is called {len(nodes)} times, so it has no single `input` and "
            "`output`: use the tensors that its calls return."
        )
    inputs = nodes[0].inputs
    return Symbols(inputs[0] if len(inputs) == 1 else list(inputs), nodes[0].outputs)


def arrange_inputs(network: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the inputs of a call in the structure that a graph takes.

    Inputs by name are arranged for a graph that takes them by position, and vice versa.
    """
    if not isinstance(network, Graph) or len(inputs) != 1:
        return inputs
    (value,) = inputs
    if isinstance(value, Mapping) == isinstance(network.inputs, Mapping):
        return inputs
    tree = list(network.inputs) if isinstance(network.inputs, tuple) else network.inputs
    return (match_structure("inputs", "input", value, tree, network.input_names),)
