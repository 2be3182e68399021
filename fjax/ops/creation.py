"""Operations of `keras.ops.numpy` that make arrays: constants, ranges, windows, matrices."""

# ruff: noqa: E501

from typing import Any

import jax.numpy as jnp

from fjax.config import floatx
from fjax.ops.definition import UNARY, OperationTable
from fjax.typing import Array

op = OperationTable(__name__)

_RANGE = "start: Array, stop: Array, num=50, endpoint=True"

# Each line is an operation: the function, its parameters, its docstring. Without a dtype, an array
# is float32, or has the dtype of `x`.
# fmt: off
zeros_like = op.entrywise(jnp.zeros_like, "x: Array, dtype=None", "Zeros in the shape of `x`.")
ones_like = op.entrywise(jnp.ones_like, "x: Array, dtype=None", "Ones in the shape of `x`.")
empty_like = op.entrywise(jnp.zeros_like, "x: Array, dtype=None", "Zeros in the shape of `x`, as `zeros_like`.", "empty_like")
full_like = op(jnp.full_like, "x: Array, fill_value: Array, dtype=None", "An array in the shape of `x`, filled with a value.")
linspace = op(jnp.linspace, f"{_RANGE}, retstep=False, dtype=None, axis=0", "`num` numbers from `start` to `stop` in equal steps.")
logspace = op(jnp.logspace, f"{_RANGE}, base=10, dtype=None, axis=0", "`num` numbers from `base**start` to `base**stop` in equal ratios.")
geomspace = op(jnp.geomspace, f"{_RANGE}, dtype=None, axis=0", "`num` numbers from `start` to `stop` in equal ratios.")
vander = op(jnp.vander, "x: Array, N=None, increasing=False", "Vandermonde matrix: the powers of `x` as columns.")
meshgrid = op(lambda *x, indexing: jnp.meshgrid(*x, indexing=indexing), "*x: Array, indexing='xy'", "Coordinates of a grid, one array for each axis.", "meshgrid")
bartlett = op(lambda x: _window(jnp.bartlett, x), UNARY, "Bartlett window of `x` points.", "bartlett")
blackman = op(lambda x: _window(jnp.blackman, x), UNARY, "Blackman window of `x` points.", "blackman")
hamming = op(lambda x: _window(jnp.hamming, x), UNARY, "Hamming window of `x` points.", "hamming")
hanning = op(lambda x: _window(jnp.hanning, x), UNARY, "Hann window of `x` points.", "hanning")
kaiser = op(lambda x, beta: _window(jnp.kaiser, x, beta), "x: Array, beta: Array", "Kaiser window of `x` points with the shape parameter `beta`.", "kaiser")
# fmt: on


def _window(function: Any, x: Array, *options: Any) -> Array:
    return function(int(x), *options).astype("float32")


def _sizes(operation: str, shape: Any) -> Any:
    if isinstance(shape, list | tuple) and None in shape:
        raise ValueError(
            f"`{operation}`: the shape {tuple(shape)} has an axis of unknown size. Use "
            f"`{operation}_like(tensor)`, or write this within the `call` of a layer, where the "
            "sizes are known."
        )
    return shape


@op.define
def array(x: Any, dtype: Any = None) -> Array:
    """Return numbers, lists of numbers or an array as a new array."""
    return jnp.array(x, dtype=dtype)


@op.define
def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Array:
    """Return the numbers from `start` to below `stop` in steps; from 0 if `stop` is None."""
    return jnp.arange(start, stop, step, dtype=dtype)


@op.define
def zeros(shape: Any, dtype: Any = None) -> Array:
    """Return an array of zeros."""
    return jnp.zeros(_sizes("zeros", shape), dtype or floatx())


@op.define
def ones(shape: Any, dtype: Any = None) -> Array:
    """Return an array of ones."""
    return jnp.ones(_sizes("ones", shape), dtype or floatx())


@op.define
def empty(shape: Any, dtype: Any = None) -> Array:
    """Return an array of zeros, as `zeros`."""
    return jnp.zeros(_sizes("empty", shape), dtype or floatx())


@op.define
def full(shape: Any, fill_value: Array, dtype: Any = None) -> Array:
    """Return an array that is filled with a value."""
    return jnp.full(_sizes("full", shape), fill_value, dtype or floatx())


@op.define
def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Array:  # noqa: N803
    """Return a matrix of `N` rows and `M` columns with ones on the `k`-th diagonal."""
    return jnp.eye(N, M, k, dtype or floatx())


@op.define
def identity(n: int, dtype: Any = None) -> Array:
    """Return a square matrix with ones on the diagonal."""
    return jnp.identity(n, dtype or floatx())


@op.define
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Array:  # noqa: N803
    """Return a matrix of `N` rows and `M` columns with ones up to the `k`-th diagonal."""
    return jnp.tri(N, M, k, dtype or floatx())


__all__ = op.names
