"""The network of a new model: from a pair, symbolic tensors, or an author's `call`."""

from typing import Any, NamedTuple

import jax

from fjax.configuration import replace
from fjax.core import Graph, Serial, SymbolicTensor, as_layer
from fjax.core.author import Author
from fjax.core.freezing import apply_trainable_flags
from fjax.core.graph_builder import Symbols, graph
from fjax.dtype_policies import policy_name, policy_scope
from fjax.models.step_methods.forms import TRAIN, is_overridden
from fjax.models.subclassed import Subclassed
from fjax.models.sublayer_network import SublayerNetwork
from fjax.typing import PyTree


class ConstructedNetwork(NamedTuple):
    """A network, and the symbolic tensors that it was created from, or None."""

    network: Any
    symbols: Symbols | None = None


class SharedNetwork:
    """A network whose weights a new model shares, where a pure pair has none to share."""

    def __init__(self, network: Any) -> None:
        self.network = network


def network_of(
    model: Any,
    arguments: tuple[Any, ...],
    inputs: PyTree,
    outputs: PyTree,
    name: str | None,
    dtype: Any = None,
    remat: bool = False,
) -> ConstructedNetwork:
    """Return the network of a model that is created with these arguments.

    Raises:
        ValueError: There is no such dtype policy, or `remat` is given for a network that exists
            already or for an author's class, whose layers have it themselves.
        TypeError: The arguments are neither `(network)` nor `(inputs, outputs)`, and the class has
            no `call` and no `train_step`.
    """
    owner = type(model).__name__
    with policy_scope(policy_name(owner, "dtype", dtype)):
        constructed = _network_of(model, arguments, inputs, outputs, name)
    if not remat:
        return constructed
    if not isinstance(constructed.network, Graph | Serial):
        raise ValueError(
            f"`{owner}`: `remat=True` is for models of symbolic tensors and for `Sequential`. Give "
            "`remat=True` to the layers that are to be computed again for the gradients."
        )
    return constructed._replace(network=replace(constructed.network, remat=True))


def _network_of(
    model: Any, arguments: tuple[Any, ...], inputs: PyTree, outputs: PyTree, name: str | None
) -> ConstructedNetwork:
    owner = type(model).__name__
    leaves = jax.tree.leaves((arguments, inputs, outputs))
    if any(isinstance(leaf, SymbolicTensor) for leaf in leaves):
        tensors = [*arguments, *(value for value in (inputs, outputs) if value is not None)]
        if len(tensors) != 2 or (len(arguments) == 1 and inputs is not None):
            raise TypeError(
                f"`{owner}` is created from symbolic tensors as `{owner}(inputs, outputs)`, "
                f"received {len(tensors)} of the two."
            )
        begin, end = tensors[0], _unwrap_single(tensors[1])
        return ConstructedNetwork(graph(begin, end, name), Symbols(begin, end))
    if len(arguments) == 1 and isinstance(arguments[0], SharedNetwork):
        return ConstructedNetwork(arguments[0].network)
    if len(arguments) == 1 and inputs is None and outputs is None:
        # A pair has no weights: each model that is created from it has its own.
        return ConstructedNetwork(apply_trainable_flags(as_layer(arguments[0])))
    if not arguments and inputs is None and outputs is None:
        if type(model).call is not Author.call:
            return ConstructedNetwork(Subclassed(model, name))
        if is_overridden(model, TRAIN):
            return ConstructedNetwork(SublayerNetwork(model, name))
    raise TypeError(
        f"`{owner}` is created as `{owner}(inputs, outputs)` from symbolic tensors (see "
        f"`fjax.Input`), as `{owner}(network)` from a layer, or by a subclass that defines `call` "
        f"or `train_step`; received {len(arguments)} arguments"
        f"{' and `inputs` or `outputs`' if inputs or outputs else ''}."
    )


def _unwrap_single(outputs: PyTree) -> PyTree:
    """Return the tensor in a list of one tensor; such a model returns an array, as in Keras."""
    is_single = isinstance(outputs, list | tuple) and len(outputs) == 1
    return outputs[0] if is_single and isinstance(outputs[0], SymbolicTensor) else outputs
