"""Graphs: networks in which layers have several inputs and outputs or are called several times."""

import itertools
from collections.abc import Container, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Self

import jax

from fjax.configuration import Configured, replace
from fjax.core.adapters import as_layer
from fjax.core.combinators import fold_key
from fjax.core.function_calls import fill_constants
from fjax.core.inputs import InputLayer, check_inputs
from fjax.core.keras_layout import KerasLayout
from fjax.core.layer import Layer
from fjax.core.location import layer_context
from fjax.core.masking import is_masked, split_mask, strip_masks, with_mask
from fjax.core.naming import unique_names
from fjax.core.penalties import join_penalties
from fjax.core.precision import apply_layer, init_layer
from fjax.core.shapes import LayerShapes, eval_shapes, output_specs
from fjax.trees import branch
from fjax.typing import Key, Params, PyTree, Spec, State


class Ref(Configured):
    """A value of a graph, by its number: the inputs come first, then the outputs of each call."""

    value: int


class Call(Configured):
    """One call of a layer of a graph.

    Args:
        layer: The index of the layer.
        inputs: The arguments: a tuple of `Ref`s, constants, and nested structures of them.
        outputs: The number of values that the call returns, masks included.
        training: The mode of this call, True or False; None follows the mode of the graph.
        masked: The positions of the outputs with a mask, if others have none.
        weight: The part and the path of a weight, ("params", "kernel"), that is returned instead of
            the outputs of the layer.
    """

    layer: int
    inputs: tuple[Any, ...]
    outputs: int = 1
    training: bool | None = None
    masked: tuple[int, ...] = ()
    weight: tuple[str, ...] = ()

    @property
    def refs(self) -> list[Ref]:
        """The values of the graph among the arguments."""
        return [leaf for leaf in jax.tree.leaves(self.inputs) if isinstance(leaf, Ref)]

    def arguments(
        self, values: Sequence[Any], masks: Mapping[int, Any] = MappingProxyType({})
    ) -> tuple[PyTree, ...]:
        """Return the arguments: each `Ref` replaced by its value, each `Constant` by its array.

        Args:
            values: The values of the graph.
            masks: The masks of values that are not values of the graph themselves, by number.
        """
        return fill_constants(fill_refs(self.inputs, values, masks))

    def split(self, outputs: PyTree) -> tuple[list[Any], dict[int, Any]]:
        """Return the outputs as values of the graph, and the masks that are no values of it.

        A graph that gets masked inputs, but was made of inputs without masks, has such masks.

        >>> from fjax.core.masking import Masked
        >>> Call(0, (Ref(0),), outputs=2).split(Masked(1.0, True))
        ([1.0, True], {})
        >>> Call(0, (Ref(0),), outputs=1).split(Masked(1.0, True))
        ([1.0], {0: True})
        """
        pairs = [split_mask(leaf) for leaf in jax.tree.leaves(outputs, is_leaf=is_masked)]
        recorded = self._recorded_masks([mask is not None for _, mask in pairs])
        values: list[Any] = []
        others: dict[int, Any] = {}
        for position, (value, mask) in enumerate(pairs):
            if mask is not None and position not in recorded:
                others[len(values)] = mask
            values += [value, mask] if position in recorded else [value]
        return values, others

    def read_weight(self, params: Params, state: State) -> Any:
        """Return the weight of the layer that the call reads.

        Raises:
            ValueError: The layer has no such weight.
        """
        try:
            return branch({"params": params, "state": state}, self.weight)
        except (KeyError, TypeError):
            raise ValueError(f"The layer has no weight {'/'.join(self.weight)!r}.") from None

    def _recorded_masks(self, masked: list[bool]) -> Container[int]:
        """Return the positions of the outputs whose masks are values of the graph."""
        count = self.outputs - len(masked)
        if count == 0:
            return ()
        if count == sum(masked):
            return [position for position, is_one in enumerate(masked) if is_one]
        if count == len(self.masked) and all(masked[position] for position in self.masked):
            return self.masked
        raise ValueError(
            f"The call returned {len(masked)} outputs, of which {sum(masked)} have masks; when the "
            f"graph was made, {count} had masks. Make the graph anew, of inputs with masks."
        )


