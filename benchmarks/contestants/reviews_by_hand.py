"""The reviews' network in plain `jax.numpy`: an embedding, an LSTM, one output; and Adam."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.jobs import Job

# The weights, both moments of Adam, and the number of steps.
Trained = tuple[Any, Any, Any, Any]


def first_trained(job: Job, generator: np.random.Generator) -> Trained:
    """Return first weights, and moments of zeros."""
    width, units, outputs = job.units

    def kernel(*shape: int) -> np.ndarray:
        limit = np.sqrt(6 / sum(shape))
        return generator.uniform(-limit, limit, shape).astype("float32")

    bias = np.zeros(4 * units, "float32")
    bias[units : 2 * units] = 1
    weights = {
        "embeddings": generator.uniform(-0.05, 0.05, (job.vocabulary, width)).astype("float32"),
        "lstm": (kernel(width, 4 * units), np.linalg.qr(kernel(4 * units, units))[0].T, bias),
        "dense": (kernel(units, outputs), np.zeros(outputs, "float32")),
    }
    zeros = jax.tree.map(np.zeros_like, weights)
    return weights, zeros, jax.tree.map(np.copy, zeros), np.float32(0)


def logits(weights: Any, words: Any) -> Any:
    """Return the network's outputs before the sigmoid."""
    kernel, recurrent_kernel, bias = weights["lstm"]
    zeros = jnp.zeros((len(words), recurrent_kernel.shape[0]))

    def step(states: Any, vectors: Any) -> Any:
        hidden, carry = states
        i, f, g, o = jnp.split(vectors @ kernel + hidden @ recurrent_kernel + bias, 4, axis=-1)
        carry = jax.nn.sigmoid(f) * carry + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(carry), carry), None

    vectors = weights["embeddings"].at[words].get(mode="promise_in_bounds")
    (hidden, _), _ = lax.scan(step, (zeros, zeros), jnp.swapaxes(vectors, 0, 1))
    kernel, bias = weights["dense"]
    return hidden @ kernel + bias


def loss(values: Any, y: Any) -> Any:
    """Return the binary cross-entropy of logits."""
    return jnp.mean(jnp.maximum(values, 0) - values * y + jnp.log1p(jnp.exp(-jnp.abs(values))))


def adam(trained: Trained, grads: Any, rate: float) -> Trained:
    """Return weights and moments after a step."""
    weights, first, second, count = trained
    count = count + 1
    first = jax.tree.map(lambda m, g: m + 0.1 * (g - m), first, grads)
    second = jax.tree.map(lambda v, g: v + 0.001 * (g * g - v), second, grads)
    rate = rate * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
    weights = jax.tree.map(
        lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), weights, first, second
    )
    return weights, first, second, count
