"""JAX with the step jitted by hand: a Python loop over batches calls it. No fjax."""

import jax
import numpy as np

from benchmarks.child import Turns
from benchmarks.contestants.by_hand import first_carry, first_params, training_step
from benchmarks.jobs import Job


def train(job: Job, x: np.ndarray, y: np.ndarray, epochs: int, turns: Turns) -> None:
    """Train the job, epoch by epoch in turn."""
    generator = np.random.default_rng(0)
    params = first_params(job, generator)
    step = jax.jit(training_step(job), donate_argnums=0)
    for _ in range(epochs):
        turns.begin()
        order = generator.permutation(job.rows)
        carry = first_carry(params)
        for start in range(0, job.rows, job.batch_size):
            rows = order[start : start + job.batch_size]
            carry = step(carry, x[rows], y[rows])
        params, total, _ = carry
        turns.end(float(total) / job.rows)
