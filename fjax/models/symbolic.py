"""The symbolic tensors of a model: what new models are made of it with."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax

from fjax.core import Graph, InputLayer, Serial, SymbolicTensor
from fjax.core.masking import strip_masks
from fjax.core.symbolic import Node, call, input_tensor
from fjax.data.structure import match_structure
from fjax.typing import PyTree


class Symbols(NamedTuple):
    """A model as symbolic tensors.

    Attributes:
        inputs: The tensors that the model begins with, in their structure.
        outputs: Those that it ends with.
        nodes: The calls of the model's layers between them.
    """

    inputs: PyTree
    outputs: PyTree
    nodes: tuple[Node, ...]


def symbols_of(name: str, network: Any) -> Symbols:
    """Return the symbolic tensors of a serial network or a graph; these are made for it.

    Raises:
        AttributeError: The network is neither, or its input is not declared.
    """
    if isinstance(network, Graph):
        return _of_graph(network)
    if isinstance(network, Serial) and network.layers:
        first, *others = network.layers
        if isinstance(first, InputLayer):
            tensor: Any = input_tensor(first)
            begin, nodes = tensor, []
            for layer in others:
                tensor = call(layer, (tensor,))
                nodes.append(jax.tree.leaves(tensor)[0].node)
            return Symbols(begin, tensor, tuple(nodes))
    raise AttributeError(
        f"The model {name!r} has no symbolic tensors: only a `Sequential` that begins with `Input` "
        "and a model made as `Model(inputs, outputs)` have."
    )


def in_order(network: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the inputs of a call in the structure of a graph, where they came in another one.

    They may come by name where the graph has them by position, and by position where by name.
    """
    if not isinstance(network, Graph) or len(inputs) != 1:
        return inputs
    (given,) = inputs
    by_name, wanted_by_name = (isinstance(tree, Mapping) for tree in (given, network.inputs))
    if by_name == wanted_by_name:
        return inputs
    tree = list(network.inputs) if isinstance(network.inputs, tuple) else network.inputs
    return (match_structure("inputs", "input", given, tree, network.input_names),)


def tensors_of(symbols: Symbols, name: str, layer: Any) -> tuple[PyTree, PyTree]:
    """Return what a layer is called on in a model, and what it makes.

    Raises:
        ValueError: The layer is called several times.
    """
    for tensor in jax.tree.leaves(symbols.inputs):
        if tensor.node.layer is layer:
            return tensor, tensor
    nodes = [node for node in symbols.nodes if node.layer is layer]
    if len(nodes) != 1:
        raise ValueError(
            f"The layer {name!r} is called {len(nodes)} times, so that it has no single `input` "
            "and `output`: keep the tensor that the call returns."
        )
    inputs = nodes[0].inputs
    return inputs[0] if len(inputs) == 1 else list(inputs), nodes[0].outputs


def _of_graph(network: Graph) -> Symbols:
    """Call the layers of a graph on new tensors."""
    inputs = jax.tree.map(input_tensor, network.inputs)
    values: list[SymbolicTensor] = jax.tree.leaves(inputs)
    nodes = []
    for each in network.calls:
        arguments = network.arguments(each, values)
        made = call(network.layers[each.layer], arguments, each.training)
        node = jax.tree.leaves(made)[0].node
        values += node.tensors
        nodes.append(node)
    outputs = jax.tree.map(lambda ref: values[ref.value], strip_masks(network.outputs))
    return Symbols(inputs, outputs, tuple(nodes))
