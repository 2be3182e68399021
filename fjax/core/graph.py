"""Graphs: layers with many inputs and outputs, as a layer again."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import jax

from fjax.configuration import Configured
from fjax.core.adapters import as_layer
from fjax.core.calling import CallRecord
from fjax.core.inputs import check_inputs
from fjax.core.layer import Layer
from fjax.core.location import layer_context
from fjax.core.masking import strip_masks
from fjax.core.naming import unique_names
from fjax.core.penalties import join_penalties
from fjax.core.precision import apply_layer, init_layer
from fjax.core.shapes import LayerShapes, eval_shapes, output_specs
from fjax.typing import Key, Params, PyTree, Spec, State


class Ref(Configured):
    """A value of a graph, by its number: first the inputs, then the outputs of call after call."""

    value: int


class Call(Configured):
    """One call of a layer of a graph.

    Args:
        layer: The layer's number.
        inputs: What it is called on: a tuple of `Ref`s, constants, and nestings of them.
        outputs: How many values it makes.
        training: The mode that the call fixes; None follows the pass.
    """

    layer: int
    inputs: tuple[Any, ...]
    outputs: int = 1
    training: bool | None = None


class Graph(Layer):
    """Layers that call one another, as plain data; `fjax.core.graph` makes one of symbolic tensors.

    A layer that is called several times has its weights once. Inputs come as one argument each, or
    as one dict where `inputs` is a dict.

    Args:
        inputs: The declared inputs: one, or a tuple, list or dict of them.
        layers: The layers, each once, in the order of their weights.
        calls: The calls, in an order in which every value is there before it is used.
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

    rows_independent = True

    inputs: Any
    layers: tuple[Any, ...]
    calls: tuple[Call, ...]
    outputs: Any
    names: tuple[str, ...] = ()

    masking = "takes"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.layers = tuple(as_layer(layer) for layer in self.layers)
        self.calls = tuple(self.calls)
        self.names = tuple(self.names) or tuple(unique_names(list(self.layers)))

    def __repr__(self) -> str:
        ways = f"{', '.join(self.input_names)} -> {', '.join(self.output_names)}"
        return f"<Graph {self.name or 'functional'!r}: {ways}, {len(self.layers)} layers>"

    @property
    def kind(self) -> str:
        """Keras's word for a graph of layers."""
        return "Functional"

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs, in the order of their leaves: a dict's keys, or their own."""
        if isinstance(self.inputs, Mapping):
            return sorted(self.inputs)
        return unique_names(jax.tree.leaves(self.inputs))

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: a dict's keys, or those of the layers that make them.

        Two outputs of one layer are numbered.
        """
        if isinstance(self.outputs, Mapping):
            return sorted(self.outputs)
        makers = self._makers()
        named: list[str] = []
        for ref in jax.tree.leaves(strip_masks(self.outputs)):
            maker = makers.get(ref.value)
            base = self.input_names[ref.value] if maker is None else self._name_of(maker)
            name, number = base, 0
            while name in named:
                number += 1
                name = f"{base}_{number}"
            named.append(name)
        return named

    def _name_of(self, call: int) -> str:
        return self.names[self.calls[call].layer]

    def children(self) -> list[tuple[str, Any]]:
        """Return the layers, by name."""
        return list(zip(self.names, self.layers, strict=True))

    def with_children(self, layers: Any) -> Self:
        """Return the same graph of other layers."""
        return type(self)(
            self.inputs, tuple(layers), self.calls, self.outputs, self.names,
            name=self.name, input_shape=self.input_shape, trainable=self.trainable,
        )  # fmt: skip

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return each layer's params and state, by name, shapes followed from call to call."""
        params: dict[str, Any] = {}
        state: dict[str, Any] = {}

        def run(call: Call, layer: Any, name: str, values: tuple[PyTree, ...]) -> PyTree:
            if name not in params:
                # A layer's key is its place folded in: see `Serial`.
                own_key = jax.random.fold_in(key, call.layer)
                params[name], state[name] = init_layer(layer, own_key, *values)
            return output_specs(layer, params[name], state[name], *values)

        def declared(name: str, layer: Any, value: PyTree) -> PyTree:
            return output_specs(layer, {}, {}, value)

        self._run(specs, run, declared)
        return self._in_order(params), self._in_order(state)

    def eval_shapes(self, *specs: Spec) -> LayerShapes:
        """Return the shapes of weights and outputs, put together from those of the layers."""
        params: dict[str, Any] = {}
        state: dict[str, Any] = {}

        def run(call: Call, layer: Any, name: str, values: tuple[PyTree, ...]) -> PyTree:
            if name in params:
                return output_specs(layer, params[name], state[name], *values)
            params[name], state[name], outputs = eval_shapes(layer, *values)
            return outputs

        def declared(name: str, layer: Any, value: PyTree) -> PyTree:
            return eval_shapes(layer, value).outputs

        outputs = self._run(specs, run, declared)
        return LayerShapes(self._in_order(params), self._in_order(state), outputs)

    def _in_order(self, tree: dict[str, Any]) -> dict[str, Any]:
        return {name: tree[name] for name in self.names if name in tree}

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the outputs in their structure, and each layer's next state by name."""
        return self._apply(params, state, inputs, key, training, [])

    def trace(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> list[CallRecord]:
        """Return the calls of the layers for these inputs, and of the declared inputs."""
        calls: list[CallRecord] = []
        key = jax.random.key(0) if key is None else key
        self._apply(params, state, inputs, key, training, calls)
        return calls

    def _apply(
        self,
        params: Params,
        state: State,
        inputs: tuple[PyTree, ...],
        key: Key | None,
        training: bool,
        calls: list[CallRecord],
    ) -> tuple[PyTree, State]:
        next_state = dict(state)
        seen: set[str] = set()
        drawn = iter(range(len(self.calls)))

        def run(call: Call, layer: Any, name: str, values: tuple[PyTree, ...]) -> PyTree:
            own_key = None if key is None else jax.random.fold_in(key, next(drawn))
            mode = training if call.training is None else call.training
            before = next_state[name]
            outputs, after = apply_layer(
                layer, params[name], before, *values, key=own_key, training=mode
            )
            next_state[name] = join_penalties(before, after) if name in seen else after
            seen.add(name)
            calls.append(CallRecord(name, layer, values, outputs, own_key))
            return outputs

        def declared(name: str, layer: Any, value: PyTree) -> PyTree:
            outputs, _ = layer.apply({}, {}, value)
            calls.append(CallRecord(name, layer, (), outputs))
            return outputs

        return self._run(inputs, run, declared), next_state

    def check_inputs(self, *inputs: PyTree) -> None:
        """Hold the values against each layer that is called on inputs of the graph alone."""
        values = self._input_leaves(inputs)
        for call in self.calls:
            refs = _refs(call.inputs)
            if refs and all(ref.value < len(values) for ref in refs):
                name, layer = self.names[call.layer], self.layers[call.layer]
                check_inputs(name, layer, self.arguments(call, values))

    def _run(self, inputs: tuple[PyTree, ...], run: Any, declared: Any) -> PyTree:
        """Return the outputs, where `run` makes each call's."""
        values: list[PyTree] = []
        given = self._input_leaves(inputs)
        for name, layer, value in zip(
            self.input_names, jax.tree.leaves(self.inputs), given, strict=True
        ):
            with layer_context(name, layer, (value,)):
                values.append(declared(name, layer, value))
        names = self.names
        for call in self.calls:
            name, layer = names[call.layer], self.layers[call.layer]
            arguments = self.arguments(call, values)
            with layer_context(name, layer, arguments):
                values += jax.tree.leaves(run(call, layer, name, arguments))
        return jax.tree.map(lambda ref: values[ref.value], self.outputs)

    @staticmethod
    def arguments(call: Call, values: Sequence[Any]) -> tuple[PyTree, ...]:
        """Return what a layer is called on, the values being there."""
        return jax.tree.map(
            lambda leaf: values[leaf.value] if isinstance(leaf, Ref) else leaf, call.inputs
        )

    def _input_leaves(self, inputs: tuple[PyTree, ...]) -> list[Any]:
        """Return the inputs one by one, or raise where they are not of the declared structure."""
        several = isinstance(self.inputs, list | tuple)
        wanted = tuple(self.inputs) if several else (self.inputs,)
        if str(jax.tree.structure(wanted)) != str(jax.tree.structure(inputs)):
            raise ValueError(
                f"The graph {self.name or 'functional'!r} takes the inputs "
                f"{', '.join(self.input_names)} as {_described(wanted)}, received "
                f"{_described(inputs)}."
            )
        return jax.tree.leaves(inputs)

    def shown(self) -> list[tuple[str, Any]]:
        """Return the declared inputs and the layers, by name, in the order in which Keras has them.

        A layer that is farther from the outputs comes first, and of two equally far ones that
        which is met first on the way up from the outputs.
        """
        declared = jax.tree.leaves(self.inputs)
        count = len(declared)
        depths, visits = [0] * count, self._visits()
        of_layers: dict[int, int] = {}
        makers = self._makers()
        of_calls = [0] * len(self.calls)
        for number in reversed(range(len(self.calls))):
            call = self.calls[number]
            depth = max(of_calls[number], of_layers.get(call.layer, 0))
            of_layers[call.layer] = depth
            for ref in _refs(call.inputs):
                if ref.value < count:
                    depths[ref.value] = max(depths[ref.value], depth + 1)
                else:
                    parent = makers[ref.value]
                    of_calls[parent] = max(of_calls[parent], depth + 1)
        ranked = [
            (-depths[number], visits[number], name, layer)
            for number, (name, layer) in enumerate(zip(self.input_names, declared, strict=True))
        ]
        ranked += [
            (-of_layers[place], visits[count + place], name, layer)
            for place, (name, layer) in enumerate(self.children())
        ]
        return [(name, layer) for _, _, name, layer in sorted(ranked, key=lambda entry: entry[:2])]

    def _visits(self) -> dict[int, int]:
        """Return when each input, and each layer behind them, is met from the outputs up."""
        makers, count = self._makers(), len(jax.tree.leaves(self.inputs))
        visits: dict[int, int] = {}
        seen: set[int] = set()
        stack = list(reversed(jax.tree.leaves(self.outputs)))
        while stack:
            value = stack.pop().value
            own = value if value < count else count + self.calls[makers[value]].layer
            visits.setdefault(own, len(visits))
            if value >= count and makers[value] not in seen:
                seen.add(makers[value])
                stack += reversed(_refs(self.calls[makers[value]].inputs))
        return visits

    def _makers(self) -> dict[int, int]:
        """Return which call makes which value."""
        makers: dict[int, int] = {}
        value = len(jax.tree.leaves(self.inputs))
        for number, call in enumerate(self.calls):
            makers |= {value + position: number for position in range(call.outputs)}
            value += call.outputs
        return makers


def _refs(inputs: PyTree) -> list[Ref]:
    return [leaf for leaf in jax.tree.leaves(inputs) if isinstance(leaf, Ref)]


def _described(inputs: tuple[PyTree, ...]) -> str:
    dicts = [value for value in inputs if isinstance(value, Mapping)]
    if len(inputs) == 1 and dicts:
        return f"one dict with the names {', '.join(map(repr, sorted(dicts[0])))}"
    return f"{len(inputs)} argument{'s' if len(inputs) != 1 else ''}"
