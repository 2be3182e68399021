"""Unit normalization: vectors of norm 1."""

import jax
import jax.numpy as jnp

from fjax.layers.normalization.base import PerSampleNormalization
from fjax.typing import Array

# Norms below this count as this, so that a vector of zeros is not divided by 0.
MIN_NORM = 1e-12


class UnitNormalization(PerSampleNormalization):
    """Divide each sample by its Euclidean norm along an axis; zeros stay zeros.

    Args:
        axis: The axis, or a list of axes, of the vectors; not the batch axis.

    Shapes: `(batch, …)`, unchanged.

    Raises:
        ValueError: The inputs have no such axis.

    Source: Keras's page "UnitNormalization layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = UnitNormalization().apply({}, {}, jnp.array([[3.0, 4.0], [0.0, 0.0]]))
    >>> outputs.round(3).tolist()
    [[0.6..., 0.8...], [0.0, 0.0]]
    """

    axis: int | tuple[int, ...] = -1

    def normalize(self, values: Array, axes: tuple[int, ...]) -> Array:
        """Return the values with norm 1 along the axes."""
        square_norm = jnp.sum(jnp.square(values), axis=axes, keepdims=True)
        # The bound is applied before the root: the root has no finite gradient at 0.
        return values * jax.lax.rsqrt(jnp.maximum(square_norm, MIN_NORM**2))
