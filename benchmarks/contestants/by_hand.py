"""The training step in plain `jax.numpy`, which the two hand-written contestants share."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.jobs import Job

Params = list[tuple[Any, Any]]
# The params, and with Adam two moments of each and the number of the step.
Trained = tuple[Any, ...]
# Of each output the sum of the losses, and the sum of what is measured beside it.
Sums = list[Any]
# What is trained, and the sums of the epoch so far.
Carry = tuple[Trained, Sums, Sums]


def first_trained(job: Job, generator: np.random.Generator) -> Trained:
    """Return what the training begins with."""
    params = first_params(job, generator)
    if job.optimizer == "SGD":
        return (params,)
    first, second = (jax.tree.map(np.zeros_like, params) for _ in range(2))
    return params, first, second, np.int32(0)


def first_carry(job: Job, trained: Trained) -> Carry:
    """Return what an epoch begins with."""
    losses = [np.float32(0) for _ in job.loss_weights]
    if job.classifies:
        return trained, losses, [np.int32(0)]
    return trained, losses, [np.float32(0) for _ in job.loss_weights if job.features]


def first_params(job: Job, generator: np.random.Generator) -> Params:
    """Return kernels uniform as in Keras (Glorot), and biases of zeros."""
    return [
        (
            generator.uniform(-limit, limit, shape).astype("float32"),
            np.zeros(shape[-1], "float32"),
        )
        for shape in (*job.windows, *job.kernels)
        for limit in [np.sqrt(6 / (math.prod(shape[:-2]) * sum(shape[-2:])))]
    ]


def mean_loss(job: Job, losses: Sums) -> float:
    """Return the mean loss of an epoch, from the sums of the outputs' losses."""
    return job.weighted([float(value) for value in losses]) / job.rows


def training_step(job: Job) -> Callable[[Carry, Sequence[Any], Any], Carry]:
    """Return `step(carry, inputs, targets) -> carry`."""

    def objective(
        params: Params, inputs: Sequence[Any], y: Any, key: Any
    ) -> tuple[Any, tuple[Sums, Sums]]:
        outputs = _outputs(job, params, inputs, key)
        losses = [_loss(job, values, y) for values in outputs]
        measured = [measure(values, y) for values in outputs for measure in _measures(job)]
        return job.weighted(losses), (losses, measured)

    def step(carry: Carry, inputs: Sequence[Any], y: Any) -> Carry:
        trained, losses, measured = carry
        differentiate = jax.value_and_grad(objective, has_aux=True)
        key = jax.random.fold_in(jax.random.key(0), trained[-1]) if job.dropout else None
        (_, (new_losses, newly_measured)), grads = differentiate(trained[0], inputs, y, key)
        trained = _updated(job, trained, grads)
        losses = [sum_ + loss * len(y) for sum_, loss in zip(losses, new_losses, strict=True)]
        measured = [sum_ + new for sum_, new in zip(measured, newly_measured, strict=True)]
        return trained, losses, measured

    return step


def _updated(job: Job, trained: Trained, grads: Params) -> Trained:
    if job.optimizer == "SGD":
        return (jax.tree.map(lambda p, g: p - job.learning_rate * g, trained[0], grads),)
    params, first, second, count = trained
    count = count + 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, grads)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, grads)
    rate = job.learning_rate * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
    params = jax.tree.map(
        lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-7), params, first, second
    )
    return params, first, second, count


def _outputs(job: Job, params: Params, inputs: Sequence[Any], key: Any) -> list[Any]:
    *around, through = inputs
    for kernel, bias in params[: len(job.windows)]:
        numbers = ("NHWC", "HWIO", "NHWC")
        convolved = lax.conv_general_dilated(
            through, kernel, (1, 1), "VALID", dimension_numbers=numbers
        )
        through = jax.nn.relu(convolved + bias)
        window = (1, 2, 2, 1)
        through = lax.reduce_window(through, -jnp.inf, lax.max, window, window, "VALID")
    params = params[len(job.windows) :]
    values = through.reshape(len(through), -1)
    count = len(job.loss_weights)
    for kernel, bias in params[:-count]:
        values = jax.nn.relu(values @ kernel + bias)
    if job.dropout:
        kept = jax.random.bernoulli(key, 1 - job.dropout, values.shape)
        values = jnp.where(kept, values / (1 - job.dropout), 0)
    before = [jnp.concatenate([*around, values], axis=1), values] if around else [values]
    heads = params[-count:]
    return [each @ kernel + bias for each, (kernel, bias) in zip(before, heads, strict=True)]


def _loss(job: Job, values: Any, y: Any) -> Any:
    if not job.classifies:
        return jnp.mean((values - y) ** 2)
    chosen = jax.nn.one_hot(y, job.units[-1]) * jax.nn.log_softmax(values)
    return -jnp.sum(chosen) / len(y)


def _measures(job: Job) -> list[Callable[[Any, Any], Any]]:
    """Return what is measured beside the loss of each output, each a sum over a batch."""
    if job.classifies:
        return [lambda values, y: jnp.sum(jnp.argmax(values, axis=-1) == y)]
    return [lambda values, y: jnp.sum(jnp.abs(values - y))] if job.features else []
