"""How a layer draws a weight from whatever initializer it was given."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.typing import Array, DType, Key, Shape


def draw(
    initializer: Callable[..., Any], key: Key | None, shape: Shape, dtype: DType = jnp.float32
) -> Array:
    """Return the values that an initializer gives a weight; every layer calls this.

    Args:
        initializer: An initializer of this module or of `jax.nn.initializers`, called with the
            keywords `key`, `shape` and `dtype`; or a function without a parameter `key`, called as
            Keras does, `initializer(shape, dtype=dtype)`.
        key: What to draw from.
        shape: The weight's shape.
        dtype: The weight's floating type. A function may return another number type: its result
            is converted, as in Keras.

    Raises:
        TypeError: The function cannot be called so, or its result cannot be of that type.
        ValueError: The result has another shape.

    >>> print(draw(jax.nn.initializers.ones, jax.random.key(0), (2,)))
    [1. 1.]
    >>> draw(lambda shape, dtype=None: np.ones((2, 3)), None, (2,))
    Traceback (most recent call last):
        ...
    ValueError: The initializer `<lambda>` returned the shape (2, 3) for a weight of shape (2,).
    """
    try:
        signature = inspect.signature(initializer)
    except ValueError:  # Some functions written in C have none.
        values = initializer(shape, dtype=dtype)
    else:
        parameters = signature.parameters.values()
        if any(p.name == "key" or p.kind is p.VAR_KEYWORD for p in parameters):
            positional: tuple[Any, ...] = ()
            keywords = {"key": key, "shape": shape, "dtype": dtype}
        else:
            positional, keywords = (shape,), {"dtype": dtype}
        try:
            signature.bind(*positional, **keywords)
        except TypeError as error:
            raise TypeError(
                f"The initializer `{_name(initializer)}{signature}` cannot be called: {error}. "
                "Expected the parameters `(key, shape, dtype)` or `(shape, dtype=None)`."
            ) from None
        values = initializer(*positional, **keywords)
    dtype = jnp.dtype(dtype)
    if not isinstance(values, jax.Array):
        values = np.asarray(values)
    if values.dtype != dtype and not _holds(dtype, values.dtype):
        raise TypeError(
            f"The initializer `{_name(initializer)}` returned {values.dtype.name} for a weight of "
            f"{dtype.name}, which cannot hold it. Let it heed its argument `dtype`."
        )
    if values.shape != tuple(shape):
        raise ValueError(
            f"The initializer `{_name(initializer)}` returned the shape {values.shape} for a "
            f"weight of shape {tuple(shape)}."
        )
    return jnp.asarray(values, dtype)


def _holds(dtype: np.dtype, given: np.dtype) -> bool:
    """Tell whether a weight's dtype can hold another kind of number but for its rounding."""
    if jnp.issubdtype(given, jnp.complexfloating):
        return jnp.issubdtype(dtype, jnp.complexfloating)
    return jnp.issubdtype(dtype, jnp.inexact)


def _name(initializer: Any) -> str:
    return getattr(initializer, "__name__", None) or repr(initializer)
