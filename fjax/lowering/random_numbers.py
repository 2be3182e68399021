"""Random numbers of any shape, drawn along one axis.

The numbers are those of `jax.random` for the shape itself. XLA unrolls the loops over short inner
axes, and compiles the generator's rounds several times as long as for one long axis.
"""

import math
from typing import Any

import jax

from fjax.typing import Array, Key, Shape


def bernoulli(key: Key, probability: Any, shape: Shape) -> Array:
    """Return booleans of a shape, each True with this probability, as `jax.random.bernoulli`.

    >>> import jax.numpy as jnp
    >>> key = jax.random.key(0)
    >>> bool((bernoulli(key, 0.5, (2, 3)) == jax.random.bernoulli(key, 0.5, (2, 3))).all())
    True
    """
    return jax.random.bernoulli(key, probability, (math.prod(shape),)).reshape(shape)


def normal(key: Key, shape: Shape, dtype: Any) -> Array:
    """Return values of a normal distribution with mean 0 and deviation 1, as `jax.random.normal`.

    >>> normal(jax.random.key(0), (2, 3), "float32").shape
    (2, 3)
    """
    return jax.random.normal(key, (math.prod(shape),), dtype).reshape(shape)
