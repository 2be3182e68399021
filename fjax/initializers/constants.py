"""Initializers without random numbers."""

import jax.numpy as jnp
import numpy as np

from fjax.initializers.initializer import (
    Initializer,
    finite_number,
    resolve_shape,
    short_repr,
)
from fjax.typing import Array, DType, Key, Shape


class Constant(Initializer):
    """Set every entry to one number.

    Args:
        value: The number.

    Raises:
        ValueError: `value` is not a number, or is not an integer although the dtype is one.

    >>> print(Constant(2.5)((2,)))
    [2.5 2.5]
    """

    value: float = 0.0

    def __post_init__(self) -> None:
        value = self.value.item() if isinstance(self.value, np.generic) else self.value
        if not isinstance(value, bool | int | float):
            raise ValueError(
                f"`Constant`: `value` must be one number, received {short_repr(value)}. For an "
                "array of values, give a function `f(shape, dtype)` that returns it."
            )
        self.value = value

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return an array filled with the value."""
        shape, dtype = resolve_shape(self, shape, dtype)
        if jnp.issubdtype(dtype, jnp.integer) and not float(self.value).is_integer():
            raise ValueError(
                f"`{self!r}` cannot fill an array of {dtype.name}: its value is not an integer."
            )
        return jnp.full(shape, self.value, dtype)


class Zeros(Initializer):
    """Set every entry to 0.

    >>> print(Zeros()((2,), "int32"))
    [0 0]
    """

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return an array of zeros."""
        return jnp.zeros(*resolve_shape(self, shape, dtype))


class Ones(Initializer):
    """Set every entry to 1.

    >>> print(Ones()((2,)))
    [1. 1.]
    """

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return an array of ones."""
        return jnp.ones(*resolve_shape(self, shape, dtype))


class Identity(Initializer):
    """The identity matrix, times `gain`.

    Args:
        gain: The value on the main diagonal.

    Raises:
        ValueError: The requested shape does not have two axes.

    >>> print(Identity(2.0)((2, 3)))
    [[2. 0. 0.]
     [0. 2. 0.]]
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        self.gain = finite_number(self, "gain", self.gain)

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return the scaled identity matrix."""
        shape, dtype = resolve_shape(self, shape, dtype, floating=True)
        if len(shape) != 2:
            raise ValueError(f"`Identity` needs a shape with two axes, received {shape}.")
        return self.gain * jnp.eye(*shape, dtype=dtype)
