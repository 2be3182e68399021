"""Activations along an axis: softmax, sparsemax and the gated linear unit."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from fjax import traits
from fjax.activations.arrays import as_array
from fjax.symbols import accepts_symbols
from fjax.typing import Array, ArrayLike


@traits.rows_independent
@accepts_symbols
def glu(x: ArrayLike, axis: int = -1) -> Array:
    """Gated linear unit (Dauphin et al., 2017, https://arxiv.org/abs/1612.08083).

    `a * sigmoid(b)`, where `a` and `b` are the halves of `x` along `axis`. The result has half the
    size of `x` along that axis.


    Raises:
        ValueError: The axis has an odd size.

    >>> print(glu([1.0, 2.0, 0.0, 0.0]))
    [0.5 1. ]
    """
    x = as_array(x)
    if x.shape[axis] % 2:
        raise ValueError(
            f"`glu` splits its input into two halves: the size of axis {axis} must be even, "
            f"received an input of shape {x.shape}."
        )
    return jax.nn.glu(x, axis)


@traits.rows_independent
@accepts_symbols
def log_softmax(x: ArrayLike, axis: int | tuple[int, ...] = -1) -> Array:
    """`log(softmax(x))` along `axis`, accurate even where a probability would round to 0.

    >>> print(log_softmax([0.0, 200.0]))
    [-200.    0.]
    """
    return _at_least_in_float32(jax.nn.log_softmax, as_array(x), axis)


@traits.rows_independent
@accepts_symbols
def softmax(x: ArrayLike, axis: int | tuple[int, ...] = -1) -> Array:
    """`exp(x) / sum(exp(x))` along `axis`: positive numbers that sum to 1.

    >>> print(softmax([0.0, 0.0]))
    [0.5 0.5]
    """
    return _at_least_in_float32(jax.nn.softmax, as_array(x), axis)


@traits.rows_independent
@accepts_symbols
def sparsemax(x: ArrayLike, axis: int = -1) -> Array:
    """The nearest point to `x` among the vectors of non-negative numbers that sum to 1.

    Like a softmax, but small entries become exactly 0: `max(x - tau, 0)`, where `tau` makes the sum
    1 (Martins & Astudillo, 2016, https://arxiv.org/abs/1602.02068).

    Keras 3.15.1 differs: if more than one entry is positive, its `tau` is too large and its result
    does not sum to 1. This is the paper's form.

    >>> print(sparsemax([1.0, 0.75, -1.0]))
    [0.625 0.375 0.   ]
    """
    x = as_array(x)
    # A shift of all entries does not change the result. With the largest entry at 0 the cumulative
    # sums do not lose digits.
    shifted = x - jax.lax.stop_gradient(jnp.max(x, axis=axis, keepdims=True))
    descending = jnp.flip(jnp.sort(shifted, axis=axis), axis=axis)
    sums = jnp.cumsum(descending, axis=axis)
    axis_shape = [1] * x.ndim
    axis_shape[axis] = -1
    ranks = jnp.arange(1, x.shape[axis] + 1).astype(sums.dtype).reshape(axis_shape)
    positive_count = jnp.sum(ranks * descending > sums - 1, axis=axis, keepdims=True)
    positive_sum = jnp.take_along_axis(sums, positive_count - 1, axis=axis)
    tau = (positive_sum - 1) / positive_count.astype(sums.dtype)
    return jax.nn.relu(shifted - tau)


def _at_least_in_float32(
    function: Callable[..., Array], x: Array, axis: int | tuple[int, ...]
) -> Array:
    """Return `function(x, axis)` in the dtype of `x`; half precision is too narrow for its sums."""
    if x.dtype in (jnp.float16, jnp.bfloat16):
        return function(x.astype(jnp.float32), axis).astype(x.dtype)
    return function(x, axis)
