"""The shapes of a network: known before any weight is drawn."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from fjax.core import Graph, Layer, Serial, output_specs
from fjax.core.binding import remembered_layers
from fjax.core.layer import base_name
from fjax.core.penalties import without_penalties
from fjax.typing import PyTree, Spec

# A layer that a network shows: its name, itself, and the path of its weights, if it can have some.
Part = tuple[str, Any, tuple[str, ...] | None]


class Outline(NamedTuple):
    """Shapes and dtypes of a network's weights and outputs.

    Attributes:
        params: As `init` returns them, in the order in which layers make them (a compiled program
            returns dicts sorted by key).
        state: Likewise.
        outputs: For a batch of one.
    """

    params: Any
    state: Any
    outputs: PyTree


def outline(network: Any, *specs: Spec) -> Outline:
    """Return the outline of a network for these inputs, without computing anything.

    >>> from fjax.layers import Dense
    >>> shapes = outline(Dense(3), jax.ShapeDtypeStruct((1, 8), "float32"))
    >>> list(shapes.params), shapes.outputs.shape
    (['kernel', 'bias'], (1, 3))
    """
    ordered: list[Any] = []

    def init(key: Any) -> tuple[PyTree, PyTree]:
        params, state = network.init(key, *specs)
        ordered.extend([params, state])
        return params, state

    with remembered_layers():
        jax.eval_shape(init, jax.eval_shape(lambda: jax.random.key(0)))
    params, state = (_specs(tree) for tree in ordered)
    return Outline(params, state, output_specs(network, params, state, *specs))


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
    return [(getattr(network, "name", None) or base_name(network), network, ())]


def weight_paths(params: Mapping[str, Any], state: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the paths of all weights in Keras's order: layer by layer, params before state.

    A path begins with "params" or "state". A penalty is no weight.

    >>> weight_paths({"a": {"kernel": 0}, "b": {"gamma": 0}}, {"a": {}, "b": {"mean": 0}})
    [('params', 'a', 'kernel'), ('params', 'b', 'gamma'), ('state', 'b', 'mean')]
    """
    state = without_penalties(state)
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


def _specs(tree: PyTree) -> PyTree:
    # A map over the pytree would sort the keys.
    if isinstance(tree, Mapping):
        return {name: _specs(value) for name, value in tree.items()}
    return jax.ShapeDtypeStruct(np.shape(tree), tree.dtype)
