"""The matrix product behind layers with a kernel."""

import math

import jax.numpy as jnp

from fjax.typing import Array


def linear(values: Array, kernel: Array, axes: int = 1) -> Array:
    """Return the product of values and a kernel, summed over the last axes of the values.

    It is computed as the product of two matrices, because for a product over several axes XLA
    copies a transposed array in memory to compute the kernel's gradient.

    Args:
        values: `(*leading, *summed)`.
        kernel: `(*summed, *outputs)`.
        axes: The number of axes to sum over: the last of the values, the first of the kernel.

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
