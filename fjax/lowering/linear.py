"""The product that layers with a kernel are made of."""

import math

import jax.numpy as jnp

from fjax.typing import Array


def linear(values: Array, kernel: Array, axes: int = 1) -> Array:
    """Return the product over the last axes of the values and the first axes of a kernel.

    It is computed as the product of two matrices: of a product over more axes XLA makes a
    transposed copy in memory for the kernel's gradient.

    Args:
        values: `(*leading, *summed)`.
        kernel: `(*summed, *outputs)`.
        axes: How many axes are summed over.

    Shapes: `(*leading, *outputs)`.

    >>> linear(jnp.ones((2, 3, 4)), jnp.ones((4, 5))).shape
    (2, 3, 5)
    >>> linear(jnp.ones((2, 3, 4)), jnp.ones((3, 4, 5, 6)), axes=2).shape
    (2, 5, 6)
    """
    leading, outputs = values.shape[: values.ndim - axes], kernel.shape[axes:]
    summed = math.prod(kernel.shape[:axes])
    rows = values.reshape(math.prod(leading), summed)
    return jnp.matmul(rows, kernel.reshape(summed, math.prod(outputs))).reshape(*leading, *outputs)
