"""The walk over the layers of a network: names, nesting, weights, shapes and connections.

Summaries, drawings, TensorBoard's graph and `model.layers` are made of these records.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import jax

from fjax.core.calling import CallRecord
from fjax.core.combinators import Serial
from fjax.core.flow import Origin, Origins, find_origins, merge_origins
from fjax.core.freezing import frozen_paths
from fjax.core.graph import Graph, Ref
from fjax.core.inputs import InputLayer
from fjax.core.layer import Layer
from fjax.core.masking import Masked, is_masked, strip_masks
from fjax.core.naming import default_name, given_name
from fjax.core.placeholders import merge_shapes
from fjax.core.reserved import only_weights
from fjax.core.specs import spec_of
from fjax.core.ties import find_ties, with_ties
from fjax.core.tracing import has_layers, trace_calls
from fjax.typing import Params, PyTree, RecordsCalls, State

Path = tuple[str, ...]


class ArraySpec(NamedTuple):
    """The shape of an array, with None for axes of any size, and the name of its dtype."""

    shape: tuple[int | None, ...]
    dtype: str


class LayerRecord(NamedTuple):
    """A layer of a network.

    Attributes:
        path: Its name, after the names of the layers that contain it.
        layer: The layer.
        weights_path: The path of its weights in `params` and `state`; None for a declared input of
            a graph, which has no entry there.
        trainable: Whether training changes its weights.
        weights: The shapes of its weights: params and state.
        inputs: The flat inputs of its first call.
        outputs: The flat outputs of its first call; none if it is never called.
        origins: For each flat input the origins in all calls.
        inner: The layers inside, if there are some and they were asked for.
    """

    path: Path
    layer: Any
    weights_path: Path | None
    trainable: bool
    weights: PyTree = ()
    inputs: tuple[ArraySpec, ...] = ()
    outputs: tuple[ArraySpec, ...] = ()
    origins: tuple[Origins, ...] = ()
    inner: "NetworkRecord | None" = None

    @property
    def name(self) -> str:
        """The name of the layer in the network or layer that contains it."""
        return self.path[-1]


class NetworkRecord(NamedTuple):
    """The layers of a network and their connections.

    Attributes:
        layers: A record for each layer.
        inputs: The flat inputs of the network.
        outputs: The origins of each flat output of the network.
    """

    layers: tuple[LayerRecord, ...]
    inputs: tuple[ArraySpec, ...]
    outputs: tuple[Origins, ...]

    def walk(self) -> Iterator[LayerRecord]:
        """Yield all records, each followed by those of the layers inside."""
        for record in self.layers:
            yield record
            if record.inner is not None:
                yield from record.inner.walk()

    @property
    def is_sequence(self) -> bool:
        """Whether each layer is called once, on the output of the layer before."""
        previous: str | None = None
        for record in self.layers:
            if merge_origins(record.origins) not in ((), (Origin(previous, 0),)):
                return False
            previous = record.name
        return True

    @property
    def undeclared_inputs(self) -> list[int]:
        """The indices of the inputs that layers are called on and that no `InputLayer` declares."""
        origins = merge_origins(
            merge_origins(record.origins)
            for record in self.layers
            if not isinstance(record.layer, InputLayer)
        )
        return sorted(origin.position for origin in origins if origin.layer is None)


def list_layers(
    network: Any, within: Path = (), frozen: Iterable[Path] | None = None
) -> Iterator[LayerRecord]:
    """Yield the layers of a network, without their calls.

    A graph begins with its declared inputs, in Keras's order. A network that is composed of no
    layers is one layer itself.

    Args:
        network: The network.
        within: The path of the network, if it is a layer of another one.
        frozen: The paths of frozen weights, by default those of the network.

    >>> from fjax import serial
    >>> from fjax.layers import Dense
    >>> [(layer.name, layer.weights_path) for layer in list_layers(serial(Dense(3), Dense(1)))]
    [('dense', ('dense',)), ('dense_1', ('dense_1',))]
    >>> [(layer.name, layer.weights_path) for layer in list_layers(Dense(3))]
    [('dense', ())]
    """
    frozen = frozen_paths(network) if frozen is None else frozen
    children = network.children() if isinstance(network, Layer) else []
    layers = network.layers_in_order() if isinstance(network, Graph) else children
    if not layers and not isinstance(network, Serial):
        layers = [(given_name(network) or default_name(network), network)]
    named = dict(children)
    for name, layer in layers:
        weights_path: Path | None = (*within, name)
        if layer is network:
            weights_path = within
        elif name not in named:
            weights_path = None
        path = weights_path
        trainable = path is not None and not any(path[: len(at)] == at for at in frozen)
        yield LayerRecord((*within, name), layer, weights_path, trainable)


def trace_layers(
    network: Any,
    params: Params,
    state: State,
    inputs: Sequence[tuple[PyTree, ...]],
    nested: bool = False,
) -> NetworkRecord:
    """Return the layers of a network with their shapes and connections.

    Args:
        network: The network.
        params: The shapes of its params.
        state: The shapes of its state.
        inputs: The shapes of its inputs at two sizes: an axis that differs is shown as None.
        nested: Whether to record the layers inside layers, too.
    """
    return _trace_layers(network, params, state, inputs, nested, (), frozen_paths(network))


def _trace_layers(
    network: Any,
    params: Params,
    state: State,
    inputs: Sequence[tuple[PyTree, ...]],
    nested: bool,
    within: Path,
    frozen: Sequence[Path],
) -> NetworkRecord:
    if isinstance(network, RecordsCalls):
        # As in Keras, a layer is shown with the weights that it shares with another one.
        ties = find_ties(network.children())
        params, state = with_ties(params, ties), with_ties(state, ties)
    smaller, larger = (_trace(network, params, state, values) for values in inputs)
    first_calls: dict[str, tuple[CallRecord, CallRecord]] = {}
    for pair in zip(smaller.calls, larger.calls, strict=True):
        first_calls.setdefault(pair[0].name, pair)
    connections = _connect(network, smaller)
    records = []
    for record in list_layers(network, within, frozen):
        name, weights = record.name, (params, state)
        if record.weights_path != within:
            weights = _entry(params, name), _entry(state, name)
        record = record._replace(weights=(weights[0], only_weights(weights[1])))
        if name in first_calls:
            smaller_call, larger_call = first_calls[name]
            inner = None
            if nested and has_layers(record.layer):
                values = [smaller_call.inputs, larger_call.inputs]
                inner = _trace_layers(record.layer, *weights, values, nested, record.path, frozen)
            record = record._replace(
                inputs=_array_specs(smaller_call.inputs, larger_call.inputs),
                outputs=_array_specs(smaller_call.outputs, larger_call.outputs),
                origins=connections.layers[name],
                inner=inner,
            )
        records.append(record)
    traced = NetworkRecord(tuple(records), _array_specs(*inputs), connections.outputs)
    traced = _with_text(traced)
    return traced if isinstance(network, Graph) else _without_declarations(traced)


class _Trace(NamedTuple):
    """The calls of layers, and the trace that they left, with the origins of its inputs."""

    calls: list[CallRecord]
    jaxpr: Any
    origins: list[Origins]


class _Connections(NamedTuple):
    """The origins of the flat inputs of each layer, by name, and of the network's outputs."""

    layers: dict[str, tuple[Origins, ...]]
    outputs: tuple[Origins, ...]


