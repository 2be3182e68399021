"""The base of the initializers, and the checks that they share."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.configuration import Configured
from fjax.errors import is_integer, is_number, seed_of
from fjax.typing import Array, DType, Key, Shape


class Initializer(Configured):
    """Base of the initializers; a subclass lists its fields and defines `__call__`.

    >>> import math
    >>> class Countdown(Initializer):
    ...     start: float = 3.0
    ...
    ...     def __call__(self, shape, dtype=None, *, key=None):
    ...         return self.start - jnp.arange(math.prod(shape), dtype=dtype).reshape(shape)
    >>> print(Countdown()((3,)))
    [3. 2. 1.]
    """

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return the values of a weight.

        Args:
            shape: The weight's shape.
            dtype: Its element type; None is float32.
            key: What to draw from; an initializer that draws nothing ignores it.
        """
        raise NotImplementedError(
            f"`{type(self).__name__}` must define `__call__(self, shape, dtype=None, *, key=None)`."
        )


def resolve_shape(
    initializer: Initializer, shape: Any, dtype: DType, *, floating: bool = False
) -> tuple[Shape, np.dtype]:
    """Return a weight's shape and dtype as plain values, or raise for what cannot be one."""
    name = type(initializer).__name__
    if not isinstance(shape, tuple | list) or not all(is_integer(d) and d >= 0 for d in shape):
        raise ValueError(
            f"`{name}`: a weight's shape must be a tuple of whole numbers, received {shape!r}."
        )
    dtype = jnp.dtype(jnp.float32 if dtype is None else dtype)
    if floating and not jnp.issubdtype(dtype, jnp.floating):
        raise ValueError(f"`{name}` makes floating numbers only, asked for {dtype.name}.")
    return tuple(int(d) for d in shape), dtype


def source(seed: int | None, key: Key | None) -> Key:
    """Return what to draw from: the seed if there is one, else the key, else the seed 0."""
    if seed is None and key is not None:
        return key
    # The words of Keras's key: the same seed draws the same numbers there and here.
    words = jnp.array([seed or 0, 0], jnp.uint32)
    return jax.random.wrap_key_data(words, impl="threefry2x32")


def checked_seed(initializer: Initializer, seed: Any) -> int | None:
    """Return a seed that JAX takes as it is, or raise; None draws from the key."""
    return None if seed is None else seed_of(type(initializer).__name__, seed)


def checked_axes(owner: str, argument: str, axes: Any) -> tuple[int, ...] | None:
    """Return axes as a tuple, or raise."""
    if axes is None:
        return None
    if not isinstance(axes, list | tuple) or not all(is_integer(axis) for axis in axes):
        raise ValueError(f"`{owner}`: `{argument}` must be a list of integers, received {axes!r}.")
    return tuple(int(axis) for axis in axes)


def any_number(initializer: Initializer, argument: str, value: Any) -> float:
    """Return one finite number, or raise."""
    if not is_number(value):
        raise ValueError(
            f"`{type(initializer).__name__}`: `{argument}` must be one finite number, "
            f"received {short(value)}."
        )
    return float(value)


def short(value: Any) -> str:
    """Return a value as an error message shows it: an array by its shape."""
    shape = getattr(value, "shape", None)
    return f"an array of shape {shape}" if shape is not None else repr(value)
