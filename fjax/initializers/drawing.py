"""Call any kind of initializer for the initial value of a weight."""

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
    """Return the initial value of a weight; all layers call this.

    Args:
        initializer: An initializer of fjax or of `jax.nn.initializers`, called with the keywords
            `key`, `shape` and `dtype`; or a function without a parameter `key`, called as in Keras:
            `initializer(shape, dtype=dtype)`.
        key: A PRNG key.
        shape: The weight's shape.
        dtype: The weight's floating dtype. As in Keras, a result of another numeric dtype is
            converted.

    Raises:
        TypeError: The function does not accept these arguments, or its result cannot be converted.
        ValueError: The result has another shape.

    >>> print(draw(jax.nn.initializers.ones, jax.random.key(0), (2,)))
    [1. 1.]
    >>> draw(lambda shape, dtype=None: np.ones((2, 3)), None, (2,))
    Traceback (most recent call last):
        ...
    ValueError: The initializer `<lambda>` returned the shape (2, 3) for a weight of shape (2,).
    """
    values = _call(initializer, key, shape, dtype)
    dtype = jnp.dtype(dtype)
    if not isinstance(values, jax.Array):
        values = np.asarray(values)
    if values.dtype != dtype and not _can_convert(values.dtype, dtype):
        raise TypeError(
            f"The initializer `{_name(initializer)}` returned {values.dtype.name} for a weight of "
            f"{dtype.name}, which cannot hold it. Return an array of its argument `dtype`."
        )
    if values.shape != tuple(shape):
        raise ValueError(
            f"The initializer `{_name(initializer)}` returned the shape {values.shape} for a "
            f"weight of shape {tuple(shape)}."
        )
    return jnp.asarray(values, dtype)


def _call(initializer: Callable[..., Any], key: Key | None, shape: Shape, dtype: DType) -> Any:
    try:
        signature = inspect.signature(initializer)
    except ValueError:  # Some functions written in C have no signature.
        return initializer(shape, dtype=dtype)
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
    return initializer(*positional, **keywords)


def _can_convert(source: np.dtype, target: np.dtype) -> bool:
    """Tell whether converting to the target dtype changes numbers by rounding only."""
    if jnp.issubdtype(source, jnp.complexfloating):
        return jnp.issubdtype(target, jnp.complexfloating)
    return jnp.issubdtype(target, jnp.inexact)


def _name(initializer: Any) -> str:
    return getattr(initializer, "__name__", None) or repr(initializer)
