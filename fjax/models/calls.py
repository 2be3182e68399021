"""How the layers of a network call one another: what each makes, and where its inputs come from."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import jax

from fjax.core import Graph, InputLayer, Layer, Serial
from fjax.core.calling import CallRecord
from fjax.core.flow import Source, Sources, join_sources, sources
from fjax.core.graph import Ref
from fjax.core.inputs import merge_shapes
from fjax.core.masking import is_masked, strip_masks
from fjax.core.naming import default_name
from fjax.core.precision import apply_layer
from fjax.core.specs import spec_of
from fjax.models.parts import parts
from fjax.typing import Params, PyTree, State


class Value(NamedTuple):
    """What is known of an array before it is there: its shape, None for axes of any size."""

    shape: tuple[int | None, ...]
    dtype: str


class LayerCalls(NamedTuple):
    """What the calls of one layer show.

    Attributes:
        name: Its name in the network.
        layer: The layer.
        path: The path of its weights, from the network down; None where it can have none.
        inputs: The leaves of what it is first called on.
        outputs: The leaves of what it then makes; none where it is never called.
        sources: For each leaf of the inputs where it comes from, in all calls.
        inner: The calls within it, where it is made of layers and these were asked for.
    """

    name: str
    layer: Any
    path: tuple[str, ...] | None
    inputs: tuple[Value, ...] = ()
    outputs: tuple[Value, ...] = ()
    sources: tuple[Sources, ...] = ()
    inner: "NetworkCalls | None" = None


class NetworkCalls(NamedTuple):
    """The calls of a network's layers.

    Attributes:
        layers: One entry for each layer that it shows.
        inputs: The leaves of the network's inputs.
        outputs: For each leaf of the network's outputs where it comes from.
    """

    layers: tuple[LayerCalls, ...]
    inputs: tuple[Value, ...]
    outputs: tuple[Sources, ...]

    @property
    def in_a_row(self) -> bool:
        """Whether each layer is called once, on what the layer before it makes."""
        before: str | None = None
        for calls in self.layers:
            met = join_sources(calls.sources)
            if met not in ((), (Source(before, 0),)):
                return False
            before = calls.name
        return True


def calls_of(
    network: Any,
    params: Params,
    state: State,
    inputs: Sequence[tuple[PyTree, ...]],
    nested: bool = False,
) -> NetworkCalls:
    """Return the calls of a network's layers.

    Args:
        network: The network; one that shows no layers is a single one.
        params: Its params, of which the shapes count.
        state: Its state, likewise.
        inputs: Its inputs at two sizes: an axis that differs is shown as None.
        nested: Whether to go into layers that are made of layers.
    """
    smaller, larger = (_traced(network, params, state, values) for values in inputs)
    first: dict[str, tuple[CallRecord, CallRecord]] = {}
    for pair in zip(smaller.records, larger.records, strict=True):
        first.setdefault(pair[0].name, pair)
    wired = _wiring(network, smaller)
    layers = []
    for name, layer, path in parts(network):
        if name not in first:
            layers.append(LayerCalls(name, layer, path))
            continue
        one, other = first[name]
        inner = None
        if nested and is_nested(layer):
            own = params.get(name, {}), state.get(name, {})
            inner = calls_of(layer, *own, [one.inputs, other.inputs], nested)
        layers.append(
            LayerCalls(
                name, layer, path, _values(one.inputs, other.inputs),
                _values(one.outputs, other.outputs), wired.layers[name], inner,
            )
        )  # fmt: skip
    calls = NetworkCalls(tuple(layers), _values(*inputs), wired.outputs)
    return calls if isinstance(network, Graph) else _without_declaration(calls)


def is_nested(layer: Any) -> bool:
    """Tell whether a layer is made of layers that can be shown."""
    return isinstance(layer, Layer) and hasattr(layer, "trace") and bool(layer.children())


class _Trace(NamedTuple):
    records: list[CallRecord]
    jaxpr: Any
    given: list[Sources]
    arrays: list[Any]


class _Wiring(NamedTuple):
    layers: dict[str, tuple[Sources, ...]]
    outputs: tuple[Sources, ...]


def _traced(network: Any, params: Params, state: State, inputs: tuple[PyTree, ...]) -> _Trace:
    leaves, structure = jax.tree.flatten(inputs)
    shaped = [place for place, leaf in enumerate(leaves) if hasattr(leaf, "shape")]
    specs = [spec_of(leaves[place]) for place in shaped]
    records: list[CallRecord] = []
    seen: list[Any] = list(leaves)

    def run(params: Params, state: State, arrays: list[Any]) -> None:
        for place, array in zip(shaped, arrays, strict=True):
            seen[place] = array
        values = jax.tree.unflatten(structure, seen)
        if isinstance(network, Graph | Serial) or is_nested(network):
            records.extend(network.trace(params, state, *values))
        else:
            name = getattr(network, "name", None) or default_name(network)
            outputs, _ = apply_layer(network, params, state, *values, key=jax.random.key(0))
            records.append(CallRecord(name, network, values, outputs))

    traced = jax.make_jaxpr(run)(params, state, specs)
    weights = len(jax.tree.leaves((params, state)))
    given: list[Sources] = [()] * weights + [(Source(None, place),) for place in shaped]
    return _Trace(records, traced.jaxpr, given, seen)


def _wiring(network: Any, trace: _Trace) -> _Wiring:
    """Return where the inputs of layers come from, as the kind of network tells it best."""
    if isinstance(network, Graph):
        return _wiring_of_graph(network, trace.records)
    if trace.records and not trace.records[-1].name:
        return _wiring_of_author(trace)
    return _wiring_of_row(trace)


def _wiring_of_graph(graph: Graph, records: list[CallRecord]) -> _Wiring:
    layers: dict[str, tuple[Sources, ...]] = {}
    makers = []
    for number, name in enumerate(graph.input_names):
        layers[name] = ((Source(None, number),),)
        makers.append(Source(name, 0))
    for call, record in zip(graph.calls, records[len(makers) :], strict=True):
        met: list[Sources] = [
            (makers[leaf.value],) if isinstance(leaf, Ref) else () for leaf in _leaves(call.inputs)
        ]
        layers[record.name] = _side_by_side(layers.get(record.name, ()), met)
        for number, leaf in enumerate(jax.tree.leaves(record.outputs, is_leaf=is_masked)):
            # A mask has the number of its values.
            makers += [Source(record.name, number)] * len(jax.tree.leaves(leaf))
    return _Wiring(layers, tuple((makers[ref.value],) for ref in _leaves(graph.outputs)))


def _wiring_of_author(trace: _Trace) -> _Wiring:
    found = sources(trace.jaxpr, trace.given)

    def of(name: str, values: PyTree) -> tuple[Sources, ...]:
        return tuple(found.get((name, n), ()) for n in range(len(_leaves(values))))

    *calls, whole = trace.records
    layers: dict[str, tuple[Sources, ...]] = {}
    for call in calls:
        layers.setdefault(call.name, of(call.name, call.inputs))
    return _Wiring(layers, of("", whole.outputs))


def _wiring_of_row(trace: _Trace) -> _Wiring:
    makers = {id(leaf): Source(None, number) for number, leaf in enumerate(trace.arrays)}
    layers: dict[str, tuple[Sources, ...]] = {}
    met: list[Sources] = []
    for call in trace.records:
        met = _sources(makers, call.inputs)
        layers[call.name] = _side_by_side(layers.get(call.name, ()), met)
        for number, leaf in enumerate(_leaves(call.outputs)):
            # A layer may return its input: whoever had it last is the source.
            makers[id(leaf)] = Source(call.name, number)
        met = _sources(makers, call.outputs)
    return _Wiring(layers, tuple(met))


def _sources(makers: dict[int, Source], values: PyTree) -> list[Sources]:
    return [(makers[id(leaf)],) if id(leaf) in makers else () for leaf in _leaves(values)]


def _side_by_side(before: Sequence[Sources], after: Sequence[Sources]) -> tuple[Sources, ...]:
    """Return the sources of a layer that is called again, leaf by leaf."""
    return tuple(join_sources(pair) for pair in zip_longest(before, after, fillvalue=()))


def _without_declaration(calls: NetworkCalls) -> NetworkCalls:
    """Return the calls without the declared input of layers in a row, which is none of these."""
    declared = {each.name: each.sources for each in calls.layers if _is_declaration(each)}
    if not declared:
        return calls

    def through(groups: tuple[Sources, ...]) -> tuple[Sources, ...]:
        return tuple(
            join_sources(
                declared[source.layer][0] if source.layer in declared else (source,)
                for source in group
            )
            for group in groups
        )

    layers = tuple(
        each._replace(sources=through(each.sources))
        for each in calls.layers
        if each.name not in declared
    )
    return NetworkCalls(layers, calls.inputs, through(calls.outputs))


def _is_declaration(calls: LayerCalls) -> bool:
    return isinstance(calls.layer, InputLayer) and join_sources(calls.sources) == (Source(None, 0),)


def _values(one: PyTree, other: PyTree) -> tuple[Value, ...]:
    """Return the arrays of a tree that is there at two sizes."""
    pairs = zip(_leaves(one), _leaves(other), strict=True)
    return tuple(_value(a, b) for a, b in pairs if hasattr(a, "shape"))


def _leaves(tree: PyTree) -> list[Any]:
    # What is masked is shown as one value.
    return jax.tree.leaves(strip_masks(tree))


def _value(one: Any, other: Any) -> Value:
    return Value(merge_shapes(one.shape, other.shape), str(one.dtype))
