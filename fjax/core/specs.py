"""Specs: the shapes and dtypes of values, which `init` takes in place of arrays."""

from typing import Any

import jax
import numpy as np

from fjax.core.text_inputs import STRING, is_text


def spec_of(value: Any) -> Any:
    """Return the shape of an array and the dtype in which JAX computes with it.

    The dtype of text is that of strings; a value without a shape is returned unchanged.

    >>> spec_of(np.zeros((2, 3), "float32")), spec_of(np.zeros(2)).dtype, spec_of(5)
    (ShapeDtypeStruct(shape=(2, 3), dtype=float32), dtype('float32'), 5)
    """
    if not hasattr(value, "shape"):
        return value
    shape = tuple(value.shape)
    if is_text(value):
        return jax.ShapeDtypeStruct(shape, STRING)
    dtype = value.dtype
    if isinstance(dtype, np.dtype):  # the dtype of a PRNG key is not a numpy dtype
        dtype = jax.dtypes.canonicalize_dtype(dtype)
    return jax.ShapeDtypeStruct(shape, dtype)
