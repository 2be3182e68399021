"""The network for images in plain `jax.numpy` and XLA's own convolution, trained by Adam."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.jobs import Job


def first_trained(job: Job, generator: np.random.Generator) -> Any:
    """Return the weights as in Keras, and what Adam begins with."""
    weights = [
        (
            generator.uniform(-limit, limit, shape).astype("float32"),
            np.zeros(shape[-1], "float32"),
        )
        for shape in (*job.windows, *job.kernels)
        for limit in [np.sqrt(6 / (math.prod(shape[:-2]) * sum(shape[-2:])))]
    ]
    zeros = [jax.tree.map(np.zeros_like, weights) for _ in range(2)]
    return weights, *zeros, np.int32(0)


def logits(job: Job, weights: Any, images: Any, key: Any) -> Any:
    """Return the network's outputs before the softmax, in training."""
    values, window = images, (1, 2, 2, 1)
    for kernel, bias in weights[: len(job.windows)]:
        convolved = lax.conv_general_dilated(
            values, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        values = jax.nn.relu(convolved + bias)
        values = lax.reduce_window(values, -jnp.inf, lax.max, window, window, "VALID")
    values = values.reshape(len(values), -1)
    for kernel, bias in weights[len(job.windows) : -1]:
        values = jax.nn.relu(values @ kernel + bias)
    if job.dropout:
        kept = jax.random.bernoulli(key, 1 - job.dropout, values.shape)
        values = jnp.where(kept, values / (1 - job.dropout), 0)
    kernel, bias = weights[-1]
    return values @ kernel + bias
