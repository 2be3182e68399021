"""From symbolic tensors to the graph between them, and back."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import jax

from fjax.core.calling import CallKwargs, as_arguments
from fjax.core.combinators import Serial
from fjax.core.graph import Call, Graph, Ref, rank
from fjax.core.inputs import InputLayer
from fjax.core.masking import strip_masks, with_mask
from fjax.core.naming import unique_names
from fjax.core.operations import Index, Operation
from fjax.core.symbolic import Node, SymbolicTensor, input_tensor, record_call, weight_tensor
from fjax.typing import PyTree

# A symbolic tensor, by its node and its index there.
TensorKey = tuple[int, int]


class Symbols(NamedTuple):
    """The symbolic tensors at the two ends of a network, in their structures.

    Attributes:
        inputs: The inputs of the network.
        outputs: Its outputs.
    """

    inputs: PyTree
    outputs: PyTree

    @property
    def nodes(self) -> list[Node]:
        """The calls between inputs and outputs, each after those whose outputs it needs."""
        return _nodes_between(jax.tree.leaves(self.inputs), jax.tree.leaves(self.outputs))


def graph(inputs: PyTree, outputs: PyTree, name: str | None = None) -> Graph:
    """Return the network from some symbolic tensors to others, as a layer.

    Args:
        inputs: A tensor, or a list, tuple or dict of them. An output of a layer may be an input,
            too: the graph begins there.
        outputs: A tensor, or a list, tuple or dict of them.
        name: The name of the graph inside a larger container.

    Raises:
        TypeError: An input or output is no symbolic tensor.
        ValueError: An output needs an input that is not among `inputs`, or no output depends on an
            input.

    >>> from fjax.layers import Dense, Input, concatenate
    >>> wide, deep = Input((5,), name="wide"), Input((6,), name="deep")
    >>> network = graph([wide, deep], Dense(1)(concatenate([wide, Dense(30)(deep)])))
    >>> network.input_names, network.names
    (['wide', 'deep'], ('dense', 'concatenate', 'dense_1'))
    """
    starts, ends = _tensors("inputs", inputs), _tensors("outputs", outputs)
    for position, tensor in enumerate(starts):
        if any(tensor is other for other in starts[:position]):
            raise ValueError(f"`inputs` has {tensor!r} twice: give each input once.")
    nodes = _nodes_between(starts, ends)
    weight_inputs = _weight_inputs(nodes)
    if weight_inputs:
        nodes = _nodes_between(starts, ends, weight_inputs)
    layers = list({id(node.layer): node.layer for node in nodes}.values())
    calls, refs = _number(starts, nodes, layers, weight_inputs)
    _check_all_used(starts, calls, [refs[_key(tensor)] for tensor in ends])
    # The order of the layers, and so of their weights, is Keras's.
    ranks = rank(len(starts), calls, [refs[_key(tensor)] for tensor in ends])
    layers = _sort(layers, ranks.layers[len(starts) :])
    nodes = _sort(nodes, ranks.calls)
    calls, refs = _number(starts, nodes, layers, weight_inputs)
    declared = jax.tree.map(_declaration, inputs)
    if isinstance(inputs, dict):
        # `jax.tree.map` sorts the keys.
        declared = {name: declared[name] for name in inputs}
    names = _names(layers, nodes, jax.tree.leaves(declared))
    output_refs = jax.tree.map(partial(_output_ref, refs), outputs)
    return Graph(declared, tuple(layers), tuple(calls), output_refs, names, name=name)


def symbols_of(network: Any) -> Symbols | None:
    """Return new symbolic tensors of a network, by calling its layers on them one by one.

    The network is a `Graph`, or a `Serial` that begins with a declared input; None for any other.
    """
    if isinstance(network, Graph):
        return replay(network, jax.tree.map(input_tensor, network.inputs), network.layers)
    if not isinstance(network, Serial) or not network.layers:
        return None
    first, *others = [layer for _, layer in network.calls()]
    if not isinstance(first, InputLayer):
        return None
    inputs = outputs = input_tensor(first)
    for layer in others:
        outputs = record_call(layer, as_arguments(outputs)).outputs
    return Symbols(inputs, outputs)


def replay(
    network: Graph, inputs: PyTree, layers: Sequence[Any], call: Callable[..., PyTree] | None = None
) -> Symbols:
    """Return the symbolic tensors of the calls of a graph, made again.

    Args:
        network: The graph.
        inputs: The symbolic tensors to begin with, in the structure of its inputs.
        layers: The layer to call in place of each layer of the graph.
        call: Called in place of each call of a layer, with the layer and its arguments.

    Raises:
        ValueError: `call` does not return as many tensors as the layer.
    """
    values = jax.tree.leaves(inputs)
    for each in network.calls:
        layer, arguments = layers[each.layer], each.arguments(values)
        if each.weight:
            source = record_call(layer, arguments)
            values.append(weight_tensor(source, each.weight))
        elif call is None or isinstance(layer, Operation | Index):
            again = record_call(layer, arguments, each.training).outputs
            values += each.split(jax.tree.map(_beside_mask, again))[0]
        else:
            values += _call_again(call, layer, arguments, each)
    outputs: PyTree = jax.tree.map(lambda ref: values[ref.value], strip_masks(network.outputs))
    return Symbols(inputs, outputs)


def _call_again(
    call: Callable[..., PyTree], layer: Any, arguments: tuple[PyTree, ...], recorded: Call
) -> list[SymbolicTensor]:
    """Return the flat tensors of a user's call in place of a recorded one, masks included."""
    positional = tuple(strip_masks(each) for each in arguments if not isinstance(each, CallKwargs))
    keywords = {
        name: value
        for each in arguments
        if isinstance(each, CallKwargs)
        for name, value in each.items()
    }
    if recorded.training is not None:
        keywords["training"] = recorded.training
    tensors = jax.tree.leaves(call(layer, *positional, **keywords))
    flat = [each for tensor in tensors for each in jax.tree.leaves(_beside_mask(tensor))]
    if len(flat) != recorded.outputs:
        raise ValueError(
            f"The call of {layer!r} was replaced by one that returns {len(flat)} tensors, masks "
            f"included: expected {recorded.outputs}, as many as the layer returns."
        )
    return flat


