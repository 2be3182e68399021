"""Embedding lookup: rows of a table by index."""

import jax.numpy as jnp

from fjax.typing import Array


def lookup(table: Array, ids: Array) -> Array:
    """Return the rows of a table at the given indices; an invalid index gives a row of NaN.

    The gradient for the table is a scatter-add, which is fast on CPUs too; see
    `docs/lowering_sequences.md`.

    Args:
        table: The rows, `(rows, width)`.
        ids: Whole numbers from 0 to `rows - 1`, of any shape and any numeric dtype.

    Shapes: ids `(…)` to rows `(…, width)`.

    >>> table = jnp.array([[1.0, 2.0], [3.0, 4.0]])
    >>> lookup(table, jnp.array([1, 0])).tolist()
    [[3.0, 4.0], [1.0, 2.0]]
    >>> lookup(table, jnp.array([2, -1, 0.5])).tolist()
    [[nan, nan], [nan, nan], [nan, nan]]
    """
    if jnp.issubdtype(ids.dtype, jnp.floating):
        # A bare cast would turn 0.5 into index 0, and NaN into an arbitrary index.
        ids = jnp.where(ids == jnp.floor(ids), ids, -1)
        ids = jnp.clip(ids, -1, table.shape[0]).astype(jnp.int32)
    return (
        jnp.asarray(table).at[ids].get(mode="fill", fill_value=jnp.nan, wrap_negative_indices=False)
    )
