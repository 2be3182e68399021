"""Attention in several heads, each with its own projections of query, key and value."""

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fjax import initializers
from fjax.core.layer import Layer
from fjax.core.masking import with_mask
from fjax.core.penalties import empty_penalty, with_penalty
from fjax.core.reserved import PENALTY
from fjax.layers.attention.inputs import Inputs, attention_features, attention_inputs
from fjax.layers.dropout import apply_dropout, require_key
from fjax.layers.einsum_dense import with_fans
from fjax.lowering.attention import attention_weights, causal_mask, weighted_values, window_mask
from fjax.lowering.linear import linear
from fjax.typing import Array, Key, Params, Shape, State


class Heads(NamedTuple):
    """How many heads there are, and how large; key and value may have fewer than the query."""

    query: int
    value: int
    key_dim: int
    value_dim: int


def init_heads(
    layer: Any, heads: Heads, output_shape: Shape | None, key: Key, specs: tuple[Any, ...]
) -> tuple[Params, State]:
    """Draw the projections, in the order of Keras's weights."""
    features = attention_features(type(layer).__name__, specs)
    outputs = output_shape or (features["query"],)
    shapes = {
        "query": (features["query"], heads.query, heads.key_dim),
        "key": (features["key"], heads.value, heads.key_dim),
        "gate": (features["query"], heads.query, heads.value_dim),
        "value": (features["value"], heads.value, heads.value_dim),
        "attention_output": (heads.query, heads.value_dim, *outputs),
    }
    params: dict[str, dict[str, Array]] = {}
    for number, (name, shape) in enumerate(shapes.items()):
        if name == "gate" and not layer.use_gate:
            continue
        kernel_key, bias_key = jax.random.split(jax.random.fold_in(key, number))
        summed = 2 if name == "attention_output" else 1
        axes = range(len(shape))
        initializer = with_fans(layer.kernel_initializer, axes[:summed], axes[summed:])
        params[name] = {"kernel": initializers.draw(initializer, kernel_key, shape)}
        if layer.use_bias:
            bias = initializers.draw(layer.bias_initializer, bias_key, shape[summed:])
            params[name]["bias"] = bias
    return params, empty_penalty(layer)


def apply_heads(
    layer: Any,
    heads: Heads,
    axes: Sequence[int] | None,
    params: Params,
    state: State,
    inputs: tuple[Any, ...],
    key: Key | None,
    training: bool,
) -> tuple[Any, State]:
    """Return the outputs, with the weights if they are asked for, and the next state."""
    owner = type(layer).__name__
    given = attention_inputs(owner, inputs)
    rank = given.query.ndim
    places = _placed(owner, axes, rank)
    projected: dict[str, Array] = {}
    for name in params:
        if name != "attention_output":
            values = given.query if name == "gate" else getattr(given, name)
            projected[name] = _projected(owner, name, params[name], values, 1)
    if "gate" in projected:
        projected["gate"] = jax.nn.sigmoid(projected["gate"])
    query, back = _flattened(projected["query"], places)
    key_, _ = _flattened(projected["key"], places)
    value, _ = _flattened(projected["value"], places)
    if query.shape[0] != value.shape[0]:
        raise ValueError(
            f"`{owner}`: query and value must be equal in the axes that attention does not go "
            f"over, received {given.query.shape} and {given.value.shape}, with attention over "
            f"{places}."
        )
    # Which of Keras's two formulas is in force tells what a query gets that may take of nothing.
    weighed = layer.dropout > 0.0 or given.return_attention_scores or rank != 3
    mask = _mask(layer, owner, given, places, heads.query)
    scale = 1.0 / math.sqrt(heads.key_dim)
    weights = attention_weights(query, key_, mask, scale, zero_where_empty=weighed)
    taken = weights
    if training and layer.dropout > 0.0:
        taken = apply_dropout(
            weights, layer.dropout, require_key(owner, key, layer.seed), weights.shape
        )
    attended = back(weighted_values(taken, value))
    if "gate" in projected:
        attended = attended * projected["gate"]
    part = params["attention_output"]
    outputs = _projected(owner, "attention_output", part, attended, 2)
    state = _penalized(layer, params, state, {**projected, "attention_output": outputs})
    masked = with_mask(outputs, given.query_mask)
    if not given.return_attention_scores:
        return masked, state
    return (masked, _shaped_weights(weights, given, places)), state


def constrain_heads(layer: Any, params: Params) -> Params:
    """Return the projections with the layer's constraints applied to each."""
    return {name: Layer.constrain(layer, part) for name, part in params.items()}


def _projected(owner: str, name: str, part: Params, values: Array, summed: int) -> Array:
    kernel = part["kernel"]
    if values.shape[-summed:] != kernel.shape[:summed]:
        raise ValueError(
            f"`{owner}` was built for a {name} of {kernel.shape[0]} features, received one of "
            f"shape {tuple(values.shape)}."
        )
    outputs = linear(values, kernel, summed)
    return outputs + part["bias"] if "bias" in part else outputs


