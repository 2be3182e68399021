"""Gradient accumulation: one update for the mean of several gradients."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from fjax.typing import Array, PyTree

Update = Callable[[PyTree, PyTree], tuple[PyTree, PyTree]]


def accumulate_update(
    update: Update,
    sums: PyTree,
    grads: PyTree,
    slots: PyTree,
    params: PyTree,
    step: Array,
    every: int,
) -> tuple[PyTree, PyTree, PyTree]:
    """Return the updates, the slots and the sums of gradients after this step.

    Each `every`th step updates the params; the other steps only add their gradients to the sums.

    Args:
        update: A function `(grads, slots) -> (updates, slots)`.
        sums: The sums of the gradients since the last update, a tree like the params.
        grads: The gradients of this step.
        slots: The optimizer's slots.
        params: The params; in steps without an update, the updates are zeros of their shapes.
        step: The number of this step, counted from 1.
        every: The number of gradients for each update.

    >>> sums, params = {"w": jnp.array([4.0])}, {"w": jnp.array([1.0])}
    >>> def descend(grads, slots):
    ...     return jax.tree.map(jnp.negative, grads), slots
    >>> accumulate_update(descend, sums, {"w": jnp.array([2.0])}, {}, params, 2, 2)
    ({'w': Array([-3.], dtype=float32)}, {}, {'w': Array([0.], dtype=float32)})
    """

    def update_params(sums: PyTree, slots: PyTree) -> tuple[PyTree, PyTree, PyTree]:
        updates, slots = update(jax.tree.map(lambda grad: grad / every, sums), slots)
        return updates, slots, jax.tree.map(jnp.zeros_like, sums)

    def skip(sums: PyTree, slots: PyTree) -> tuple[PyTree, PyTree, PyTree]:
        return jax.tree.map(jnp.zeros_like, params), slots, sums

    sums = jax.tree.map(lambda sum_, grad: (sum_ + grad).astype(sum_.dtype), sums, grads)
    updates, slots, sums = jax.lax.cond(step % every == 0, update_params, skip, sums, slots)
    return updates, slots, sums
