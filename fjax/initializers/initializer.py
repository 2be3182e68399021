"""The base class of initializers, and checks of their arguments."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.configuration import Configured, is_as_defined
from fjax.errors import is_integer, is_number, seed_of
from fjax.initializers.shapes_only import wants_shape_only
from fjax.typing import Array, DType, Key, Shape


class Initializer(Configured):
    """Base class of initializers: a subclass lists its fields and defines `__call__`.

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
        """Return the initial value of a weight.

        Args:
            shape: The weight's shape.
            dtype: The weight's dtype; None means float32.
            key: A PRNG key; initializers without random numbers ignore it.
        """
        raise NotImplementedError(
            f"`{type(self).__name__}` must define `__call__(self, shape, dtype=None, *, key=None)`."
        )


class RandomInitializer(Initializer):
    """Base class of the initializers that draw random numbers.

    A subclass has the field `seed` and defines `sample`.
    """

    def __post_init__(self) -> None:
        initializer: Any = self
        if initializer.seed is not None:
            initializer.seed = seed_of(type(self).__name__, initializer.seed)

    def __call__(self, shape: Shape, dtype: DType = None, *, key: Key | None = None) -> Array:
        """Return random values; the seed counts more than the key, and without both it is 0."""
        shape, dtype = resolve_shape(self, shape, dtype, floating=True)
        self.check_shape(shape)
        if wants_shape_only() and is_as_defined(type(self)):
            return jnp.zeros(shape, dtype)
        seed = vars(self)["seed"]
        if seed is not None or key is None:
            # The same key as in Keras, so that a seed gives the same numbers.
            words = jnp.array([seed or 0, 0], jnp.uint32)
            key = jax.random.wrap_key_data(words, impl="threefry2x32")
        return self.sample(key, shape, dtype)

    def check_shape(self, shape: Shape) -> None:
        """Raise ValueError if there are no values of this shape."""

    def sample(self, key: Key, shape: Shape, dtype: np.dtype) -> Array:
        """Return random values of a shape and a floating dtype."""
        raise NotImplementedError(f"`{type(self).__name__}` defines no `sample`.")


def resolve_shape(
    initializer: Initializer, shape: Any, dtype: DType, *, floating: bool = False
) -> tuple[Shape, np.dtype]:
    """Return the shape as a tuple of ints, and the dtype.

    Raises:
        ValueError: The shape is not a tuple of integers, or the dtype is not floating although the
            initializer needs one that is.
    """
    name = type(initializer).__name__
    if not isinstance(shape, tuple | list) or not all(is_integer(d) and d >= 0 for d in shape):
        raise ValueError(
            f"`{name}`: a weight's shape must be a tuple of integers, received {shape!r}."
        )
    dtype = jnp.dtype(jnp.float32 if dtype is None else dtype)
    if floating and not jnp.issubdtype(dtype, jnp.floating):
        raise ValueError(f"`{name}` needs a floating dtype, received {dtype.name}.")
    return tuple(int(d) for d in shape), dtype


def check_axes(owner: str, argument: str, axes: Any) -> tuple[int, ...] | None:
    """Return axes as a tuple, or None, or raise unless they are a list of integers."""
    if axes is None:
        return None
    if not isinstance(axes, list | tuple) or not all(is_integer(axis) for axis in axes):
        raise ValueError(f"`{owner}`: `{argument}` must be a list of integers, received {axes!r}.")
    return tuple(int(axis) for axis in axes)


def finite_number(initializer: Initializer, argument: str, value: Any) -> float:
    """Return the value as a float, or raise unless it is a finite number."""
    if not is_number(value):
        raise ValueError(
            f"`{type(initializer).__name__}`: `{argument}` must be one finite number, "
            f"received {short_repr(value)}."
        )
    return float(value)


def short_repr(value: Any) -> str:
    """Return the repr of a value for an error message; of an array its shape only."""
    shape = getattr(value, "shape", None)
    return f"an array of shape {shape}" if shape is not None else repr(value)
