"""Networks of different hidden widths as one padded network.

All members run the widest network. A narrow member's weights are padded with zeros, and behind each
layer whose width differs the entries beyond the member's width are set to zero, so that no gradient
reaches the padding. The results are those of the narrow network, except for the order of sums.
Layers that mix the entries of an axis, such as `LayerNormalization`, and optimizers that look at a
weight as a whole, such as `Muon`, do not work on padded weights: there each width is an
architecture.
"""

import copy
from collections.abc import Collection
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.configuration import fields_ending
from fjax.core import Graph, InputLayer, Layer
from fjax.core.combinators import Serial
from fjax.core.function_traits import function_has_trait
from fjax.core.graph import Ref
from fjax.layers import Dense, Dropout, Identity
from fjax.layers.dropout import apply_dropout_to_width
from fjax.layers.random_layer import require_key
from fjax.population.hyperparameters import Path
from fjax.training.numpy_eval import can_evaluate
from fjax.traits import has_trait
from fjax.typing import PyTree


def find_masks(
    network: Any, optimizer: Any, varied_layers: Collection[Path]
) -> dict[Path, Path] | None:
    """Return the layers whose outputs are masked, each with the `Dense` that gives their width.

    None means that these widths cannot share a program.

    Args:
        network: The network of any member.
        optimizer: The optimizer of that member.
        varied_layers: The paths of the `Dense` layers whose widths differ.

    >>> from fjax import serial
    >>> from fjax.layers import Activation, LayerNormalization
    >>> from fjax.optimizers import SGD
    >>> network = serial(Dense(4), Activation("relu"), Dense(1))
    >>> find_masks(network, SGD(), [("layers", 0)])
    {('layers', 0): ('layers', 0), ('layers', 1): ('layers', 0)}
    >>> find_masks(serial(Dense(4), LayerNormalization(), Dense(1)), SGD(), [("layers", 0)])
    """
    # Without an epsilon an update of the padding is 0 / 0.
    has_zero_epsilon = getattr(optimizer, "epsilon", 1.0) == 0
    if not has_trait(optimizer, "entrywise") or has_zero_epsilon:
        return None
    masks: dict[Path, Path] = {}
    try:
        output_width = _follow(network, (), None, frozenset(varied_layers), masks)
    except MixedEntriesError:
        return None
    is_complete = output_width is None and masks.keys() >= frozenset(varied_layers)
    return masks if is_complete else None


class MixedEntriesError(Exception):
    """A layer mixes the entries of an axis whose width differs."""


def _follow(
    layer: Any, path: Path, width: Path | None, varied: frozenset[Path], masks: dict[Path, Path]
) -> Path | None:
    """Add the masks of a layer; return the `Dense` that gives its outputs their width.

    None stands for a width that all members share.
    """
    if isinstance(layer, Serial):
        for index in layer.order or range(len(layer.layers)):
            part = layer.layers[index]
            width = _follow(part, (*path, "layers", index), width, varied, masks)
        return width
    if isinstance(layer, Graph):
        return _follow_graph(layer, path, width, varied, masks)
    if isinstance(layer, Dense):
        if (width is not None or path in varied) and not _can_pad(layer, path in varied):
            raise MixedEntriesError
        output_width = path if path in varied else None
    elif width is None or isinstance(layer, Identity | InputLayer):
        return width
    elif _is_entrywise(layer):
        output_width = width
    else:
        raise MixedEntriesError
    if output_width is not None and masks.setdefault(path, output_width) != output_width:
        # A layer that is called at two widths.
        raise MixedEntriesError
    return output_width


