"""Category ids as one-hot, multi-hot or count rows."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from fjax.errors import one_of
from fjax.typing import Array


def encode_categories(
    owner: str, ids: Array, output_mode: str, depth: int, weights: Array | None = None
) -> Array:
    """Return "one_hot", "multi_hot" or "count" rows of ids, float32.

    Args:
        owner: The layer that an error names.
        ids: Category ids; an id outside of 0 to `depth - 1`, such as -1, gives zeros.
        output_mode: "one_hot", "multi_hot" or "count".
        depth: The number of categories.
        weights: The weight of each id in the mode "count", by default 1.

    Shapes: "one_hot" maps (…) to (…, depth) and replaces a last axis of size 1; the other modes
    map (batch, ids, …) to (batch, …, depth), and (ids,) to (depth,).

    >>> encode_categories("CategoryEncoding", jnp.array([[0, 1], [1, 1]]), "count", 3).tolist()
    [[1.0, 1.0, 0.0], [0.0, 2.0, 0.0]]
    """
    if output_mode == "int":
        return ids
    if output_mode == "one_hot":
        if ids.ndim > 1 and ids.shape[-1] == 1:
            ids = ids[..., 0]
        return _one_hot(ids, depth)
    # As in Keras, this is not the last axis of ids with three axes.
    axis = 1 if ids.ndim > 1 else 0
    rows = _one_hot(jnp.atleast_1d(ids), depth)
    if output_mode == "multi_hot":
        return rows.max(axis=axis, initial=0)
    if weights is not None:
        if weights.shape != ids.shape:
            raise ValueError(
                f"`{owner}`: `count_weights` must be one number per id, shape {tuple(ids.shape)}, "
                f"received shape {tuple(weights.shape)}."
            )
        rows = rows * jnp.atleast_1d(weights)[..., None].astype(rows.dtype)
    return rows.sum(axis=axis)


def check_output(layer: Any, modes: Sequence[str]) -> None:
    """Raise ValueError unless the fields `output_mode` and `sparse` of a layer are valid."""
    one_of(layer.kind, "output_mode", layer.output_mode, modes)
    if layer.sparse:
        raise ValueError(f"`{layer.kind}`: `sparse` must be False: fjax has only dense arrays.")


def _one_hot(ids: Any, depth: int) -> Array:
    return (ids[..., None] == jnp.arange(depth, dtype=ids.dtype)).astype(jnp.float32)