def fill_refs(tree: PyTree, values: Sequence[Any], masks: Mapping[int, Any]) -> PyTree:
    """Return a tree with each `Ref` replaced by its value, with its mask if it has one."""

    def fill(leaf: Any) -> Any:
        if isinstance(leaf, Ref):
            return with_mask(values[leaf.value], masks.get(leaf.value))
        if is_masked(leaf):
            # The graph has the mask itself.
            return jax.tree.map(lambda ref: values[ref.value], leaf)
        return leaf

    return jax.tree.map(fill, tree, is_leaf=is_masked)


class Graph(Layer):
    """Layers and their calls as plain data; `fjax.core.graph` makes one from symbolic tensors.

    A layer that is called several times has one set of weights. Several inputs are several
    arguments; where `inputs` is a dict, there is one argument, a dict.

    Args:
        inputs: The declared inputs: one `InputLayer`, or a tuple, list or dict of them.
        layers: The layers, each once, in the order of their weights.
        calls: The calls, each after those whose outputs it needs.
        outputs: `Ref`s in the structure of the outputs.
        names: The layers' names, which are the keys of `params` and `state`; by default their own,
            numbered in their order.

    >>> import jax.numpy as jnp
    >>> from fjax.layers import Dense, InputLayer
    >>> calls = (Call(0, (Ref(0),)), Call(0, (Ref(1),)))
    >>> twice = Graph(InputLayer((4,)), (Dense(4),), calls, Ref(2))
    >>> params, state = twice.init(jax.random.key(0), jnp.ones((2, 4)))
    >>> list(params), twice.apply(params, state, jnp.ones((2, 4)))[0].shape
    (['dense'], (2, 4))
    """

    keras_layout = KerasLayout(class_name="Functional", container="layers")
    rows_independent = True

    inputs: Any
    layers: tuple[Any, ...]
    calls: tuple[Call, ...]
    outputs: Any
    names: tuple[str, ...] = ()

    masking = "takes"
    casting = "none"
    remat_inside = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.layers = tuple(as_layer(layer) for layer in self.layers)
        self.calls = tuple(self.calls)
        self.names = tuple(self.names) or tuple(unique_names(list(self.layers)))

    def __repr__(self) -> str:
        ends = f"{', '.join(self.input_names)} -> {', '.join(self.output_names)}"
        return f"<Graph {self.name or 'functional'!r}: {ends}, {len(self.layers)} layers>"

    @property
    def kind(self) -> str:
        """Keras's word for a graph of layers."""
        return "Functional"

    @property
    def input_names(self) -> list[str]:
        """The names of the flat inputs: the keys of a dict, or the names of the declarations."""
        if _is_flat_dict(self.inputs):
            return sorted(self.inputs)
        return unique_names(jax.tree.leaves(self.inputs))

    @property
    def output_names(self) -> list[str]:
        """The names of the flat outputs: the keys of a dict, or the names of the layers.

        The second and further outputs of one layer are numbered.
        """
        names: list[str] = []
        for producer in self.output_log_names:
            name, number = producer, 0
            while name in names:
                number += 1
                name = f"{producer}_{number}"
            names.append(name)
        return names

    @property
    def output_log_names(self) -> list[str]:
        """The names of the flat outputs, equal for several outputs of one layer."""
        if _is_flat_dict(strip_masks(self.outputs)):
            return sorted(self.outputs)
        producers = self.input_names
        for call in self.calls:
            producers += [self.names[call.layer]] * call.outputs
        return [producers[ref.value] for ref in jax.tree.leaves(strip_masks(self.outputs))]

    def children(self) -> list[tuple[str, Any]]:
        """Return the layers, by name."""
        return list(zip(self.names, self.layers, strict=True))

    def with_children(self, layers: Any) -> Self:
        """Return the same graph with other layers."""
        return replace(self, layers=tuple(layers))

    def layers_in_order(self) -> list[tuple[str, Any]]:
        """Return the declared inputs and the layers, by name, in Keras's order; see `rank`."""
        inputs = jax.tree.leaves(self.inputs)
        entries = [*zip(self.input_names, inputs, strict=True), *self.children()]
        ranks = rank(len(inputs), self.calls, self.outputs).layers
        return [
            entries[position] for position in sorted(range(len(entries)), key=ranks.__getitem__)
        ]

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return the params and state of each layer, by name."""
        params: dict[str, Any] = {}
        state: dict[str, Any] = {}

        def run(call: Call, name: str, layer: Any, values: tuple[PyTree, ...]) -> PyTree:
            if name not in params:
                # A layer's key is its index folded in: see `Serial`.
                layer_key = jax.random.fold_in(key, call.layer)
                params[name], state[name] = init_layer(layer, layer_key, *values)
            if call.weight:
                return call.read_weight(params[name], state[name])
            return output_specs(layer, params[name], state[name], *values)

        def declare(name: str, layer: Any, value: PyTree) -> PyTree:
            return output_specs(layer, {}, {}, value)

        self._run(specs, run, declare)
        return self._in_layer_order(params), self._in_layer_order(state)

    def eval_shapes(self, *specs: Spec) -> LayerShapes:
        """Return the shapes of weights and outputs, composed of the shapes of the layers."""
        params: dict[str, Any] = {}
        state: dict[str, Any] = {}

        def run(call: Call, name: str, layer: Any, values: tuple[PyTree, ...]) -> PyTree:
            outputs = None
            if name not in params:
                params[name], state[name], outputs = eval_shapes(layer, *values)
            if call.weight:
                return call.read_weight(params[name], state[name])
            if outputs is None:
                outputs = output_specs(layer, params[name], state[name], *values)
            return outputs

        def declare(name: str, layer: Any, value: PyTree) -> PyTree:
            return eval_shapes(layer, value).outputs

        outputs = self._run(specs, run, declare)
        return LayerShapes(self._in_layer_order(params), self._in_layer_order(state), outputs)

    def _in_layer_order(self, tree: dict[str, Any]) -> dict[str, Any]:
        return {name: tree[name] for name in self.names if name in tree}

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the outputs in their structure, and the next state of each layer, by name."""
        next_state = dict(state)
        called: set[str] = set()
        positions = itertools.count()

        def run(call: Call, name: str, layer: Any, values: tuple[PyTree, ...]) -> PyTree:
            mode = training if call.training is None else call.training
            before = next_state[name]
            if call.weight:
                return call.read_weight(params[name], before)
            outputs, after = apply_layer(
                layer,
                params[name],
                before,
                *values,
                key=fold_key(key, next(positions)),
                training=mode,
                remat=self.remat,
            )
            next_state[name] = join_penalties(before, after) if name in called else after
            called.add(name)
            return outputs

        def declare(name: str, layer: Any, value: PyTree) -> PyTree:
            return layer.apply({}, {}, value)[0]

        return self._run(inputs, run, declare), next_state

    def check_inputs(self, *inputs: PyTree) -> None:
        """Check the data against each layer that is called on inputs of the graph alone."""
        values = self._flat_inputs(inputs)
        for call in self.calls:
            refs = call.refs
            if refs and not call.weight and all(ref.value < len(values) for ref in refs):
                name, layer = self.names[call.layer], self.layers[call.layer]
                check_inputs(name, layer, call.arguments(values))

    def _run(self, inputs: tuple[PyTree, ...], run: Any, declare: Any) -> PyTree:
        """Return the outputs, in their structure.

        Args:
            inputs: The inputs of the graph.
            run: Returns the outputs of a call: `run(call, name, layer, arguments)`.
            declare: Returns an input as declared: `declare(name, layer, value)`.
        """
        values: list[PyTree] = []
        masks: dict[int, Any] = {}
        for position, (name, layer, given) in enumerate(self.declared(inputs)):
            value, masks[position] = split_mask(given)
            with layer_context(name, layer, (value,)):
                values.append(declare(name, layer, value))
        for call in self.calls:
            name, layer = self.names[call.layer], self.layers[call.layer]
            arguments = call.arguments(values, masks)
            with layer_context(name, layer, arguments):
                outputs, others = call.split(run(call, name, layer, arguments))
            masks.update((len(values) + position, mask) for position, mask in others.items())
            values += outputs
        return fill_refs(self.outputs, values, masks)

    def declared(self, inputs: tuple[PyTree, ...]) -> list[tuple[str, InputLayer, Any]]:
        """Return the declared inputs with their names and values."""
        layers, values = jax.tree.leaves(self.inputs), self._flat_inputs(inputs)
        return list(zip(self.input_names, layers, values, strict=True))

    def _flat_inputs(self, inputs: tuple[PyTree, ...]) -> list[Any]:
        """Return the inputs as a flat list, or raise if their structure is not the declared one."""
        several = isinstance(self.inputs, list | tuple)
        expected = tuple(self.inputs) if several else (self.inputs,)
        # Lists and tuples are alike, as they are for the equality of graphs.
        if _paths(expected) != _paths(strip_masks(inputs)):
            raise ValueError(
                f"The graph {self.name or 'functional'!r} takes the inputs "
                f"{', '.join(self.input_names)} as {_describe(expected)}, received "
                f"{_describe(inputs)}."
            )
        return jax.tree.leaves(inputs, is_leaf=is_masked)


