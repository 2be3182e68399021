"""Conversion of an activation's argument."""

import jax
import jax.numpy as jnp

from fjax.typing import Array, ArrayLike


def as_array(x: ArrayLike) -> Array:
    """Return a JAX array as it is, and numbers or a list of numbers as a JAX array.

    >>> as_array([1.0, 2.0])
    Array([1., 2.], dtype=float32)
    """
    return x if isinstance(x, jax.Array) else jnp.asarray(x)
