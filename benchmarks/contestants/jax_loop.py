"""JAX with the whole epoch as one program: the least that must be done. No fjax."""

from functools import partial
from typing import Any

import jax
import numpy as np
from jax import lax

from benchmarks.child import Turns
from benchmarks.contestants.by_hand import (
    Carry,
    Trained,
    first_carry,
    first_trained,
    mean_loss,
    training_step,
)
from benchmarks.jobs import Job


def train(
    job: Job, inputs: list[np.ndarray], targets: np.ndarray, epochs: int, turns: Turns
) -> None:
    """Train the job, epoch by epoch in turn."""
    generator = np.random.default_rng(0)
    trained = first_trained(job, generator)
    step = training_step(job)
    full, rest = divmod(job.rows, job.batch_size)

    @partial(jax.jit, donate_argnums=0)
    def epoch(trained: Trained, inputs: list[Any], targets: Any, order: Any) -> Carry:
        def on_rows(carry: Carry, rows: Any) -> Carry:
            *x, y = (array.at[rows].get(mode="promise_in_bounds") for array in (*inputs, targets))
            return step(carry, x, y)

        def body(index: Any, carry: Carry) -> Carry:
            start = index * job.batch_size
            return on_rows(carry, lax.dynamic_slice_in_dim(order, start, job.batch_size))

        carry = lax.fori_loop(0, full, body, first_carry(job, trained))
        return on_rows(carry, order[full * job.batch_size :]) if rest else carry

    on_device = jax.device_put((inputs, targets))
    for _ in range(epochs):
        turns.begin()
        order = generator.permutation(job.rows).astype("int32")
        trained, losses, _ = epoch(trained, *on_device, order)
        turns.end(mean_loss(job, losses))
