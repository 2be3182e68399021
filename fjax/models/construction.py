"""What a model is made of: a pair, symbolic tensors, or an author's `call`."""

from typing import Any, NamedTuple

import jax

from fjax.core import Graph, InputLayer, Serial, SymbolicTensor, as_layer
from fjax.core.authoring import Author
from fjax.core.freezing import apply_trainable_flags
from fjax.core.graph_builder import Symbols, graph
from fjax.models.subclassed import Subclassed
from fjax.typing import PyTree


class Made(NamedTuple):
    """A network, and the symbolic tensors that it was made of, if it was."""

    network: Any
    symbols: Symbols | None = None


def network_of(
    model: Any, arguments: tuple[Any, ...], inputs: PyTree, outputs: PyTree, name: str | None
) -> Made:
    """Return the network of a model that was made with these arguments.

    Raises:
        TypeError: The arguments are none of `(network)`, `(inputs, outputs)` and, for a class with
            a `call`, nothing.
    """
    owner = type(model).__name__
    leaves = jax.tree.leaves((arguments, inputs, outputs))
    if any(isinstance(leaf, SymbolicTensor) for leaf in leaves):
        given = [*arguments, *(value for value in (inputs, outputs) if value is not None)]
        if len(given) != 2 or (len(arguments) == 1 and inputs is not None):
            raise TypeError(
                f"`{owner}` is made of symbolic tensors as `{owner}(inputs, outputs)`, received "
                f"{len(given)} of the two."
            )
        begin, end = given[0], _one_of_one(given[1])
        return Made(graph(begin, end, name), Symbols(begin, end))
    if len(arguments) == 1 and inputs is None and outputs is None:
        # A pair is a description: each model made of one has weights of its own.
        return Made(apply_trainable_flags(as_layer(arguments[0])))
    if not arguments and inputs is None and outputs is None and type(model).call is not Author.call:
        return Made(Subclassed(model, name))
    raise TypeError(
        f"`{owner}` is made as `{owner}(inputs, outputs)` of symbolic tensors (see `fjax.Input`), "
        f"as `{owner}(network)` of a layer, or by a subclass that defines `call`; received "
        f"{len(arguments)} arguments{' and `inputs` or `outputs`' if inputs or outputs else ''}."
    )


def _one_of_one(outputs: PyTree) -> PyTree:
    """Return the one tensor of a list of one: such a model returns an array, as in Keras."""
    listed = isinstance(outputs, list | tuple) and len(outputs) == 1
    return outputs[0] if listed and isinstance(outputs[0], SymbolicTensor) else outputs


def declared_inputs(network: Any) -> tuple[PyTree, ...] | None:
    """Return the declarations of a network's inputs, one for each argument, if it has them."""
    if isinstance(network, Graph):
        several = isinstance(network.inputs, list | tuple)
        return tuple(network.inputs) if several else (network.inputs,)
    if isinstance(network, Serial) and network.layers:
        first = network.layers[0]
        return (first,) if isinstance(first, InputLayer) else None
    return None
