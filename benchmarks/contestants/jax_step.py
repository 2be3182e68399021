"""JAX with the step jitted by hand: a Python loop over batches calls it. No fjax."""

import jax
import numpy as np

from benchmarks.child import Turns
from benchmarks.contestants.by_hand import first_carry, first_trained, mean_loss, training_step
from benchmarks.jobs import Job


def train(
    job: Job, inputs: list[np.ndarray], targets: np.ndarray, epochs: int, turns: Turns
) -> None:
    """Train the job, epoch by epoch in turn."""
    generator = np.random.default_rng(0)
    trained = first_trained(job, generator)
    step = jax.jit(training_step(job), donate_argnums=0)
    for _ in range(epochs):
        turns.begin()
        order = generator.permutation(job.rows)
        carry = first_carry(job, trained)
        for start in range(0, job.rows, job.batch_size):
            rows = order[start : start + job.batch_size]
            carry = step(carry, [array[rows] for array in inputs], targets[rows])
        trained, losses, _ = carry
        turns.end(mean_loss(job, losses))