def _penalized(layer: Any, params: Params, state: State, outputs: dict[str, Array]) -> State:
    """Return the state with what all projections together are charged."""
    penalties = [with_penalty(layer, params[name], {}, outputs[name]) for name in params]
    if PENALTY not in penalties[0]:
        return state
    total = jax.tree.map(lambda *terms: sum(terms), *penalties)
    return {**state, **total}


def _placed(owner: str, axes: Sequence[int] | None, rank: int) -> tuple[int, ...]:
    """Return the axes that attention goes over, counted from 0."""
    if axes is None:
        return tuple(range(1, rank - 1))
    places = tuple(axis + rank if axis < 0 else axis for axis in axes)
    if not all(0 < place < rank - 1 for place in places) or len(set(places)) < len(places):
        raise ValueError(
            f"`{owner}`: `attention_axes` {tuple(axes)} must be different axes between the batch "
            f"axis and the features of inputs of {rank} axes."
        )
    return places


def _orders(places: tuple[int, ...], rank: int) -> tuple[list[int], list[int]]:
    """Return the axes that attention does not go over, without the features, and those it does."""
    return [axis for axis in range(rank - 1) if axis not in places], list(places)


def _flattened(values: Array, places: tuple[int, ...]) -> tuple[Array, Any]:
    """Return projected values as `(batch, time, heads, size)`, and what undoes that."""
    if values.ndim == 4:
        return values, lambda outputs: outputs
    free, over = _orders(places, values.ndim - 1)
    order = [*free, *over, values.ndim - 2, values.ndim - 1]
    moved = jnp.transpose(values, order)
    lead = moved.shape[: len(order) - 2]
    batch, time = (math.prod(lead[: len(free)]), math.prod(lead[len(free) :]))
    inverse = [int(axis) for axis in np.argsort(order)]

    def back(outputs: Array) -> Array:
        return jnp.transpose(outputs.reshape(*lead, *outputs.shape[-2:]), inverse)

    return moved.reshape(batch, time, *values.shape[-2:]), back


def _sizes(given: Inputs, places: tuple[int, ...]) -> tuple[Shape, Shape, Shape]:
    """Return the sizes of the free axes, and of those attended over of query and value."""
    free, over = _orders(places, given.query.ndim)
    query, value = given.query.shape, given.value.shape
    return (
        tuple(query[axis] for axis in free),
        tuple(query[axis] for axis in over),
        tuple(value[axis] for axis in over),
    )


def _shaped_weights(weights: Array, given: Inputs, places: tuple[int, ...]) -> Array:
    free, targets, sources = _sizes(given, places)
    return weights.reshape(*free, weights.shape[1], *targets, *sources)


def _mask(
    layer: Any, owner: str, given: Inputs, places: tuple[int, ...], heads: int
) -> Array | None:
    """Return all masks in one, `(batch, heads or 1, targets, sources)`, or None."""
    free, targets, sources = _sizes(given, places)
    batch, length, width = math.prod(free), math.prod(targets), math.prod(sources)
    found: list[Array] = []
    if given.has_padding:
        order = [axis for group in _orders(places, given.query.ndim) for axis in group]
        if given.query_mask is not None:
            found.append(jnp.transpose(given.query_mask, order).reshape(batch, 1, length, 1))
        for mask in (given.value_mask, given.key_mask):
            if mask is not None:
                found.append(jnp.transpose(mask, order).reshape(batch, 1, 1, width))
    in_time = [name for name in ("use_causal_mask",) if given.use_causal_mask]
    in_time += ["sliding_window"] if layer.sliding_window is not None else []
    if in_time and len(places) != 1:
        raise ValueError(
            f"`{owner}`: `{in_time[0]}` needs attention over one axis of time, received attention "
            f"over the axes {places}."
        )
    if given.use_causal_mask:
        found.append(causal_mask(length, width))
    if layer.sliding_window is not None:
        found.append(window_mask(length, width, layer.sliding_window))
    if given.attention_mask is not None:
        full = (*free, heads, *targets, *sources)
        found.append(_attention_mask(owner, given.attention_mask, full, len(free), len(places)))
    return functools.reduce(jnp.logical_and, found) if found else None


def _attention_mask(owner: str, mask: Array, full: Shape, free: int, axes: int) -> Array:
    """Return an attention mask as `(batch, heads, targets, sources)`, or raise."""
    missing = len(full) - mask.ndim
    inner = 2 * axes
    place = max(mask.ndim - inner, 0)
    wide = mask.reshape(*mask.shape[:place], *[1] * max(missing, 0), *mask.shape[place:])
    try:
        fits = mask.ndim >= inner and jnp.broadcast_shapes(wide.shape, full) == full
    except ValueError:
        fits = False
    if not fits:
        short = (*full[:free], *full[free + 1 :])
        raise ValueError(
            f"`{owner}`: `attention_mask` must broadcast to {short}, (batch, targets, sources), "
            f"or with an axis of heads to {full}, received {tuple(mask.shape)}."
        )
    if len(full) == 4:
        return wide
    batch = math.prod(full[:free])
    length, width = math.prod(full[free + 1 : -axes]), math.prod(full[-axes:])
    return jnp.broadcast_to(wide, full).reshape(batch, full[free], length, width)