def _follow_graph(
    graph: Graph, path: Path, width: Path | None, varied: frozenset[Path], masks: dict[Path, Path]
) -> Path | None:
    input_count = len(jax.tree.leaves(graph.inputs))
    if width is not None and input_count != 1:
        raise MixedEntriesError
    widths: list[Path | None] = [width] * input_count
    for call in graph.calls:
        if call.weight:
            raise MixedEntriesError
        inputs = jax.tree.leaves(call.inputs)
        input_widths = {widths[leaf.value] for leaf in inputs if isinstance(leaf, Ref)}
        if len(input_widths) > 1 or (len(inputs) > 1 and input_widths != {None}):
            raise MixedEntriesError
        layer_path = (*path, "layers", call.layer)
        input_width = input_widths.pop() if input_widths else None
        output_width = _follow(graph.layers[call.layer], layer_path, input_width, varied, masks)
        widths += [output_width] * call.outputs
    outputs = jax.tree.leaves(graph.outputs)
    output_widths = {widths[ref.value] for ref in outputs}
    if output_widths == {None}:
        return None
    if len(output_widths) > 1 or len(outputs) > 1:
        raise MixedEntriesError
    return output_widths.pop()


def _can_pad(layer: Dense, pads_outputs: bool) -> bool:
    """Return whether the weights may be padded with zeros, and the outputs masked."""
    if type(layer) is not Dense or not _weights_stay_zero(layer):
        return False
    if not pads_outputs:
        return True
    return layer.activity_regularizer is None and function_has_trait(layer.activation, "entrywise")


def _weights_stay_zero(layer: Layer) -> bool:
    """Return whether no regularizer and no constraint changes the zeros around the weights."""
    regularizers = fields_ending(layer, "_regularizer")
    regularizers.pop("activity", None)
    constraints = fields_ending(layer, "_constraint")
    return all(
        has_trait(part, "keeps_zeros") for part in (*regularizers.values(), *constraints.values())
    )


def _is_entrywise(layer: Any) -> bool:
    if not isinstance(layer, Layer):
        return function_has_trait(layer, "entrywise")
    # With another random generator a narrow array of draws is not a part of a wide one.
    can_draw = not isinstance(layer, Dropout) or can_evaluate()
    return has_trait(layer, "entrywise") and _weights_stay_zero(layer) and can_draw


def mask_outputs(layer: Any, width: Any) -> Any:
    """Return a layer whose outputs are zero beyond a width of their last axis.

    Args:
        layer: The layer, or a function of arrays.
        width: The width, a number that may be traced.

    >>> from fjax.layers import Activation
    >>> layer = mask_outputs(Activation("sigmoid"), 2)
    >>> print(layer.apply({}, {}, jnp.zeros((1, 3)))[0])
    [[0.5 0.5 0. ]]
    """
    if not isinstance(layer, Layer):
        return lambda values: _mask(layer(values), width)

    def apply(
        params: Any, state: Any, *inputs: Any, key: Any = None, training: bool = False
    ) -> Any:
        if training and isinstance(layer, Dropout):
            dropout_key = require_key("Dropout", key, layer.seed)
            return apply_dropout_to_width(inputs[0], layer.rate, dropout_key, width), state
        outputs, state = layer.apply(params, state, *inputs, key=key, training=training)
        return _mask(outputs, width), state

    twin = copy.copy(layer)
    # The class, the name and the weights stay those of the layer.
    object.__setattr__(twin, "apply", apply)
    return twin


def _mask(values: Any, width: Any) -> Any:
    return jnp.where(jnp.arange(values.shape[-1]) < width, values, jnp.zeros_like(values))


def pad(tree: PyTree, like: PyTree) -> PyTree:
    """Return arrays padded with zeros at the end of each axis, in the shapes of another tree.

    >>> pad({"w": np.ones((1, 2))}, {"w": np.ones((2, 2))})["w"].tolist()
    [[1.0, 1.0], [0.0, 0.0]]
    """

    def pad_leaf(leaf: Any, wide: Any) -> Any:
        if leaf.shape == wide.shape:
            return leaf
        amounts = [(0, end - size) for size, end in zip(leaf.shape, wide.shape, strict=True)]
        return np.pad(np.asarray(leaf), amounts)

    return jax.tree.map(pad_leaf, tree, like)


def unpad(tree: PyTree, like: PyTree) -> PyTree:
    """Return arrays without the zeros that `pad` added to them."""

    def unpad_leaf(leaf: Any, narrow: Any) -> Any:
        return leaf if leaf.shape == narrow.shape else leaf[tuple(map(slice, narrow.shape))]

    return jax.tree.map(unpad_leaf, tree, like)