def _trace(network: Any, params: Params, state: State, inputs: tuple[PyTree, ...]) -> _Trace:
    leaves, structure = jax.tree.flatten(inputs)
    arrays = [position for position, leaf in enumerate(leaves) if hasattr(leaf, "shape")]
    specs = [spec_of(leaves[position]) for position in arrays]
    calls: list[CallRecord] = []

    def run(params: Params, state: State, tracers: list[Any]) -> None:
        values = list(leaves)
        for position, tracer in zip(arrays, tracers, strict=True):
            values[position] = tracer
        arguments = jax.tree.unflatten(structure, values)
        calls.extend(trace_calls(network, params, state, *arguments, key=jax.random.key(0)))

    traced = jax.make_jaxpr(run)(params, state, specs)
    weights = len(jax.tree.leaves((params, state)))
    origins: list[Origins] = [()] * weights + [(Origin(None, position),) for position in arrays]
    return _Trace(calls, traced.jaxpr, origins)


def _connect(network: Any, trace: _Trace) -> _Connections:
    if isinstance(network, Graph):
        return _connect_graph(network, trace.calls)
    if trace.calls and not trace.calls[-1].name:
        return _connect_authored(trace)
    return _connect_sequence(trace.calls)


def _connect_graph(graph: Graph, calls: list[CallRecord]) -> _Connections:
    layers: dict[str, tuple[Origins, ...]] = {}
    values = []
    for position, name in enumerate(graph.input_names):
        layers[name] = ((Origin(None, position),),)
        values.append(Origin(name, 0))
    records = iter(calls[len(values) :])
    for call in graph.calls:
        if call.weight:
            # It is no call of the layer, whose outputs it is shown with.
            values.append(Origin(graph.names[call.layer], 0))
            continue
        record = next(records)
        inputs: list[Origins] = [
            (values[leaf.value],) if isinstance(leaf, Ref) else () for leaf in _leaves(call.inputs)
        ]
        # A layer that is called again has the origins of all its calls.
        pairs = zip_longest(layers.get(record.name, ()), inputs, fillvalue=())
        layers[record.name] = tuple(merge_origins(pair) for pair in pairs)
        # A mask is a value of the graph, with the position of the values that it masks.
        leaves = jax.tree.leaves(record.outputs, is_leaf=is_masked)
        positions = [Masked(n, n) if is_masked(leaf) else n for n, leaf in enumerate(leaves)]
        values += [Origin(record.name, position) for position in call.split(positions)[0]]
    return _Connections(layers, tuple((values[ref.value],) for ref in _leaves(graph.outputs)))


