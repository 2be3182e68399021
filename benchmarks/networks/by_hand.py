"""What the hand-written networks share."""

import math
from typing import Any

import jax
import numpy as np

Generator = np.random.Generator


def glorot(generator: Generator, *shape: int) -> np.ndarray:
    """Return a kernel uniform as in Keras; the last two axes are inputs and outputs."""
    limit = math.sqrt(6 / (math.prod(shape[:-2]) * sum(shape[-2:])))
    return generator.uniform(-limit, limit, shape).astype("float32")


def dense(generator: Generator, inputs: int, outputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a kernel, and a bias of zeros."""
    return glorot(generator, inputs, outputs), np.zeros(outputs, "float32")


def table(generator: Generator, words: int, width: int) -> np.ndarray:
    """Return the vectors of words, as Keras draws them."""
    return generator.uniform(-0.05, 0.05, (words, width)).astype("float32")


def rows_of(vectors: Any, words: Any) -> Any:
    """Return the vectors of words."""
    return vectors.at[words].get(mode="promise_in_bounds")


def affine(values: Any, weights: tuple[Any, Any]) -> Any:
    """Return the values times the kernel, plus the bias."""
    kernel, bias = weights
    return values @ kernel + bias


def dropped(values: Any, rate: float, key: Any) -> Any:
    """Return the values with a share set to zero, and the others scaled up."""
    kept = jax.random.bernoulli(key, 1 - rate, values.shape)
    return jax.numpy.where(kept, values / (1 - rate), 0)