def _beside_mask(tensor: SymbolicTensor) -> Any:
    return with_mask(tensor, tensor.mask)


def _weight_inputs(nodes: list[Node]) -> dict[int, PyTree]:
    """Return for each node that reads a weight the inputs of a call of its layer, by identity.

    With them the weights are drawn. A call between the same tensors is preferred.
    """
    called: dict[int, PyTree] = {}
    for node in nodes:
        if not node.weight:
            called.setdefault(id(node.layer), node.inputs)
    return {
        id(node): called.get(id(node.layer), node.source.inputs)
        for node in nodes
        if node.source is not None
    }


def _nodes_between(
    starts: list[SymbolicTensor],
    ends: list[SymbolicTensor],
    weight_inputs: Mapping[int, PyTree] = MappingProxyType({}),
) -> list[Node]:
    """Return the nodes between some tensors and others, each after those whose outputs it needs.

    Args:
        starts: The tensors to begin with.
        ends: The tensors to end with.
        weight_inputs: The inputs of nodes that read weights, by the identity of the node.

    Raises:
        ValueError: A tensor at the end needs a declared input that is not among the starts, or a
            weight is read for the inputs of the only call of its layer.
    """
    opened: set[int] = set()
    known = {_key(tensor) for tensor in starts}
    nodes: dict[int, Node] = {}
    for end in ends:
        # An explicit stack: a network may be deeper than Python's recursion limit.
        stack = [(end, False)]
        while stack:
            tensor, parents_done = stack.pop()
            node = tensor.node
            if _key(tensor) in known or id(node) in nodes:
                continue
            if parents_done:
                nodes[id(node)] = node
            elif isinstance(node.layer, InputLayer):
                same_name = any(tensor.name == start.name for start in starts)
                hint = " An input of this name is another tensor: was `Input` called again?"
                raise ValueError(
                    f"The graph is disconnected: an output needs the input {tensor!r}, which is "
                    f"not among the inputs {starts}. Add it to `inputs`.{hint if same_name else ''}"
                )
            else:
                if node.weight and id(node) in opened:
                    raise ValueError(
                        f"The weight {'/'.join(node.weight[1:])!r} of the layer {node.name!r} is "
                        "read for the inputs of the only call of this layer between these inputs "
                        "and outputs: call the layer on something else first."
                    )
                opened.add(id(node))
                stack.append((tensor, True))
                inputs = jax.tree.leaves(weight_inputs.get(id(node), node.inputs))
                parents = [leaf for leaf in inputs if isinstance(leaf, SymbolicTensor)]
                stack += [(parent, False) for parent in reversed(parents)]
    return list(nodes.values())


