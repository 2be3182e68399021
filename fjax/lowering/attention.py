"""Scaled dot-product attention: softmax weights, weighted sums of values, and masks.

`docs/lowering_attention.md` compares other ways to write these sums.
"""

import jax
import jax.numpy as jnp

from fjax.typing import Array


def attention_weights(
    query: Array,
    key: Array,
    mask: Array | None = None,
    scale: float = 1.0,
    zero_where_empty: bool = False,
) -> Array:
    """Return the attention weights: the softmax of scaled dot products of queries and keys.

    Args:
        query: `(batch, targets, heads, size)`.
        key: `(batch, sources, key heads, size)`. With fewer heads than the query, each key head
            serves a group of consecutive query heads.
        mask: Booleans that broadcast to the result; False excludes a key.
        scale: The factor that the dot products are multiplied by.
        zero_where_empty: Whether a query with every key masked out gets weights of 0; otherwise
            it attends to all keys equally.

    Returns:
        `(batch, heads, targets, sources)`, in float32 or wider: half precision is too narrow to
        sum in.

    Source: Vaswani et al., "Attention Is All You Need" (2017), https://arxiv.org/abs/1706.03762;
    Ainslie et al., "GQA" (2023), https://arxiv.org/abs/2305.13245.

    >>> query, key = jnp.zeros((1, 1, 1, 4)), jnp.zeros((1, 2, 1, 4))
    >>> attention_weights(query, key).tolist()
    [[[[0.5, 0.5]]]]
    >>> attention_weights(query, key, jnp.array([True, False])).tolist()
    [[[[1.0, 0.0]]]]
    """
    query = query * jnp.asarray(scale, query.dtype)
    wide = jnp.promote_types(jnp.result_type(query, key), jnp.float32)
    batch, targets, heads, size = query.shape
    key_heads = key.shape[2]
    group = heads // key_heads
    if group == 1:
        scores = jnp.einsum("btnh,bsnh->bnts", query, key, preferred_element_type=wide)
    else:
        grouped = query.reshape(batch, targets, key_heads, group, size)
        scores = jnp.einsum("btkgh,bskh->bkgts", grouped, key, preferred_element_type=wide)
        scores = scores.reshape(batch, heads, targets, key.shape[1])
    if mask is None:
        return jax.nn.softmax(scores, axis=-1)
    # A finite number, not -inf: the gradient of a query without any key would be NaN.
    weights = jax.nn.softmax(jnp.where(mask, scores, -0.7 * jnp.finfo(wide).max), axis=-1)
    return jnp.where(mask, weights, 0.0) if zero_where_empty else weights


def weighted_values(weights: Array, value: Array) -> Array:
    """Return the sum of the values by attention weight, in the dtype of the values.

    Args:
        weights: `(batch, heads, targets, sources)`.
        value: `(batch, sources, value heads, size)`. With fewer heads than the weights, each value
            head serves a group of consecutive heads.

    Returns:
        `(batch, targets, heads, size)`.

    >>> weighted_values(jnp.array([[[[0.25, 0.75]]]]), jnp.array([[[[4.0]], [[8.0]]]])).tolist()
    [[[[7.0]]]]
    """
    weights = weights.astype(value.dtype)
    batch, heads, targets, sources = weights.shape
    value_heads = value.shape[2]
    group = heads // value_heads
    if group == 1:
        return jnp.einsum("bnts,bsnh->btnh", weights, value)
    grouped = weights.reshape(batch, value_heads, group, targets, sources)
    summed = jnp.einsum("bkgts,bskh->btkgh", grouped, value)
    return summed.reshape(batch, targets, heads, value.shape[3])


def causal_mask(targets: int, sources: int) -> Array:
    """Return a mask that excludes later steps, booleans `(targets, sources)`.

    >>> causal_mask(2, 3).tolist()
    [[True, False, False], [True, True, False]]
    """
    return jnp.arange(targets)[:, None] >= jnp.arange(sources)


def window_mask(targets: int, sources: int, window: int) -> Array:
    """Return a mask that excludes steps `window` or more apart, booleans `(targets, sources)`.

    >>> window_mask(2, 3, 2).tolist()
    [[True, True, False], [True, True, True]]
    """
    return jnp.abs(jnp.arange(targets)[:, None] - jnp.arange(sources)) < window
