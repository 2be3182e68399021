"""Specs: the shapes and dtypes of values, which `init` takes in place of arrays."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.core.text_inputs import STRING, is_text
from fjax.typing import PyTree


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


def specs_of(weights: PyTree) -> PyTree:
    """Return the shapes and dtypes of weights in nested dicts, in the order of the dicts.

    >>> list(specs_of({"kernel": np.zeros((2, 3)), "bias": np.zeros(3)}))
    ['kernel', 'bias']
    """
    # `jax.tree.map` would sort the keys.
    if isinstance(weights, Mapping):
        return {name: specs_of(value) for name, value in weights.items()}
    return jax.ShapeDtypeStruct(np.shape(weights), weights.dtype)


def placeholder(spec: Any) -> Any:
    """Return zeros of a shape and dtype; for keys, equal keys."""
    if jax.dtypes.issubdtype(spec.dtype, jax.dtypes.prng_key):
        return jnp.broadcast_to(jax.random.key(0), spec.shape)
    return jnp.zeros(spec.shape, spec.dtype)
