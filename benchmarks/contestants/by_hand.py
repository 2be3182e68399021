"""The training step in plain `jax.numpy`, which the two hand-written contestants share."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.jobs import Job

Params = Any
# The params, with Adam two moments of each, and the number of steps.
Trained = tuple[Any, ...]
# Of each output the sum of the losses, and the sum of what is measured beside it.
Sums = list[Any]
# What is trained, and the sums of the epoch so far.
Carry = tuple[Trained, Sums, Sums]


def first_trained(job: Job, generator: np.random.Generator) -> Trained:
    """Return what the training begins with."""
    params = job.module.first_params(job, generator)
    if job.optimizer == "SGD":
        return params, np.int32(0)
    first, second = (jax.tree.map(np.zeros_like, params) for _ in range(2))
    return params, first, second, np.int32(0)


def first_carry(job: Job, trained: Trained) -> Carry:
    """Return what an epoch begins with."""
    losses = [np.float32(0) for _ in job.loss_weights]
    kind = np.int32 if job.task.counts else np.float32
    return trained, losses, [kind(0) for _ in job.loss_weights if job.task.metric is not None]


def mean_loss(job: Job, losses: Sums) -> float:
    """Return the mean loss of an epoch, from the sums of the outputs' losses."""
    return job.weighted([float(value) for value in losses]) / job.rows


def training_step(job: Job) -> Callable[[Carry, Sequence[Any], Any], Carry]:
    """Return `step(carry, inputs, targets) -> carry`."""

    def objective(
        params: Params, inputs: Sequence[Any], y: Any, key: Any
    ) -> tuple[Any, tuple[Sums, Sums]]:
        outputs = job.module.outputs(job, params, inputs, key)
        losses = [job.task.by_hand(values, y) for values in outputs]
        measured = [number for values in outputs for number in job.task.measured(values, y)]
        return job.weighted(losses), (losses, measured)

    def step(carry: Carry, inputs: Sequence[Any], y: Any) -> Carry:
        trained, losses, measured = carry
        differentiate = jax.value_and_grad(objective, has_aux=True)
        key = jax.random.fold_in(jax.random.key(0), trained[-1])
        (_, (new_losses, newly_measured)), grads = differentiate(trained[0], inputs, y, key)
        trained = _updated(job, trained, grads)
        losses = [sum_ + loss * len(y) for sum_, loss in zip(losses, new_losses, strict=True)]
        measured = [sum_ + new for sum_, new in zip(measured, newly_measured, strict=True)]
        return trained, losses, measured

    return step


def _updated(job: Job, trained: Trained, grads: Params) -> Trained:
    params, *moments, count = trained
    count = count + 1
    if not moments:
        return jax.tree.map(lambda p, g: p - job.learning_rate * g, params, grads), count
    first = jax.tree.map(lambda m, g: m + 0.1 * (g - m), moments[0], grads)
    second = jax.tree.map(lambda v, g: v + 0.001 * (g * g - v), moments[1], grads)
    rate = job.learning_rate * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
    params = jax.tree.map(
        lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-7), params, first, second
    )
    return params, first, second, count
