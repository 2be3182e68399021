"""Averaging: an exponential moving average of the params along the way."""

import jax
import jax.numpy as jnp

from fjax.typing import Array, PyTree


def averaged(
    updates: PyTree,
    averages: PyTree,
    params: PyTree,
    made: Array,
    momentum: float,
    overwrite_frequency: int | None,
) -> tuple[PyTree, PyTree]:
    """Return the updates, and the averages with the params that they lead to.

    An average is `momentum * average + (1 - momentum) * param`. Until an update is made it is the
    param itself.

    Args:
        updates: What is to be added to the params.
        averages: The averages so far, a tree like the params.
        params: The params before the update.
        made: How many updates were made before this one.
        momentum: How much of an average is kept.
        overwrite_frequency: After how many updates these lead to the averages; None for never.

    >>> one, two = {"w": jnp.array([1.0])}, {"w": jnp.array([2.0])}
    >>> averaged(one, one, two, 1, 0.75, None)
    ({'w': Array([1.], dtype=float32)}, {'w': Array([1.5], dtype=float32)})
    >>> averaged(one, one, two, 1, 0.75, 2)
    ({'w': Array([-0.5], dtype=float32)}, {'w': Array([1.5], dtype=float32)})
    """

    def move(average: Array, param: Array, update: Array) -> Array:
        kept = jnp.where(jnp.equal(made, 0), 0.0, momentum).astype(average.dtype)
        return kept * average + (1 - kept) * (param + update).astype(average.dtype)

    averages = jax.tree.map(move, averages, params, updates)
    if overwrite_frequency is None:
        return updates, averages
    overwrite = (made + 1) % overwrite_frequency == 0
    updates = jax.tree.map(
        lambda update, average, param: jnp.where(overwrite, average - param, update),
        updates,
        averages,
        params,
    )
    return updates, averages