class Ranks(NamedTuple):
    """Keras's order of the layers and calls of a graph; a smaller rank comes first.

    Attributes:
        layers: The ranks of the inputs, followed by those of the layers.
        calls: The ranks of the calls, each before those that need its outputs.
    """

    layers: list[tuple[int, int]]
    calls: list[tuple[int, int]]


def rank(inputs: int, calls: Sequence[Call], outputs: PyTree) -> Ranks:
    """Return Keras's order of the layers and calls of a graph.

    The layer that is farthest from the outputs comes first. Of equally distant layers, the one that
    a depth-first search from the outputs meets first comes first.

    Args:
        inputs: The number of inputs.
        calls: The calls, each after those whose outputs it needs.
        outputs: `Ref`s to the outputs.
    """
    # A producer is an input or a call. Inputs count as layers of their own, before all others.
    layers = [*range(inputs), *(inputs + call.layer for call in calls)]
    producers = [*range(inputs)]
    for position, call in enumerate(calls):
        producers += [inputs + position] * call.outputs
    parents: list[list[int]] = [[] for _ in range(inputs)]
    parents += [[producers[ref.value] for ref in call.refs] for call in calls]

    depths = [0] * len(layers)
    layer_depths: dict[int, int] = {}
    for producer in reversed(range(len(layers))):
        # A layer that is called several times has the depth of its farthest call.
        depth = max(depths[producer], layer_depths.get(layers[producer], 0))
        depths[producer] = layer_depths[layers[producer]] = depth
        for parent in parents[producer]:
            depths[parent] = max(depths[parent], depth + 1)

    visits: dict[int, int] = {}
    visited: set[int] = set()
    stack = [producers[ref.value] for ref in reversed(jax.tree.leaves(outputs))]
    while stack:
        producer = stack.pop()
        visits.setdefault(layers[producer], len(visits))
        if producer not in visited:
            visited.add(producer)
            stack += reversed(parents[producer])

    ranks = {layer: (-layer_depths[layer], visit) for layer, visit in visits.items()}
    order = sorted(ranks, key=ranks.__getitem__)
    positions = {layer: position for position, layer in enumerate(order)}
    return Ranks(
        [ranks[layer] for layer in range(len(ranks))],
        [(-depths[call], positions[layers[call]]) for call in range(inputs, len(layers))],
    )


def _describe(inputs: tuple[PyTree, ...]) -> str:
    dicts = [value for value in inputs if isinstance(value, Mapping)]
    if len(inputs) == 1 and dicts:
        return f"one dict with the names {', '.join(map(repr, sorted(dicts[0])))}"
    return f"{len(inputs)} argument{'s' if len(inputs) != 1 else ''}"


def _paths(tree: PyTree) -> list[str]:
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return [jax.tree_util.keystr(path) for path, _ in leaves]


def _is_flat_dict(tree: PyTree) -> bool:
    """Return whether a tree is a dict of single values, which its keys name."""
    return isinstance(tree, Mapping) and jax.tree_util.all_leaves(tree.values())