def _connect_authored(trace: _Trace) -> _Connections:
    found = find_origins(trace.jaxpr, trace.origins)

    def origins_of(name: str, values: PyTree) -> tuple[Origins, ...]:
        return tuple(found.get((name, position), ()) for position in range(len(_leaves(values))))

    *calls, whole = trace.calls
    layers = {call.name: origins_of(call.name, call.inputs) for call in reversed(calls)}
    return _Connections(layers, origins_of("", whole.outputs))


def _connect_sequence(calls: list[CallRecord]) -> _Connections:
    layers: dict[str, tuple[Origins, ...]] = {}
    previous, outputs = None, tuple[Origins, ...]()
    for call in calls:
        # A layer that is called again has the origins of all its calls.
        pairs = zip_longest(layers.get(call.name, ()), _all_of(previous, call.inputs), fillvalue=())
        layers[call.name] = tuple(merge_origins(pair) for pair in pairs)
        previous, outputs = call.name, _all_of(call.name, call.outputs)
    return _Connections(layers, outputs)


def _all_of(layer: str | None, values: PyTree) -> tuple[Origins, ...]:
    return tuple((Origin(layer, position),) for position in range(len(_leaves(values))))


def _with_text(network: NetworkRecord) -> NetworkRecord:
    """Return a network with the declared shapes of text, of which the trace has the numbers."""
    texts = {
        record.name: ArraySpec((record.layer.batch_size, *record.layer.shape), "string")
        for record in network.layers
        if isinstance(record.layer, InputLayer) and record.layer.takes_text
    }
    if not texts:
        return network
    inputs, records = list(network.inputs), []
    for record in network.layers:
        if record.name in texts:
            text = texts[record.name]
            inputs[record.origins[0][0].position] = text
            records.append(record._replace(inputs=(text,), outputs=(text,)))
            continue
        names = [origins[0].layer if origins else None for origins in record.origins]
        pairs = zip(names, record.inputs, strict=False)
        shown = tuple(texts.get(name or "", spec) for name, spec in pairs)
        records.append(record._replace(inputs=shown))
    return NetworkRecord(tuple(records), tuple(inputs), network.outputs)


def _without_declarations(network: NetworkRecord) -> NetworkRecord:
    """Return a network without the declared inputs among its layers, as Keras shows it."""
    declared = {
        record.name: record.origins[0]
        for record in network.layers
        if isinstance(record.layer, InputLayer)
        and merge_origins(record.origins) == (Origin(None, 0),)
    }

    def skip_declared(groups: tuple[Origins, ...]) -> tuple[Origins, ...]:
        return tuple(
            merge_origins(declared.get(origin.layer or "", (origin,)) for origin in group)
            for group in groups
        )

    records = tuple(
        record._replace(origins=skip_declared(record.origins))
        for record in network.layers
        if record.name not in declared
    )
    return NetworkRecord(records, network.inputs, skip_declared(network.outputs))


def _entry(tree: PyTree, name: str) -> PyTree:
    # A layer that is never called has no weights.
    return tree.get(name, {}) if isinstance(tree, Mapping) else {}


def _array_specs(one: PyTree, other: PyTree) -> tuple[ArraySpec, ...]:
    """Return the arrays of a tree that was traced at two sizes."""
    pairs = zip(_leaves(one), _leaves(other), strict=True)
    return tuple(
        ArraySpec(merge_shapes(a.shape, b.shape), str(a.dtype))
        for a, b in pairs
        if hasattr(a, "shape")
    )


def _leaves(tree: PyTree) -> list[Any]:
    # A masked array is shown as one array.
    return jax.tree.leaves(strip_masks(tree))
