"""From symbolic tensors to a graph."""

from typing import Any, NamedTuple

import jax

from fjax.core.graph import Call, Graph, Ref
from fjax.core.inputs import InputLayer
from fjax.core.masking import with_mask
from fjax.core.naming import unique_names
from fjax.core.symbolic import Node, SymbolicTensor
from fjax.typing import PyTree


class Drawing(NamedTuple):
    """A graph, and the nodes that its calls were made of, in their order."""

    graph: Graph
    nodes: tuple[Node, ...]


def graph(inputs: PyTree, outputs: PyTree, name: str | None = None) -> Graph:
    """Return the network from some symbolic tensors to others, as a layer.

    Args:
        inputs: A tensor, or a list, tuple or dict of them. Any tensor may be an input, also one
            that a layer makes: the graph then begins there.
        outputs: Likewise.
        name: The name of the whole inside a larger container.

    Raises:
        TypeError: An input or output is no symbolic tensor.
        ValueError: An output needs an input that is not given, or an input leads to no output.

    >>> from fjax.layers import Dense, Input, concatenate
    >>> wide, deep = Input((5,), name="wide"), Input((6,), name="deep")
    >>> network = graph([wide, deep], Dense(1)(concatenate([wide, Dense(30)(deep)])))
    >>> network.input_names, network.names
    (['wide', 'deep'], ('dense', 'concatenate', 'dense_1'))
    """
    return draw(inputs, outputs, name).graph


def draw(inputs: PyTree, outputs: PyTree, name: str | None = None) -> Drawing:
    """Return the graph as `graph` does, with the nodes of its calls."""
    given = _tensors("inputs", inputs)
    wanted = _tensors("outputs", outputs)
    repeated = [t for position, t in enumerate(given) if any(t is u for u in given[:position])]
    if repeated:
        raise ValueError(f"`inputs` has {repeated[0]!r} twice: give each input once.")
    order, visits = _ordered(given, wanted)
    depths = _depths(order, given)
    found = {id(node.layer): node.layer for node in order}
    # Keras's order of layers, which is that of their weights: far from the outputs first.
    far: dict[int, int] = {}
    for node in order:
        far[id(node.layer)] = max(far.get(id(node.layer), 0), depths[id(node)])
    layers = sorted(found.values(), key=lambda layer: (-far[id(layer)], visits[id(layer)]))
    places = {id(layer): place for place, layer in enumerate(layers)}
    nodes = sorted(order, key=lambda node: (-depths[id(node)], places[id(node.layer)]))

    refs = {_key(tensor): Ref(number) for number, tensor in enumerate(given)}
    calls = []
    count = len(given)
    for node in nodes:
        made = node.tensors
        arguments = jax.tree.map(
            lambda leaf: refs[_key(leaf)] if isinstance(leaf, SymbolicTensor) else leaf, node.inputs
        )
        calls.append(Call(places[id(node.layer)], arguments, len(made), node.training))
        for tensor in made:
            # Where an input is a tensor that a layer makes, the input stands.
            refs.setdefault(_key(tensor), Ref(count))
            count += 1
    declared = jax.tree.map(_declaration, inputs)
    ends = jax.tree.map(lambda tensor: _end(tensor, refs), outputs)
    drawn = Graph(
        declared, tuple(layers), tuple(calls), ends, _names(layers, order, declared), name=name
    )
    return Drawing(drawn, tuple(nodes))


def _end(tensor: SymbolicTensor, refs: dict[tuple[int, int], Ref]) -> Any:
    """Return the reference to an output, with that to its mask; a declared input has none."""
    mask = None if tensor.mask is None else refs.get(_key(tensor.mask))
    return with_mask(refs[_key(tensor)], mask)


def _names(layers: list[Any], order: list[Node], declared: PyTree) -> tuple[str, ...]:
    """Return the names of layers, numbered in the order in which they were first called."""
    by_age = {id(node.layer): node.layer for node in sorted(order, key=lambda node: node.number)}
    inputs = jax.tree.leaves(declared)
    names = unique_names([*inputs, *by_age.values()])[len(inputs) :]
    name_of = dict(zip(by_age, names, strict=True))
    return tuple(name_of[id(layer)] for layer in layers)


def _key(tensor: SymbolicTensor) -> tuple[int, int]:
    return id(tensor.node), tensor.position


def _tensors(argument: str, tree: PyTree) -> list[SymbolicTensor]:
    leaves = jax.tree.leaves(tree)
    if not leaves:
        raise TypeError(f"`{argument}` is empty: give a symbolic tensor, as `fjax.Input` makes it.")
    for leaf in leaves:
        if not isinstance(leaf, SymbolicTensor):
            raise TypeError(
                f"`{argument}` must be symbolic tensors, as `fjax.Input` and layers called on them "
                f"make them, received {leaf!r} of type `{type(leaf).__name__}`."
            )
    return leaves


def _declaration(tensor: SymbolicTensor) -> InputLayer:
    if isinstance(tensor.node.layer, InputLayer):
        return tensor.node.layer
    return InputLayer(tensor.shape[1:], dtype=tensor.dtype, name=f"{tensor.name}_input")


def _ordered(
    given: list[SymbolicTensor], wanted: list[SymbolicTensor]
) -> tuple[list[Node], dict[int, int]]:
    """Return the nodes between inputs and outputs, each behind those that it needs.

    With them comes the number of each layer in the order of first visits, from the outputs up.
    """
    visits: dict[int, int] = {}
    inputs = {_key(tensor) for tensor in given}
    used: set[tuple[int, int]] = set()
    order: list[Node] = []
    done: set[int] = set()
    for tensor in wanted:
        # Two visits a node, with a stack of our own: a network may be deeper than Python's.
        stack = [(tensor, False)]
        while stack:
            tensor, visited = stack.pop()
            node = tensor.node
            if _key(tensor) in inputs:
                used.add(_key(tensor))
            elif visited:
                if id(node) not in done:
                    done.add(id(node))
                    order.append(node)
            elif isinstance(node.layer, InputLayer):
                namesake = any(tensor.name == other.name for other in given)
                hint = " One has its name, and is another tensor: was `Input` called again?"
                raise ValueError(
                    f"The graph is disconnected: an output needs the input {tensor!r}, which is "
                    f"not among the inputs {given}. Add it to `inputs`.{hint if namesake else ''}"
                )
            elif id(node) not in done:
                visits.setdefault(id(node.layer), len(visits))
                stack.append((tensor, True))
                stack += [(parent, False) for parent in reversed(list(node.parents()))]
    for tensor in given:
        if _key(tensor) not in used:
            raise ValueError(
                f"The graph is disconnected: no output depends on the input {tensor!r}. Leave it "
                "out of `inputs`, or use it."
            )
    return order, visits


def _depths(order: list[Node], given: list[SymbolicTensor]) -> dict[int, int]:
    """Return how many calls lie between each node and the farthest output."""
    inputs = {_key(tensor) for tensor in given}
    depths: dict[int, int] = {}
    of_layers: dict[int, int] = {}
    for node in reversed(order):
        # A layer that is called several times stands where it is farthest.
        depth = max(depths.get(id(node), 0), of_layers.get(id(node.layer), 0))
        depths[id(node)] = of_layers[id(node.layer)] = depth
        for parent in node.parents():
            if _key(parent) not in inputs:
                depths[id(parent.node)] = max(depths.get(id(parent.node), 0), depth + 1)
    return depths
