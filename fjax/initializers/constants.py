"""Initializers without random numbers."""

from typing import Any

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
    """Set every entry to one number, or to the entries of an array.

    Args:
        value: The number, or an array (or nested list) that is broadcast to the shape.

    Raises:
        ValueError: `value` is neither, does not fit the shape, or is not an integer although the
            dtype is one.

    >>> print(Constant(2.5)((2,)))
    [2.5 2.5]
    """

    value: Any = 0.0

    def __post_init__(self) -> None:
        value = self.value
        if hasattr(value, "shape") or isinstance(value, list | tuple):
            array = np.array(value)
            value = array.item() if array.ndim == 0 else array
        is_array = isinstance(value, np.ndarray) and value.dtype.kind in "bifu" and value.size > 0
        if not is_array and not isinstance(value, bool | int | float):
            raise ValueError(
                "`Constant`: `value` must be a number or an array of numbers, received "
                f"{short_repr(self.value)}."
            )
        if is_array:
            value.flags.writeable = False
        self.value = value

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return an array filled with the value."""
        shape, dtype = resolve_shape(self, shape, dtype)
        if jnp.issubdtype(dtype, jnp.integer) and np.any(np.mod(self.value, 1)):
            raise ValueError(
                f"`{self!r}` cannot fill an array of {dtype.name}: its value is not an integer."
            )
        if np.ndim(self.value):
            try:
                return jnp.broadcast_to(jnp.asarray(self.value, dtype), shape)
            except ValueError:
                raise ValueError(
                    f"`Constant` has values of shape {self.value.shape}, which cannot fill a "
                    f"weight of shape {tuple(shape)}."
                ) from None
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
