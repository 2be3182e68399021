"""Integers as layers take them, and their hashes, inside and outside of compiled programs."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.core.text import is_text, text_input_error
from fjax.layers.features.fingerprints import fingerprint64, siphash24
from fjax.typing import Array


def integers(owner: str, values: Any) -> Array:
    """Return values as int32; numbers with a fraction lose it, as a model's input may be float.

    Raises:
        TypeError: They are text.
        ValueError: They do not fit into 32 bits.

    >>> integers("IntegerLookup", np.array([1.0, -2.0])).tolist()
    [1, -2]
    """
    if is_text(values):
        raise text_input_error(owner, values)
    wide = isinstance(values, np.ndarray) and values.dtype.itemsize > 4 and values.size > 0
    if wide and (values.min() < -(2**31) or values.max() >= 2**31):
        raise ValueError(
            f"`{owner}` takes integers of 32 bits, received some from {values.min()} to "
            f"{values.max()}."
        )
    return jnp.asarray(values).astype(jnp.int32)


def bucket(text: str, count: int, salt: tuple[int, int] | None) -> int:
    """Return one of `count` numbers by the hash of a text.

    >>> [bucket(text, 3, None) for text in "ABCDE"]
    [1, 0, 1, 1, 2]
    """
    data = text.encode()
    return (fingerprint64(data) if salt is None else siphash24(data, salt)) % count


def hashed(values: Array, count: int, salt: tuple[int, int] | None) -> Array:
    """Return one of `count` numbers for each integer, by the hash of its digits.

    >>> hashed(jnp.array([0, 1, 2, 3, 4]), 3, None).tolist()
    [1, 0, 1, 0, 2]
    """

    def on_host(numbers: Any) -> np.ndarray:
        different, places = np.unique(np.asarray(numbers), return_inverse=True)
        buckets = [bucket(str(number), count, salt) for number in different.tolist()]
        return np.array(buckets, np.int32)[places].reshape(np.shape(numbers))

    return computed_on_host(on_host, jax.lax.stop_gradient(values))


def computed_on_host(function: Any, *values: Array) -> Array:
    """Return what a function of numpy arrays, element by element, makes of arrays, as int32."""
    if not any(isinstance(value, jax.core.Tracer) for value in values):
        return jnp.asarray(function(*values))
    spec = jax.ShapeDtypeStruct(values[0].shape, jnp.int32)
    return jax.pure_callback(function, spec, *values, vmap_method="broadcast_all")
