"""Networks of different hidden widths as one padded network.

All members run the widest network. A narrow member's weights are its own ones with zeros around,
and behind each layer whose width differs the entries beyond the member's width are set to zero, so
that no gradient reaches the padding: the numbers are those of the narrow network, but for the order
of sums. Layers that mix the entries of such an axis, as `LayerNormalization` does, and optimizers
that look at a weight as a whole, as `Muon`, know no padding: there each width is an architecture.
"""

import copy
from collections.abc import Callable, Collection
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.configuration import fields_ending
from fjax.core import Graph, InputLayer, Layer
from fjax.core.combinators import Serial
from fjax.core.functions import function_has_trait
from fjax.core.graph import Ref
from fjax.layers import Dense, Dropout, Identity
from fjax.layers.dropout import apply_dropout_to_width, require_key
from fjax.population.variation import Path
from fjax.training.numpy_eval import can_evaluate
from fjax.traits import has_trait
from fjax.typing import PyTree


def masked_layers(
    network: Any, optimizer: Any, varied: Collection[Path]
) -> dict[Path, Path] | None:
    """Return which layers' outputs must be cut to the width of which `Dense`, by their paths.

    None means that these widths cannot share a program.

    Args:
        network: The network, of any member.
        optimizer: Its optimizer.
        varied: The paths of the `Dense` layers whose widths differ.

    >>> from fjax import serial
    >>> from fjax.layers import Activation, LayerNormalization
    >>> from fjax.optimizers import SGD
    >>> network = serial(Dense(4), Activation("relu"), Dense(1))
    >>> masked_layers(network, SGD(), [("layers", 0)])
    {('layers', 0): ('layers', 0), ('layers', 1): ('layers', 0)}
    >>> masked_layers(serial(Dense(4), LayerNormalization(), Dense(1)), SGD(), [("layers", 0)])
    """
    zero_epsilon = getattr(optimizer, "epsilon", 1.0) == 0
    if not has_trait(optimizer, "entrywise") or zero_epsilon:
        return None
    plan: dict[Path, Path] = {}
    try:
        last = _follow(network, (), None, frozenset(varied), plan)
    except MixedEntriesError:
        return None
    return plan if last is None and plan.keys() >= frozenset(varied) else None


class MixedEntriesError(Exception):
    """A layer needs to know how wide its inputs are."""


def _follow(
    layer: Any, path: Path, width: Path | None, varied: frozenset[Path], plan: dict[Path, Path]
) -> Path | None:
    """Return the `Dense` that gives the outputs their width, None where the width is fixed."""
    if isinstance(layer, Serial):
        for place, part in enumerate(layer.layers):
            width = _follow(part, (*path, "layers", place), width, varied, plan)
        return width
    if isinstance(layer, Graph):
        return _follow_graph(layer, path, width, varied, plan)
    if isinstance(layer, Dense):
        if (width is not None or path in varied) and not _pads(layer, path in varied):
            raise MixedEntriesError
        after = path if path in varied else None
    elif width is None or isinstance(layer, Identity | InputLayer):
        return width
    elif _is_entrywise(layer):
        after = width
    else:
        raise MixedEntriesError
    if after is not None and plan.setdefault(path, after) != after:
        raise MixedEntriesError
    return after


def _follow_graph(
    graph: Graph, path: Path, width: Path | None, varied: frozenset[Path], plan: dict[Path, Path]
) -> Path | None:
    declared = len(jax.tree.leaves(graph.inputs))
    if width is not None and declared != 1:
        raise MixedEntriesError
    widths: list[Path | None] = [width] * declared
    for call in graph.calls:
        at = (*path, "layers", call.layer)
        given = {
            widths[leaf.value] for leaf in jax.tree.leaves(call.inputs) if isinstance(leaf, Ref)
        }
        if len(given) > 1 or (len(jax.tree.leaves(call.inputs)) > 1 and given != {None}):
            raise MixedEntriesError
        own = given.pop() if given else None
        after = _follow(graph.layers[call.layer], at, own, varied, plan)
        widths += [after] * call.outputs
    ends = {widths[ref.value] for ref in jax.tree.leaves(graph.outputs)}
    if ends == {None}:
        return None
    if len(ends) > 1 or len(jax.tree.leaves(graph.outputs)) > 1:
        raise MixedEntriesError
    return ends.pop()


