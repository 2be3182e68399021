"""The shape and dtype of a value, as a layer's `init` takes them."""

from typing import Any

import jax
import numpy as np

from fjax.core.text import STRING, is_text


def spec_of(value: Any) -> Any:
    """Return the shape and dtype of an array, with the dtype that JAX computes in.

    Text has the dtype of strings; a value without a shape is returned as it is.

    >>> spec_of(np.zeros((2, 3), "float32")), spec_of(np.zeros(2)).dtype, spec_of(5)
    (ShapeDtypeStruct(shape=(2, 3), dtype=float32), dtype('float32'), 5)
    """
    if not hasattr(value, "shape"):
        return value
    shape = tuple(value.shape)
    if is_text(value):
        return jax.ShapeDtypeStruct(shape, STRING)
    dtype = value.dtype
    if isinstance(dtype, np.dtype):  # a PRNG key has a dtype of its own
        dtype = jax.dtypes.canonicalize_dtype(dtype)
    return jax.ShapeDtypeStruct(shape, dtype)
