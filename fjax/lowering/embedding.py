"""Rows of a table by their numbers."""

import jax.numpy as jnp

from fjax.typing import Array


def lookup(table: Array, ids: Array) -> Array:
    """Return the rows of a table with these numbers; a number that is none gives a row of NaN.

    The gradient of the table is a scatter-add, which is fast on a CPU, too: see
    `docs/lowering_sequences.md`.

    Args:
        table: The rows, `(rows, width)`.
        ids: Whole numbers from 0 to `rows - 1`, of any shape and number type.

    Shapes: ids `(…)` to rows `(…, width)`.

    >>> table = jnp.array([[1.0, 2.0], [3.0, 4.0]])
    >>> lookup(table, jnp.array([1, 0])).tolist()
    [[3.0, 4.0], [1.0, 2.0]]
    >>> lookup(table, jnp.array([2, -1, 0.5])).tolist()
    [[nan, nan], [nan, nan], [nan, nan]]
    """
    if jnp.issubdtype(ids.dtype, jnp.floating):
        # Cast alone, 0.5 would be row 0 and NaN any row.
        ids = jnp.where(ids == jnp.floor(ids), ids, -1)
        ids = jnp.clip(ids, -1, table.shape[0]).astype(jnp.int32)
    return (
        jnp.asarray(table).at[ids].get(mode="fill", fill_value=jnp.nan, wrap_negative_indices=False)
    )
