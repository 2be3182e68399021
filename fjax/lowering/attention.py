"""Attention: weighted means of values, by how well keys fit queries.

`docs/lowering_attention.md` tells why the sums are written as they are.
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
    """Return how much each query takes of each key's value: softmax of the scaled dot products.

    Args:
        query: `(batch, targets, heads, size)`.
        key: `(batch, sources, key heads, size)`; with fewer heads than the queries have, each is
            that of as many neighboring query heads.
        mask: Booleans that broadcast to the result; False takes nothing of that key.
        scale: What the dot products are multiplied by.
        zero_where_empty: Whether a query that may take of no key has weights of zeros; else it
            takes of all keys alike.

    Returns:
        `(batch, heads, targets, sources)`, in float32 at least: half precision is too narrow to
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
    groups = heads // key.shape[2]
    if groups == 1:
        scores = jnp.einsum("btnh,bsnh->bnts", query, key, preferred_element_type=wide)
    else:
        grouped = query.reshape(batch, targets, key.shape[2], groups, size)
        scores = jnp.einsum("btkgh,bskh->bkgts", grouped, key, preferred_element_type=wide)
        scores = scores.reshape(batch, heads, targets, key.shape[1])
    if mask is None:
        return jax.nn.softmax(scores, axis=-1)
    # Finite, so that a query without a key has a gradient.
    weights = jax.nn.softmax(jnp.where(mask, scores, -0.7 * jnp.finfo(wide).max), axis=-1)
    return jnp.where(mask, weights, 0.0) if zero_where_empty else weights


def weighted_values(weights: Array, value: Array) -> Array:
    """Return the sums of values by weights, in the values' dtype.

    Args:
        weights: `(batch, heads, targets, sources)`.
        value: `(batch, sources, value heads, size)`; fewer heads are shared as those of keys.

    Returns:
        `(batch, targets, heads, size)`.

    >>> weighted_values(jnp.array([[[[0.25, 0.75]]]]), jnp.array([[[[4.0]], [[8.0]]]])).tolist()
    [[[[7.0]]]]
    """
    weights = weights.astype(value.dtype)
    batch, heads, targets, sources = weights.shape
    groups = heads // value.shape[2]
    if groups == 1:
        return jnp.einsum("bnts,bsnh->btnh", weights, value)
    grouped = weights.reshape(batch, value.shape[2], groups, targets, sources)
    summed = jnp.einsum("bkgts,bskh->btkgh", grouped, value)
    return summed.reshape(batch, targets, heads, value.shape[3])


def causal_mask(targets: int, sources: int) -> Array:
    """Return the mask that takes nothing of what comes later, `(targets, sources)`.

    >>> causal_mask(2, 3).tolist()
    [[True, False, False], [True, True, False]]
    """
    return jnp.arange(targets)[:, None] >= jnp.arange(sources)


def window_mask(targets: int, sources: int, window: int) -> Array:
    """Return the mask that takes of the neighbors nearer than `window`, `(targets, sources)`.

    >>> window_mask(2, 3, 2).tolist()
    [[True, True, False], [True, True, True]]
    """
    return jnp.abs(jnp.arange(targets)[:, None] - jnp.arange(sources)) < window
