"""The calls of the layers within a network, recorded in one pass through it."""

from typing import Any

from fjax.core.calling import CallRecord
from fjax.core.combinators import Serial
from fjax.core.graph import Graph
from fjax.core.layer import Layer
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
    return isinstance(layer, Layer) and isinstance(layer, RecordsCalls) and bool(layer.children())


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
    if isinstance(network, Graph | Serial) or has_layers(network):
        return network.trace(params, state, *inputs, key=key, training=training)
    outputs, _ = apply_layer(network, params, state, *inputs, key=key, training=training)
    name = given_name(network) or default_name(network)
    return [CallRecord(name, network, inputs, outputs, key)]
