"""The block of attention in plain `jax.numpy`; the other contestants have its layers."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.jobs import Job


def first_params(job: Job, generator: np.random.Generator) -> dict[str, Any]:
    """Return weights as Keras draws them."""
    width, size = job.width, job.width // job.heads

    def glorot(*shape: int) -> np.ndarray:
        limit = np.sqrt(6 / (width + shape[-1] if len(shape) == 2 else 2 * width))
        return generator.uniform(-limit, limit, shape).astype("float32")

    projections = {
        name: (glorot(width, job.heads, size), np.zeros((job.heads, size), "float32"))
        for name in ("query", "key", "value")
    }
    return {
        "embedding": generator.uniform(-0.05, 0.05, (job.vocabulary, width)).astype("float32"),
        **projections,
        "outputs": (glorot(job.heads, size, width), np.zeros(width, "float32")),
        "normalization": (np.ones(width, "float32"), np.zeros(width, "float32")),
        "dense": (glorot(width, 1), np.zeros(1, "float32")),
    }


def logits(job: Job, params: dict[str, Any], tokens: Any) -> Any:
    """Return the logit of each sequence."""
    embedded = params["embedding"][tokens]
    query, key, value = (
        jnp.einsum("btd,dnh->btnh", embedded, params[name][0]) + params[name][1]
        for name in ("query", "key", "value")
    )
    scores = jnp.einsum("btnh,bsnh->bnts", query, key) / np.sqrt(job.width // job.heads)
    mixed = jnp.einsum("bnts,bsnh->btnh", jax.nn.softmax(scores), value)
    kernel, bias = params["outputs"]
    values = embedded + jnp.einsum("btnh,nhd->btd", mixed, kernel) + bias
    gamma, beta = params["normalization"]
    mean, variance = values.mean(-1, keepdims=True), values.var(-1, keepdims=True)
    values = (values - mean) * jax.lax.rsqrt(variance + 1e-3) * gamma + beta
    kernel, bias = params["dense"]
    return values.mean(axis=1) @ kernel + bias
