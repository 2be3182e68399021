"""Draws of `keras.random`, with its numbers for equal seeds."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from fjax.config import floatx
from fjax.errors import number_between
from fjax.random.seeds import key_of
from fjax.typing import Array, ArrayLike


def normal(
    shape: Sequence[int],
    mean: ArrayLike = 0.0,
    stddev: ArrayLike = 1.0,
    dtype: Any = None,
    seed: Any = None,
) -> Array:
    """Return draws from a normal distribution.

    >>> print(normal((2,), seed=1))
    [-1.097... 0.475...]
    """
    draws = jax.random.normal(key_of("normal", seed), _shape("normal", shape), dtype or floatx())
    return draws * stddev + mean


def truncated_normal(
    shape: Sequence[int],
    mean: ArrayLike = 0.0,
    stddev: ArrayLike = 1.0,
    dtype: Any = None,
    seed: Any = None,
) -> Array:
    """Return draws from a normal distribution, none beyond two standard deviations.

    >>> bool((abs(truncated_normal((100,), seed=1)) <= 2).all())
    True
    """
    key = key_of("truncated_normal", seed)
    sizes = _shape("truncated_normal", shape)
    draws = jax.random.truncated_normal(key, -2.0, 2.0, sizes, dtype or floatx())
    return draws * stddev + mean


def uniform(
    shape: Sequence[int],
    minval: ArrayLike = 0.0,
    maxval: ArrayLike = 1.0,
    dtype: Any = None,
    seed: Any = None,
) -> Array:
    """Return draws that are uniform in `[minval, maxval)`; integers for an integer dtype.

    >>> uniform((3,), 1.0, 2.0, seed=1).min().item() >= 1.0
    True
    """
    kind = jnp.dtype(dtype or floatx())
    key, sizes = key_of("uniform", seed), _shape("uniform", shape)
    if jnp.issubdtype(kind, jnp.integer):
        return jax.random.randint(key, sizes, minval, maxval, kind)
    return jax.random.uniform(key, sizes, kind, minval, maxval)


def randint(
    shape: Sequence[int],
    minval: ArrayLike,
    maxval: ArrayLike,
    dtype: Any = "int32",
    seed: Any = None,
) -> Array:
    """Return integers that are uniform in `[minval, maxval)`.

    >>> sorted(set(randint((100,), 0, 3, seed=1).tolist()))
    [0, 1, 2]
    """
    key = key_of("randint", seed)
    return jax.random.randint(key, _shape("randint", shape), minval, maxval, dtype)


def categorical(
    logits: ArrayLike, num_samples: int, dtype: Any = "int32", seed: Any = None
) -> Array:
    """Return classes drawn with the probabilities of logits.

    Args:
        logits: `(batch, classes)`.
        num_samples: The number of draws for each row.
        dtype: The dtype of the classes.
        seed: An integer, a `SeedGenerator` or None.

    Returns:
        `(batch, num_samples)`.

    >>> categorical([[0.0, 100.0]], 3, seed=1).tolist()
    [[1, 1, 1]]
    """
    values = jnp.asarray(logits)
    if values.ndim != 2:
        raise ValueError(
            f"`categorical`: the logits must have the shape (batch, classes), received "
            f"{values.shape}."
        )
    shape = (values.shape[0], num_samples)
    key = key_of("categorical", seed)
    return jax.random.categorical(key, values[..., None], axis=1, shape=shape).astype(dtype)


def dropout(
    inputs: ArrayLike,
    rate: float,
    noise_shape: Sequence[int | None] | None = None,
    seed: Any = None,
) -> Array:
    """Return an array with a random fraction of its entries 0, and the others scaled to match.

    Args:
        inputs: The array.
        rate: The fraction, in [0, 1].
        noise_shape: The shape of the random mask, which is broadcast to the array: 1 for an axis
            along which entries are dropped together, None for the size of the array.
        seed: An integer, a `SeedGenerator` or None.

    Raises:
        ValueError: The rate is not in [0, 1].

    >>> sorted(set(dropout(jnp.ones(100), 0.5, seed=1).tolist()))
    [0.0, 2.0]
    """
    values = jnp.asarray(inputs)
    keep = 1.0 - number_between("dropout", "rate", rate, 0.0, 1.0)
    if keep in (0.0, 1.0):
        return values if keep else jnp.zeros_like(values)
    sizes = values.shape if noise_shape is None else tuple(noise_shape)
    shape = tuple(values.shape[axis] if size is None else size for axis, size in enumerate(sizes))
    mask = jax.random.bernoulli(key_of("dropout", seed), keep, shape)
    return jnp.where(mask, values / keep, jnp.zeros_like(values))


def shuffle(x: ArrayLike, axis: int = 0, seed: Any = None) -> Array:
    """Return an array with its entries in random order along an axis, others for each position.

    >>> sorted(shuffle([1, 2, 3], seed=1).tolist())
    [1, 2, 3]
    """
    return jax.random.permutation(key_of("shuffle", seed), jnp.asarray(x), axis, independent=True)


def gamma(shape: Sequence[int], alpha: ArrayLike, dtype: Any = None, seed: Any = None) -> Array:
    """Return draws from a gamma distribution with the shape parameter `alpha`.

    >>> gamma((3,), 2.0, seed=1).min().item() > 0
    True
    """
    sizes = _shape("gamma", shape)
    return jax.random.gamma(key_of("gamma", seed), jnp.asarray(alpha), sizes, dtype or floatx())


def binomial(
    shape: Sequence[int],
    counts: ArrayLike,
    probabilities: ArrayLike,
    dtype: Any = None,
    seed: Any = None,
) -> Array:
    """Return how many of `counts` trials succeed.

    >>> binomial((2,), 5.0, 1.0, seed=1).tolist()
    [5.0, 5.0]
    """
    key, sizes = key_of("binomial", seed), _shape("binomial", shape)
    trials, chances = jnp.asarray(counts), jnp.asarray(probabilities)
    return jax.random.binomial(key, trials, chances, sizes, dtype or floatx())


def beta(
    shape: Sequence[int], alpha: ArrayLike, beta: ArrayLike, dtype: Any = None, seed: Any = None
) -> Array:
    """Return draws from a beta distribution, from 0 to 1.

    >>> 0 < beta((1,), 2.0, 3.0, seed=1).item() < 1
    True
    """
    key, sizes = key_of("beta", seed), _shape("beta", shape)
    return jax.random.beta(key, jnp.asarray(alpha), jnp.asarray(beta), sizes, dtype or floatx())


def _shape(owner: str, shape: Any) -> tuple[int, ...]:
    sizes = tuple(shape) if isinstance(shape, list | tuple) else shape
    if isinstance(sizes, tuple) and None in sizes:
        raise ValueError(
            f"`{owner}`: the shape {sizes} has an axis of unknown size. Draw within the `call` of "
            "a layer, where the sizes are known."
        )
    return sizes
