"""Integers as inputs of layers, and their hashes, inside and outside of compiled programs."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.core.text_inputs import is_text, text_input_error
from fjax.layers.features.fingerprints import fingerprint64, siphash24
from fjax.typing import Array


def to_int32(owner: str, values: Any) -> Array:
    """Return values as int32. Fractions are cut off, because model inputs may be floats.

    Raises:
        TypeError: The values are text.
        ValueError: A value does not fit in 32 bits.

    >>> to_int32("IntegerLookup", np.array([1.0, -2.0])).tolist()
    [1, -2]
    """
    if is_text(values):
        raise text_input_error(owner, values)
    is_wide = isinstance(values, np.ndarray) and values.dtype.itemsize > 4 and values.size > 0
    if is_wide and (values.min() < -(2**31) or values.max() >= 2**31):
        raise ValueError(
            f"`{owner}` takes integers of 32 bits, received values from {values.min()} to "
            f"{values.max()}."
        )
    return jnp.asarray(values).astype(jnp.int32)


def hash_text(text: str, num_bins: int, salt: tuple[int, int] | None) -> int:
    """Return the bin of a text: FarmHash's Fingerprint64, or SipHash with a salt, modulo bins.

    >>> [hash_text(text, 3, None) for text in "ABCDE"]
    [1, 0, 1, 1, 2]
    """
    data = text.encode()
    return (fingerprint64(data) if salt is None else siphash24(data, salt)) % num_bins


def hash_integers(values: Array, num_bins: int, salt: tuple[int, int] | None) -> Array:
    """Return the bin of each integer, by the hash of its decimal digits.

    >>> hash_integers(jnp.array([0, 1, 2, 3, 4]), 3, None).tolist()
    [1, 0, 1, 0, 2]
    """

    def hash_array(numbers: Any) -> np.ndarray:
        unique, inverse = np.unique(np.asarray(numbers), return_inverse=True)
        bins = [hash_text(str(number), num_bins, salt) for number in unique.tolist()]
        return np.array(bins, np.int32)[inverse].reshape(np.shape(numbers))

    return call_on_host(hash_array, jax.lax.stop_gradient(values))


def call_on_host(function: Callable[..., np.ndarray], *values: Array) -> Array:
    """Return the int32 result of an elementwise numpy function, also in a compiled program."""
    if not any(isinstance(value, jax.core.Tracer) for value in values):
        return jnp.asarray(function(*values))
    spec = jax.ShapeDtypeStruct(values[0].shape, jnp.int32)
    return jax.pure_callback(function, spec, *values, vmap_method="broadcast_all")
