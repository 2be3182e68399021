"""Activations: plain functions of one array, with Keras's names, arguments and numbers.

Each returns an array of the shape and the floating type of `x`; a Python list of numbers is taken
too. A gradient at a kink is the one that Keras's JAX backend gives.
"""

import jax
import jax.numpy as jnp

from fjax import traits
from fjax.registry import Registry
from fjax.typing import ActivationFunction, Array, ArrayLike, Identifier


@traits.entrywise
def celu(x: ArrayLike, alpha: float = 1.0) -> Array:
    """Continuously differentiable exponential linear unit.

    `x` where it is positive, `alpha * (exp(x / alpha) - 1)` elsewhere (Barron, 2017,
    https://arxiv.org/abs/1704.07483).

    >>> print(celu([-2.0, 0.0, 2.0], alpha=2.0))
    [-1.264... 0. 2. ]
    """
    return jax.nn.celu(_array(x), alpha)


@traits.entrywise
def elu(x: ArrayLike, alpha: float = 1.0) -> Array:
    """Exponential linear unit.

    `x` where it is positive, `alpha * (exp(x) - 1)` elsewhere (Clevert et al., 2016,
    https://arxiv.org/abs/1511.07289).

    >>> print(elu([-1.0, 0.0, 1.0]))
    [-0.632... 0. 1. ]
    """
    return jax.nn.elu(_array(x), alpha)


@traits.entrywise
def exponential(x: ArrayLike) -> Array:
    """`exp(x)`.

    >>> print(exponential([0.0, 1.0]))
    [1. 2.718...]
    """
    return jnp.exp(_array(x))


@traits.entrywise
def gelu(x: ArrayLike, approximate: bool = False) -> Array:
    """Gaussian error linear unit (Hendrycks & Gimpel, 2016, https://arxiv.org/abs/1606.08415).

    `x * P(X <= x)` for a standard normal `X`.

    Args:
        x: Any shape.
        approximate: Whether to replace the normal distribution by its `tanh` approximation.
            `jax.nn.gelu` approximates by default; this, as Keras, does not.

    >>> print(gelu([-1.0, 0.0, 1.0]))
    [-0.158... 0. 0.841...]
    """
    return jax.nn.gelu(_array(x), approximate)


@traits.rows_independent
def glu(x: ArrayLike, axis: int = -1) -> Array:
    """Gated linear unit (Dauphin et al., 2017, https://arxiv.org/abs/1612.08083).

    `a * sigmoid(b)`, where `a` and `b` are the halves of `x` along `axis`; the result has half as
    many entries there.

    Raises:
        ValueError: The axis has an odd size.

    >>> print(glu([1.0, 2.0, 0.0, 0.0]))
    [0.5 1. ]
    """
    x = _array(x)
    if x.shape[axis] % 2:
        raise ValueError(
            f"`glu` splits its input in two halves: the size of axis {axis} must be even, "
            f"received an input of shape {x.shape}."
        )
    return jax.nn.glu(x, axis)


@traits.entrywise
def hard_shrink(x: ArrayLike, threshold: float = 0.5) -> Array:
    """`x` where `|x| > threshold`, else 0.

    >>> print(hard_shrink([-1.0, 0.5, 2.0]))
    [-1.  0.  2.]
    """
    x = _array(x)
    return jnp.where(jnp.abs(x) > threshold, x, 0.0)


@traits.entrywise
def hard_sigmoid(x: ArrayLike) -> Array:
    """The straight line `x / 6 + 0.5`, cut off below 0 and above 1.

    >>> print(hard_sigmoid([-4.0, 0.0, 1.5, 4.0]))
    [0.   0.5  0.75 1.  ]
    """
    return jax.nn.hard_sigmoid(_array(x))


@traits.entrywise
def hard_silu(x: ArrayLike) -> Array:
    """`x * hard_sigmoid(x)`, also named `hard_swish`.

    From Howard et al., 2019 (https://arxiv.org/abs/1905.02244).

    >>> print(hard_silu([-4.0, 1.5, 4.0]))
    [-0.     1.125  4.   ]
    """
    return jax.nn.hard_silu(_array(x))


@traits.entrywise
def hard_tanh(x: ArrayLike) -> Array:
    """`x`, cut off below -1 and above 1.

    >>> print(hard_tanh([-3.0, 0.5, 3.0]))
    [-1.   0.5  1. ]
    """
    return jax.nn.hard_tanh(_array(x))


@traits.entrywise
def leaky_relu(x: ArrayLike, negative_slope: float = 0.2) -> Array:
    """`x` where it is positive, `negative_slope * x` elsewhere.

    The slope is Keras's 0.2; `jax.nn.leaky_relu` has 0.01.

    >>> print(leaky_relu([-1.0, 1.0]))
    [-0.2  1. ]
    """
    return jax.nn.leaky_relu(_array(x), negative_slope)


@traits.entrywise
def linear(x: Array) -> Array:
    """Return `x` itself: what no activation means.

    >>> linear(3.0)
    3.0
    """
    return x


