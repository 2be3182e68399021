"""Categories by number as rows of zeros and ones, or of counts."""

from typing import Any

import jax.numpy as jnp

from fjax.typing import Array

# How often a message lists what was out of range.
SHOWN = 5


def encode_categories(
    owner: str, ids: Array, output_mode: str, depth: int, weights: Array | None = None
) -> Array:
    """Return ids as "one_hot", "multi_hot" or "count" rows of this depth, float32.

    An id out of range, such as -1, has a row of zeros. `weights` are what each id counts.

    Shapes: "one_hot" (…) to (…, depth), a last axis of size 1 being replaced; the others
    (batch, ids) to (batch, depth), and (ids,) to (depth,).

    >>> encode_categories("CategoryEncoding", jnp.array([[0, 1], [1, 1]]), "count", 3).tolist()
    [[1.0, 1.0, 0.0], [0.0, 2.0, 0.0]]
    """
    if output_mode == "one_hot":
        if ids.ndim > 1 and ids.shape[-1] == 1:
            ids = ids[..., 0]
        return _one_hot(ids, depth)
    if ids.ndim > 2:
        raise ValueError(
            f'`{owner}`: `output_mode="{output_mode}"` takes one row of ids for each sample, shape '
            f"(batch, ids), received shape {tuple(ids.shape)}."
        )
    rows = _one_hot(jnp.atleast_1d(ids), depth)
    if output_mode == "multi_hot":
        return rows.max(axis=-2, initial=0)
    if weights is not None:
        if weights.shape != ids.shape:
            raise ValueError(
                f"`{owner}`: `count_weights` must be one number for each id, shape "
                f"{tuple(ids.shape)}, received shape {tuple(weights.shape)}."
            )
        rows = rows * jnp.atleast_1d(weights)[..., None].astype(rows.dtype)
    return rows.sum(axis=-2)


def _one_hot(ids: Any, depth: int) -> Array:
    return (ids[..., None] == jnp.arange(depth, dtype=ids.dtype)).astype(jnp.float32)