def _pads(layer: Dense, outputs: bool) -> bool:
    """Tell whether the weights may have zeros around them, and the outputs behind them."""
    if type(layer) is not Dense or not _weights_stay_zero(layer):
        return False
    if not outputs:
        return True
    return layer.activity_regularizer is None and function_has_trait(layer.activation, "entrywise")


def _weights_stay_zero(layer: Layer) -> bool:
    """Tell whether neither regularizers nor constraints move zeros around the weights."""
    charges = fields_ending(layer, "_regularizer")
    charges.pop("activity", None)
    bounds = fields_ending(layer, "_constraint")
    return all(has_trait(own, "keeps_zeros") for own in (*charges.values(), *bounds.values()))


def _is_entrywise(layer: Any) -> bool:
    if not isinstance(layer, Layer):
        return function_has_trait(layer, "entrywise")
    # By another generator the narrow draw is no part of a wide one.
    draws_apart = not isinstance(layer, Dropout) or can_evaluate()
    return has_trait(layer, "entrywise") and _weights_stay_zero(layer) and draws_apart


def narrowed(layer: Any, width: Any) -> Any:
    """Return a layer whose outputs are zero beyond a width of their last axis; it may be traced.

    >>> from fjax.layers import Activation
    >>> layer = narrowed(Activation("sigmoid"), 2)
    >>> print(layer.apply({}, {}, jnp.zeros((1, 3)))[0])
    [[0.5 0.5 0. ]]
    """
    if not isinstance(layer, Layer):
        return lambda values: _cut(layer(values), width)
    twin = copy.copy(layer)
    # Of its class, name and weights, with another function beside them.
    apply = _narrow_dropout(layer, width) if isinstance(layer, Dropout) else _cutting(layer, width)
    object.__setattr__(twin, "apply", apply)
    return twin


def _cutting(layer: Layer, width: Any) -> Callable[..., Any]:
    def apply(
        params: Any, state: Any, *inputs: Any, key: Any = None, training: bool = False
    ) -> Any:
        outputs, state = layer.apply(params, state, *inputs, key=key, training=training)
        return _cut(outputs, width), state

    return apply


def _narrow_dropout(layer: Dropout, width: Any) -> Callable[..., Any]:
    def apply(params: Any, state: Any, values: Any, key: Any = None, training: bool = False) -> Any:
        if not training:
            return values, state
        drawn = require_key("Dropout", key, layer.seed)
        return apply_dropout_to_width(values, layer.rate, drawn, width), state

    return apply


def _cut(values: Any, width: Any) -> Any:
    return jnp.where(jnp.arange(values.shape[-1]) < width, values, jnp.zeros_like(values))


def padded(tree: PyTree, like: PyTree) -> PyTree:
    """Return arrays with zeros behind, in the shapes of another tree.

    >>> padded({"w": np.ones((1, 2))}, {"w": np.ones((2, 2))})["w"].tolist()
    [[1.0, 1.0], [0.0, 0.0]]
    """

    def pad(leaf: Any, wide: Any) -> Any:
        if leaf.shape == wide.shape:
            return leaf
        behind = [(0, size - own) for own, size in zip(leaf.shape, wide.shape, strict=True)]
        return np.pad(np.asarray(leaf), behind)

    return jax.tree.map(pad, tree, like)


def unpadded(tree: PyTree, like: PyTree) -> PyTree:
    """Return arrays without the zeros that `padded` put behind them."""
    return jax.tree.map(
        lambda leaf, narrow: (
            leaf if leaf.shape == narrow.shape else leaf[tuple(map(slice, narrow.shape))]
        ),
        tree,
        like,
    )
