"""The calls of the layers within a network, recorded in one pass through it."""

from typing import Any

import jax

from fjax.configuration import replace
from fjax.core.calling import CallRecord
from fjax.core.combinators import Serial
from fjax.core.graph import Graph
from fjax.core.layer import Pair
from fjax.core.naming import default_name, given_name
from fjax.core.precision import apply_layer
from fjax.typing import Key, Params, PyTree, RecordsCalls, State


def has_layers(layer: Any) -> bool:
    """Tell whether a layer is composed of layers whose calls can be recorded.

    >>> from fjax import serial
    >>> from fjax.layers import Dense
    >>> has_layers(serial(Dense(1))), has_layers(Dense(1))
    (True, False)
    """
    return isinstance(layer, Serial | Graph | RecordsCalls) and bool(layer.children())


def trace_calls(
    network: Any,
    params: Params,
    state: State,
    *inputs: PyTree,
    key: Key | None = None,
    training: bool = False,
) -> list[CallRecord]:
    """Return a record of each call of a layer within a network, for these inputs.

    A network that is composed of no layers has one record, of its own call. The last record of an
    authored network, named "", is the call of the network itself.
    """
    if not isinstance(network, Serial | Graph) and not has_layers(network):
        outputs, _ = apply_layer(network, params, state, *inputs, key=key, training=training)
        name = given_name(network) or default_name(network)
        return [CallRecord(name, network, inputs, outputs, key)]
    key = jax.random.key(0) if key is None else key
    if isinstance(network, RecordsCalls):
        return network.trace(params, state, *inputs, key=key, training=training)
    records: list[CallRecord] = []
    if isinstance(network, Graph):
        for name, layer, value in network.declared(inputs):
            records.append(CallRecord(name, layer, (), apply_layer(layer, {}, {}, value)[0]))
    recorded = [_Recorded(name, layer, records) for name, layer in network.children()]
    recording = network.with_children(recorded)
    if recording.remat:
        # A rematerialized call is traced on its own, and its values cannot be kept.
        recording = replace(recording, remat=False)
    apply_layer(recording, params, state, *inputs, key=key, training=training)
    return records


class _Recorded(Pair):
    """A layer that appends a record of each of its calls to a list."""

    masking = "takes"
    casting = "none"

    def __init__(self, name: str, layer: Any, records: list[CallRecord]) -> None:
        def apply(
            params: Params,
            state: State,
            *inputs: PyTree,
            key: Key | None = None,
            training: bool = False,
        ) -> tuple[PyTree, State]:
            outputs, state = apply_layer(layer, params, state, *inputs, key=key, training=training)
            records.append(CallRecord(name, layer, inputs, outputs, key))
            return outputs, state

        super().__init__(layer.init, apply)
