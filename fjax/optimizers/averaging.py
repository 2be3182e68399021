"""Exponential moving averages of the params."""

import jax
import jax.numpy as jnp

from fjax.typing import Array, PyTree


def update_averages(
    updates: PyTree,
    averages: PyTree,
    params: PyTree,
    update_count: Array,
    momentum: float,
    overwrite_frequency: int | None,
) -> tuple[PyTree, PyTree]:
    """Return the updates and the next averages, which include the updated params.

    An average becomes `momentum * average + (1 - momentum) * param`; at the first update it becomes
    the updated param.

    Args:
        updates: The updates to add to the params.
        averages: The averages so far, a tree like the params.
        params: The params before the update.
        update_count: The number of earlier updates.
        momentum: The decay of the averages.
        overwrite_frequency: After this many updates, the returned updates set the params to their
            averages; None means never.

    >>> one, two = {"w": jnp.array([1.0])}, {"w": jnp.array([2.0])}
    >>> update_averages(one, one, two, 1, 0.75, None)
    ({'w': Array([1.], dtype=float32)}, {'w': Array([1.5], dtype=float32)})
    >>> update_averages(one, one, two, 1, 0.75, 2)
    ({'w': Array([-0.5], dtype=float32)}, {'w': Array([1.5], dtype=float32)})
    """

    def next_average(average: Array, param: Array, update: Array) -> Array:
        decay = jnp.where(jnp.equal(update_count, 0), 0.0, momentum).astype(average.dtype)
        return decay * average + (1 - decay) * (param + update).astype(average.dtype)

    averages = jax.tree.map(next_average, averages, params, updates)
    if overwrite_frequency is None:
        return updates, averages
    overwrite = (update_count + 1) % overwrite_frequency == 0
    updates = jax.tree.map(
        lambda update, average, param: jnp.where(overwrite, average - param, update),
        updates,
        averages,
        params,
    )
    return updates, averages
