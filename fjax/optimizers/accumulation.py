"""Accumulation: one update for the mean of several gradients."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from fjax.typing import Array, PyTree

Update = Callable[[PyTree, PyTree], tuple[PyTree, PyTree]]


def accumulated(
    update: Update,
    gathered: PyTree,
    grads: PyTree,
    slots: PyTree,
    params: PyTree,
    step: Array,
    every: int,
) -> tuple[PyTree, PyTree, PyTree]:
    """Return the updates, the slots and the gathered gradients after this step.

    Each `every`th step makes the update; the steps between cost an addition.

    Args:
        update: `(grads, slots) -> (updates, slots)`.
        gathered: The sum of the gradients since the last update, a tree like the params.
        grads: The gradients of this step.
        slots: What the update carries along.
        params: The params; where no update is made the updates are zeros like these.
        step: The number of this step, counted from 1.
        every: For how many gradients there is an update.

    >>> sums, params = {"w": jnp.array([4.0])}, {"w": jnp.array([1.0])}
    >>> def descend(grads, slots):
    ...     return jax.tree.map(jnp.negative, grads), slots
    >>> accumulated(descend, sums, {"w": jnp.array([2.0])}, {}, params, 2, 2)
    ({'w': Array([-3.], dtype=float32)}, {}, {'w': Array([0.], dtype=float32)})
    """

    def apply(total: PyTree, slots: PyTree) -> tuple[PyTree, PyTree, PyTree]:
        updates, slots = update(jax.tree.map(lambda grad: grad / every, total), slots)
        return updates, slots, jax.tree.map(jnp.zeros_like, total)

    def wait(total: PyTree, slots: PyTree) -> tuple[PyTree, PyTree, PyTree]:
        return jax.tree.map(jnp.zeros_like, params), slots, total

    total = jax.tree.map(lambda sum_, grad: (sum_ + grad).astype(sum_.dtype), gathered, grads)
    updates, slots, total = jax.lax.cond(step % every == 0, apply, wait, total, slots)
    return updates, slots, total
