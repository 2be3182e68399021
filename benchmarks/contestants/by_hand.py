"""The training step in plain `jax.numpy`, which the two hand-written contestants share."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.jobs import Job

Params = list[tuple[Any, Any]]
# The params, the sum of the losses, and how many answers were right, of the epoch so far.
Carry = tuple[Params, Any, Any]


def first_carry(params: Params) -> Carry:
    """Return what an epoch begins with."""
    return params, np.float32(0), np.int32(0)


def first_params(job: Job, generator: np.random.Generator) -> Params:
    """Return kernels uniform as in Keras (Glorot), and biases of zeros."""
    limits = [np.sqrt(6 / (inputs + outputs)) for inputs, outputs in pairwise(job.sizes)]
    return [
        (
            generator.uniform(-limit, limit, shape).astype("float32"),
            np.zeros(shape[1], "float32"),
        )
        for limit, shape in zip(limits, pairwise(job.sizes), strict=True)
    ]


def training_step(job: Job) -> Callable[[Carry, Any, Any], Carry]:
    """Return `step(carry, x, y) -> carry`."""

    def objective(params: Params, x: Any, y: Any) -> tuple[Any, Any]:
        values = x.reshape(len(x), -1)
        for kernel, bias in params[:-1]:
            values = jax.nn.relu(values @ kernel + bias)
        kernel, bias = params[-1]
        values = values @ kernel + bias
        if not job.classifies:
            return jnp.mean((values - y) ** 2), jnp.int32(0)
        chosen = jax.nn.one_hot(y, job.units[-1]) * jax.nn.log_softmax(values)
        right = jnp.sum(jnp.argmax(values, axis=-1) == y)
        return -jnp.sum(chosen) / len(x), right

    def step(carry: Carry, x: Any, y: Any) -> Carry:
        params, total, right = carry
        (loss, newly_right), grads = jax.value_and_grad(objective, has_aux=True)(params, x, y)
        params = jax.tree.map(lambda p, g: p - job.learning_rate * g, params, grads)
        return params, total + loss * len(x), right + newly_right

    return step
