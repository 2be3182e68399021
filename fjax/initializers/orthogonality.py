"""The initializer of orthogonal matrices."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from fjax.initializers.initializer import RandomInitializer, finite_number
from fjax.typing import Array, Key, Shape


class Orthogonal(RandomInitializer):
    """A random orthogonal matrix, times `gain`.

    All axes but the last are flattened into the rows of a matrix. If it has at least as many rows
    as columns, its columns are orthonormal, otherwise its rows are. The matrices are uniformly
    distributed (Saxe et al., 2014, https://arxiv.org/abs/1312.6120).

    Args:
        gain: A factor.
        seed: An integer for reproducible values; None uses the key.

    Raises:
        ValueError: The requested shape has fewer than two axes.

    >>> matrix = Orthogonal()((4, 4), key=jax.random.key(1))
    >>> bool(jnp.allclose(matrix.T @ matrix, jnp.eye(4), atol=1e-5))
    True
    """

    gain: float = 1.0
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.gain = finite_number(self, "gain", self.gain)

    def check_shape(self, shape: Shape) -> None:
        """Raise ValueError unless there are two axes."""
        if len(shape) < 2:
            raise ValueError(f"`Orthogonal` needs a shape of at least two axes, received {shape}.")

    def sample(self, key: Key, shape: Shape, dtype: np.dtype) -> Array:
        """Return random values."""
        rows, columns = math.prod(shape[:-1]), shape[-1]
        # JAX has no QR decomposition in half precision.
        working_dtype = jnp.promote_types(dtype, jnp.float32)
        tall = (max(rows, columns), min(rows, columns))
        normal = jax.random.normal(key, tall, working_dtype)
        matrix, triangle = jnp.linalg.qr(normal)
        # The decomposition is unique if the triangle's diagonal is positive: only then are the
        # matrices uniformly distributed.
        signs = jnp.where(jnp.diagonal(triangle) < 0, -1.0, 1.0).astype(working_dtype)
        matrix = matrix * signs
        if rows < columns:
            matrix = matrix.T
        return (self.gain * matrix.reshape(shape)).astype(dtype)
