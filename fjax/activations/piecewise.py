"""Activations in pieces, entry by entry: `relu` and its variants, hard sigmoids, shrinkage."""

import jax
import jax.numpy as jnp

from fjax import traits
from fjax.activations.arrays import as_array
from fjax.symbols import accepts_symbols
from fjax.typing import Array, ArrayLike


@traits.entrywise
@accepts_symbols
def linear(x: Array) -> Array:
    """Return `x` unchanged: the identity.

    >>> linear(3.0)
    3.0
    """
    return x


@traits.entrywise
@accepts_symbols
def relu(
    x: ArrayLike,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> Array:
    """Rectified linear unit: `max(x, 0)`.

    Args:
        x: Any shape.
        negative_slope: The slope below the threshold: `negative_slope * (x - threshold)`.
        max_value: The largest value to return; None means no limit.
        threshold: `x` is returned where it exceeds the threshold.

    >>> print(relu([-2.0, 0.5, 8.0]))
    [0.  0.5 8. ]
    >>> print(relu([-2.0, 0.5, 8.0], negative_slope=0.5, max_value=6.0, threshold=1.0))
    [-1.5  -0.25  6.  ]
    """
    x = as_array(x)
    if max_value is None and threshold == 0:
        return jax.nn.leaky_relu(x, negative_slope) if negative_slope else jax.nn.relu(x)
    if threshold != 0:
        passed = jnp.where(x > threshold, x, 0)
        if max_value is not None:
            passed = jnp.clip(passed, 0, max_value)
    # As in Keras, the gradient at 0 is 1/2 for `relu6` and 0 for any other `max_value`.
    elif max_value == 6:
        passed = jax.nn.relu6(x)
    else:
        passed = jnp.clip(jax.nn.relu(x), 0, max_value)
    return passed - negative_slope * jax.nn.relu(threshold - x) if negative_slope else passed


@traits.entrywise
@accepts_symbols
def relu6(x: ArrayLike) -> Array:
    """`min(max(x, 0), 6)`.

    >>> print(relu6([-1.0, 3.0, 9.0]))
    [0. 3. 6.]
    """
    return jax.nn.relu6(as_array(x))


@traits.entrywise
@accepts_symbols
def leaky_relu(x: ArrayLike, negative_slope: float = 0.2) -> Array:
    """`x` where it is positive, `negative_slope * x` elsewhere.

    The default slope is 0.2, as in Keras; that of `jax.nn.leaky_relu` is 0.01.

    >>> print(leaky_relu([-1.0, 1.0]))
    [-0.2  1. ]
    """
    return jax.nn.leaky_relu(as_array(x), negative_slope)


@traits.entrywise
@accepts_symbols
def threshold(x: ArrayLike, threshold: float, default_value: float) -> Array:
    """`x` where it is above `threshold`, else `default_value`.

    >>> print(threshold([-1.0, 1.0, 3.0], 1.0, 0.5))
    [0.5 0.5 3. ]
    """
    x = as_array(x)
    return jnp.where(x > threshold, x, default_value)


@traits.entrywise
@accepts_symbols
def hard_shrink(x: ArrayLike, threshold: float = 0.5) -> Array:
    """`x` where `|x| > threshold`, else 0.

    >>> print(hard_shrink([-1.0, 0.5, 2.0]))
    [-1.  0.  2.]
    """
    x = as_array(x)
    return jnp.where(jnp.abs(x) > threshold, x, 0.0)


@traits.entrywise
@accepts_symbols
def soft_shrink(x: ArrayLike, threshold: float = 0.5) -> Array:
    """`x` moved toward 0 by `threshold`, and 0 where `|x| <= threshold`.

    >>> print(soft_shrink([-1.0, 0.5, 2.0]))
    [-0.5  0.   1.5]
    """
    x = as_array(x)
    return jnp.where(x > threshold, x - threshold, jnp.where(x < -threshold, x + threshold, 0.0))


@traits.entrywise
@accepts_symbols
def hard_sigmoid(x: ArrayLike) -> Array:
    """`x / 6 + 0.5`, clipped to [0, 1].

    >>> print(hard_sigmoid([-4.0, 0.0, 1.5, 4.0]))
    [0.   0.5  0.75 1.  ]
    """
    return jax.nn.hard_sigmoid(as_array(x))


@traits.entrywise
@accepts_symbols
def hard_silu(x: ArrayLike) -> Array:
    """`x * hard_sigmoid(x)`, also named `hard_swish`.

    From Howard et al., 2019 (https://arxiv.org/abs/1905.02244).

    >>> print(hard_silu([-4.0, 1.5, 4.0]))
    [-0.     1.125  4.   ]
    """
    return jax.nn.hard_silu(as_array(x))


@traits.entrywise
@accepts_symbols
def hard_tanh(x: ArrayLike) -> Array:
    """`x`, clipped to [-1, 1].

    >>> print(hard_tanh([-3.0, 0.5, 3.0]))
    [-1.   0.5  1. ]
    """
    return jax.nn.hard_tanh(as_array(x))


@traits.entrywise
@accepts_symbols
def sparse_plus(x: ArrayLike) -> Array:
    """0 up to -1, `(x + 1)**2 / 4` from -1 to 1, `x` from 1 on: a softplus with exact zeros.

    >>> print(sparse_plus([-2.0, 0.0, 2.0]))
    [0.   0.25 2.  ]
    """
    return jax.nn.sparse_plus(as_array(x))


@traits.entrywise
@accepts_symbols
def sparse_sigmoid(x: ArrayLike) -> Array:
    """`(x + 1) / 2`, clipped to [0, 1].

    From Blondel et al., 2019 (https://arxiv.org/abs/1901.02324).

    >>> print(sparse_sigmoid([-2.0, 0.5, 2.0]))
    [0.   0.75 1.  ]
    """
    return jax.nn.sparse_sigmoid(as_array(x))