def _number(
    starts: list[SymbolicTensor],
    nodes: list[Node],
    layers: list[Any],
    weight_inputs: Mapping[int, PyTree],
) -> tuple[list[Call], dict[TensorKey, Ref]]:
    """Return the nodes as calls of a graph, and the references to all tensors."""
    indices = {id(layer): index for index, layer in enumerate(layers)}
    refs = {_key(tensor): Ref(value) for value, tensor in enumerate(starts)}
    calls = []
    value = len(starts)
    for node in nodes:
        arguments = jax.tree.map(
            lambda leaf: refs[_key(leaf)] if isinstance(leaf, SymbolicTensor) else leaf,
            weight_inputs.get(id(node), node.inputs),
        )
        calls.append(
            Call(
                indices[id(node.layer)],
                arguments,
                len(node.tensors),
                node.training,
                _some_masked(node.outputs),
                node.weight,
            )
        )
        for tensor in node.tensors:
            # A tensor that is also an input of the graph refers to the input.
            refs.setdefault(_key(tensor), Ref(value))
            value += 1
    return calls, refs


def _some_masked(outputs: PyTree) -> tuple[int, ...]:
    """Return the positions of the tensors with a mask, if others have none."""
    tensors = jax.tree.leaves(outputs)
    masked = tuple(n for n, tensor in enumerate(tensors) if tensor.mask is not None)
    return masked if len(masked) < len(tensors) else ()


def _check_all_used(starts: list[SymbolicTensor], calls: list[Call], outputs: list[Ref]) -> None:
    used = {ref.value for call in calls for ref in call.refs} | {ref.value for ref in outputs}
    for value, tensor in enumerate(starts):
        if value not in used:
            raise ValueError(
                f"The graph is disconnected: no output depends on the input {tensor!r}. Leave it "
                "out of `inputs`, or use it."
            )


def _sort(items: list[Any], ranks: list[Any]) -> list[Any]:
    return [items[position] for position in sorted(range(len(items)), key=ranks.__getitem__)]


def _output_ref(refs: dict[TensorKey, Ref], tensor: SymbolicTensor) -> Any:
    """Return the reference to an output, with that to its mask if a call of the graph makes it."""
    mask = None if tensor.mask is None else refs.get(_key(tensor.mask))
    return with_mask(refs[_key(tensor)], mask)


def _names(layers: list[Any], nodes: list[Node], declared: list[Any]) -> tuple[str, ...]:
    """Return the names of the layers, numbered in the order in which they were first called."""
    by_age = {id(node.layer): node.layer for node in sorted(nodes, key=lambda node: node.number)}
    names = unique_names([*declared, *by_age.values()])[len(declared) :]
    name_of = dict(zip(by_age, names, strict=True))
    return tuple(name_of[id(layer)] for layer in layers)


def _key(tensor: SymbolicTensor) -> TensorKey:
    return id(tensor.node), tensor.index


def _tensors(argument: str, tree: PyTree) -> list[SymbolicTensor]:
    leaves = jax.tree.leaves(tree)
    if not leaves:
        raise TypeError(
            f"`{argument}` is empty: give a symbolic tensor, as `fjax.Input` returns it."
        )
    for leaf in leaves:
        if not isinstance(leaf, SymbolicTensor):
            raise TypeError(
                f"`{argument}` must be symbolic tensors, as `fjax.Input` and layers called on them "
                f"return them, received {leaf!r} of type `{type(leaf).__name__}`."
            )
    return leaves


def _declaration(tensor: SymbolicTensor) -> InputLayer:
    if isinstance(tensor.node.layer, InputLayer):
        return tensor.node.layer
    return InputLayer(shape=tensor.shape[1:], dtype=tensor.dtype, name=f"{tensor.name}_input")