@traits.entrywise
def log_sigmoid(x: ArrayLike) -> Array:
    """`log(sigmoid(x))`, exact where the sigmoid itself would round to 0 or 1.

    >>> print(log_sigmoid([-200.0, 0.0]))
    [-200. -0.693...]
    """
    return jax.nn.log_sigmoid(_array(x))


@traits.rows_independent
def log_softmax(x: ArrayLike, axis: int | tuple[int, ...] = -1) -> Array:
    """`log(softmax(x))` along `axis`, exact where a probability would round to 0.

    >>> print(log_softmax([0.0, 200.0]))
    [-200.    0.]
    """
    return jax.nn.log_softmax(_array(x), axis)


@traits.entrywise
def mish(x: ArrayLike) -> Array:
    """`x * tanh(softplus(x))` (Misra, 2019, https://arxiv.org/abs/1908.08681).

    >>> print(mish([-1.0, 0.0, 1.0]))
    [-0.303... 0. 0.865...]
    """
    return jax.nn.mish(_array(x))


@traits.entrywise
def relu(
    x: ArrayLike,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> Array:
    """Rectified linear unit: `max(x, 0)`.

    Args:
        x: Any shape.
        negative_slope: Slope below the threshold: `negative_slope * (x - threshold)`.
        max_value: The largest value to return; None is no limit.
        threshold: What `x` must exceed to pass.

    >>> print(relu([-2.0, 0.5, 8.0]))
    [0.  0.5 8. ]
    >>> print(relu([-2.0, 0.5, 8.0], negative_slope=0.5, max_value=6.0, threshold=1.0))
    [-1.5  -0.25  6.  ]
    """
    x = _array(x)
    if max_value is None and threshold == 0:
        return jax.nn.leaky_relu(x, negative_slope) if negative_slope else jax.nn.relu(x)
    if threshold != 0:
        passed = jnp.where(x > threshold, x, 0)
        if max_value is not None:
            passed = jnp.clip(passed, 0, max_value)
    # At exactly 0 the slope of `relu6` is 1/2, that of any other capped relu 0: so it is in Keras.
    elif max_value == 6:
        passed = jax.nn.relu6(x)
    else:
        passed = jnp.clip(jax.nn.relu(x), 0, max_value)
    return passed - negative_slope * jax.nn.relu(threshold - x) if negative_slope else passed


@traits.entrywise
def relu6(x: ArrayLike) -> Array:
    """`min(max(x, 0), 6)`.

    >>> print(relu6([-1.0, 3.0, 9.0]))
    [0. 3. 6.]
    """
    return jax.nn.relu6(_array(x))


@traits.entrywise
def selu(x: ArrayLike) -> Array:
    """Scaled exponential linear unit (Klambauer et al., 2017, https://arxiv.org/abs/1706.02515).

    `1.0507 * elu(x, 1.6733)`: with `LecunNormal` weights it keeps mean 0 and variance 1 from layer
    to layer.

    >>> print(selu([-1.0, 0.0, 1.0]))
    [-1.111... 0. 1.050...]
    """
    return jax.nn.selu(_array(x))


@traits.entrywise
def sigmoid(x: ArrayLike) -> Array:
    """`1 / (1 + exp(-x))`.

    >>> print(sigmoid([-1.0, 0.0, 1.0]))
    [0.268... 0.5 0.731...]
    """
    return jax.nn.sigmoid(_array(x))


@traits.entrywise
def silu(x: ArrayLike) -> Array:
    """`x * sigmoid(x)`, also named `swish`.

    From Ramachandran et al., 2017 (https://arxiv.org/abs/1710.05941).

    >>> print(silu([-1.0, 0.0, 1.0]))
    [-0.268... 0. 0.731...]
    """
    return jax.nn.silu(_array(x))


@traits.entrywise
def soft_shrink(x: ArrayLike, threshold: float = 0.5) -> Array:
    """`x` moved towards 0 by `threshold`, and 0 where it is nearer to 0 than that.

    >>> print(soft_shrink([-1.0, 0.5, 2.0]))
    [-0.5  0.   1.5]
    """
    x = _array(x)
    return jnp.where(x > threshold, x - threshold, jnp.where(x < -threshold, x + threshold, 0.0))


@traits.rows_independent
def softmax(x: ArrayLike, axis: int | tuple[int, ...] = -1) -> Array:
    """`exp(x) / sum(exp(x))` along `axis`: positive numbers that sum to 1.

    >>> print(softmax([0.0, 0.0]))
    [0.5 0.5]
    """
    return jax.nn.softmax(_array(x), axis)


@traits.entrywise
def softplus(x: ArrayLike) -> Array:
    """`log(exp(x) + 1)`, without overflow.

    >>> print(softplus([-200.0, 0.0, 200.0]))
    [ 0. 0.693... 200. ]
    """
    return jax.nn.softplus(_array(x))


@traits.entrywise
def softsign(x: ArrayLike) -> Array:
    """`x / (|x| + 1)`.

    >>> print(softsign([-1.0, 0.0, 3.0]))
    [-0.5   0.    0.75]
    """
    return jax.nn.soft_sign(_array(x))


@traits.entrywise
def sparse_plus(x: ArrayLike) -> Array:
    """0 up to -1, `(x + 1)**2 / 4` between, `x` from 1 on: a softplus with exact zeros.

    >>> print(sparse_plus([-2.0, 0.0, 2.0]))
    [0.   0.25 2.  ]
    """
    return jax.nn.sparse_plus(_array(x))


@traits.entrywise
def sparse_sigmoid(x: ArrayLike) -> Array:
    """0 up to -1, `(x + 1) / 2` between, 1 from 1 on.

    From Blondel et al., 2019 (https://arxiv.org/abs/1901.02324).

    >>> print(sparse_sigmoid([-2.0, 0.5, 2.0]))
    [0.   0.75 1.  ]
    """
    return jax.nn.sparse_sigmoid(_array(x))


@traits.rows_independent
def sparsemax(x: ArrayLike, axis: int = -1) -> Array:
    """The nearest point to `x` among the vectors of non-negative numbers that sum to 1.

    Like a softmax, but the small entries become exactly 0: `max(x - tau, 0)` with the one `tau`
    that makes the sum 1 (Martins & Astudillo, 2016, https://arxiv.org/abs/1602.02068).

    Keras 3.15.1 finds a `tau` that is too large where more than one entry stays, and its result
    then does not sum to 1; this is the paper's.

    >>> print(sparsemax([1.0, 0.75, -1.0]))
    [0.625 0.375 0.   ]
    """
    x = _array(x)
    # The result does not depend on a common shift; from the largest entry on, the sums stay exact.
    shifted = x - jax.lax.stop_gradient(jnp.max(x, axis=axis, keepdims=True))
    descending = jnp.flip(jnp.sort(shifted, axis=axis), axis=axis)
    sums = jnp.cumsum(descending, axis=axis)
    along = [1] * x.ndim
    along[axis] = -1
    counts = jnp.arange(1, x.shape[axis] + 1).astype(sums.dtype).reshape(along)
    count = jnp.sum(counts * descending > sums - 1, axis=axis, keepdims=True)
    kept = jnp.take_along_axis(sums, count - 1, axis=axis)
    tau = (kept - 1) / count.astype(sums.dtype)
    return jax.nn.relu(shifted - tau)


@traits.entrywise
def squareplus(x: ArrayLike, b: float = 4) -> Array:
    """`(x + sqrt(x**2 + b)) / 2` (Barron, 2021, https://arxiv.org/abs/2112.11687).

    Args:
        x: Any shape.
        b: Smoothness; 4 resembles softplus, 0 is relu.

    >>> print(squareplus([-1.0, 0.0, 1.0]))
    [0.618... 1. 1.618...]
    """
    return jax.nn.squareplus(_array(x), b)


@traits.entrywise
def tanh(x: ArrayLike) -> Array:
    """Hyperbolic tangent.

    >>> print(tanh([-1.0, 0.0, 1.0]))
    [-0.761... 0. 0.761...]
    """
    return jnp.tanh(_array(x))


@traits.entrywise
def tanh_shrink(x: ArrayLike) -> Array:
    """`x - tanh(x)`.

    >>> print(tanh_shrink([-1.0, 0.0, 1.0]))
    [-0.238... 0. 0.238...]
    """
    x = _array(x)
    return x - jnp.tanh(x)


@traits.entrywise
def threshold(x: ArrayLike, threshold: float, default_value: float) -> Array:
    """`x` where it is above `threshold`, else `default_value`.

    >>> print(threshold([-1.0, 1.0, 3.0], 1.0, 0.5))
    [0.5 0.5 3. ]
    """
    x = _array(x)
    return jnp.where(x > threshold, x, default_value)


hard_swish = hard_silu
swish = silu

REGISTRY = Registry(
    "activation",
    [
        celu,
        elu,
        exponential,
        gelu,
        glu,
        hard_shrink,
        hard_sigmoid,
        hard_silu,
        hard_tanh,
        leaky_relu,
        linear,
        log_sigmoid,
        log_softmax,
        mish,
        relu,
        relu6,
        selu,
        sigmoid,
        silu,
        soft_shrink,
        softmax,
        softplus,
        softsign,
        sparse_plus,
        sparse_sigmoid,
        sparsemax,
        squareplus,
        tanh,
        tanh_shrink,
        threshold,
    ],
    {"hard_swish": hard_silu, "swish": silu},
)


def get(identifier: Identifier) -> ActivationFunction:
    """Return the activation that an identifier means.

    Args:
        identifier: A name, a function of one array, or None, which means `linear`.

    Raises:
        ValueError: The name is unknown; the nearest known one is suggested.
        TypeError: The identifier is neither a name nor callable.

    >>> get("relu").__name__, get(None).__name__, get(jnp.sin) is jnp.sin
    ('relu', 'linear', True)
    """
    return linear if identifier is None else REGISTRY.get(identifier)


def _array(x: ArrayLike) -> Array:
    return x if isinstance(x, jax.Array) else jnp.asarray(x)
