"""JAX with the whole epoch as one program: the least that must be done. No fjax."""

from functools import partial
from typing import Any

import jax
import numpy as np
from jax import lax

from benchmarks.child import Turns
from benchmarks.contestants.by_hand import (
    Carry,
    Params,
    first_carry,
    first_params,
    training_step,
)
from benchmarks.jobs import Job


def train(job: Job, x: np.ndarray, y: np.ndarray, epochs: int, turns: Turns) -> None:
    """Train the job, epoch by epoch in turn."""
    generator = np.random.default_rng(0)
    params = first_params(job, generator)
    step = training_step(job)
    full, rest = divmod(job.rows, job.batch_size)

    @partial(jax.jit, donate_argnums=0)
    def epoch(params: Params, x: Any, y: Any, order: Any) -> Carry:
        def on_rows(carry: Carry, rows: Any) -> Carry:
            batch = [array.at[rows].get(mode="promise_in_bounds") for array in (x, y)]
            return step(carry, *batch)

        def body(index: Any, carry: Carry) -> Carry:
            start = index * job.batch_size
            return on_rows(carry, lax.dynamic_slice_in_dim(order, start, job.batch_size))

        carry = lax.fori_loop(0, full, body, first_carry(params))
        return on_rows(carry, order[full * job.batch_size :]) if rest else carry

    on_device = jax.device_put((x, y))
    for _ in range(epochs):
        turns.begin()
        order = generator.permutation(job.rows).astype("int32")
        params, total, _ = epoch(params, *on_device, order)
        turns.end(float(total) / job.rows)
