"""Orthogonal matrices."""

import math

import jax
import jax.numpy as jnp

from fjax.initializers.initializer import (
    Initializer,
    any_number,
    checked_seed,
    resolve_shape,
    source,
)
from fjax.typing import Array, DType, Key, Shape


class Orthogonal(Initializer):
    """A random orthogonal matrix, times `gain`.

    All axes but the last are taken as one. The columns of the matrix are orthonormal where it is
    at least as high as wide, the rows otherwise; every rotation is equally likely (Saxe et al.,
    2014, https://arxiv.org/abs/1312.6120).

    Args:
        gain: Factor.
        seed: An integer that fixes the draw; None draws from the key.

    Raises:
        ValueError: The shape asked for has fewer than two axes.

    >>> matrix = Orthogonal()((4, 4), key=jax.random.key(1))
    >>> bool(jnp.allclose(matrix.T @ matrix, jnp.eye(4), atol=1e-5))
    True
    """

    gain: float = 1.0
    seed: int | None = None

    def __post_init__(self) -> None:
        self.gain = any_number(self, "gain", self.gain)
        self.seed = checked_seed(self, self.seed)

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return a draw."""
        shape, dtype = resolve_shape(self, shape, dtype, floating=True)
        if len(shape) < 2:
            raise ValueError(f"`Orthogonal` needs a shape of at least two axes, received {shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        # The decomposition has no half precision form.
        working = jnp.promote_types(dtype, jnp.float32)
        tall = (max(rows, columns), min(rows, columns))
        normal = jax.random.normal(source(self.seed, key), tall, working)
        matrix, triangle = jnp.linalg.qr(normal)
        # With the triangle's diagonal made positive the decomposition is unique, the draw unbiased.
        matrix = matrix * jnp.where(jnp.diagonal(triangle) < 0, -1.0, 1.0).astype(working)
        if rows < columns:
            matrix = matrix.T
        return (self.gain * matrix.reshape(shape)).astype(dtype)
