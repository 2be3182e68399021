"""The layers that a network shows, and the paths of its weights."""

from collections.abc import Mapping
from typing import Any

from fjax.core import Graph, Layer, Serial
from fjax.core.naming import default_name
from fjax.core.reserved import only_weights

# A layer that a network shows: its name, itself, and the path of its weights, if it can have some.
Part = tuple[str, Any, tuple[str, ...] | None]


def parts(network: Any) -> list[Part]:
    """Return the layers that a network shows: name, layer, and the path of its weights.

    A network of layers shows these, a graph its declared inputs, too, whose weights are none and
    whose path is None; any other network is one layer, whose weights are all there are.

    >>> from fjax import serial
    >>> from fjax.layers import Dense
    >>> [(name, path) for name, _, path in parts(serial(Dense(3), Dense(1)))]
    [('dense', ('dense',)), ('dense_1', ('dense_1',))]
    >>> parts(Dense(3))
    [('dense', Dense(units=3), ())]
    """
    if isinstance(network, Graph):
        own = dict(network.children())
        return [(name, layer, (name,) if name in own else None) for name, layer in network.shown()]
    children = network.children() if isinstance(network, Layer) else []
    if children or isinstance(network, Serial):
        return [(name, layer, (name,)) for name, layer in children]
    return [(getattr(network, "name", None) or default_name(network), network, ())]


def weight_paths(params: Mapping[str, Any], state: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the paths of all weights in Keras's order: layer by layer, params before state.

    A path begins with "params" or "state". What stands under a reserved name is no weight.

    >>> weight_paths({"a": {"kernel": 0}, "b": {"gamma": 0}}, {"a": {}, "b": {"mean": 0}})
    [('params', 'a', 'kernel'), ('params', 'b', 'gamma'), ('state', 'b', 'mean')]
    """
    state = only_weights(state)
    own, inner = [], []
    for home, tree in (("params", params), ("state", state)):
        own += [(home, name) for name, value in tree.items() if not isinstance(value, Mapping)]
    names = dict.fromkeys(
        name
        for tree in (params, state)
        for name, value in tree.items()
        if isinstance(value, Mapping)
    )
    for name in names:
        below = weight_paths(params.get(name, {}), state.get(name, {}))
        inner += [(path[0], name, *path[1:]) for path in below]
    return own + inner
