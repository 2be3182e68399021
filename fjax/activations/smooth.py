"""Smooth activations, entry by entry: exponential, sigmoid and Gaussian units."""

import jax
import jax.numpy as jnp

from fjax import traits
from fjax.activations.arrays import as_array
from fjax.symbols import accepts_symbols
from fjax.typing import Array, ArrayLike


@traits.entrywise
@accepts_symbols
def celu(x: ArrayLike, alpha: float = 1.0) -> Array:
    """Continuously differentiable exponential linear unit.

    `x` where it is positive, `alpha * (exp(x / alpha) - 1)` elsewhere (Barron, 2017,
    https://arxiv.org/abs/1704.07483).

    >>> print(celu([-2.0, 0.0, 2.0], alpha=2.0))
    [-1.264... 0. 2. ]
    """
    return jax.nn.celu(as_array(x), alpha)


@traits.entrywise
@accepts_symbols
def elu(x: ArrayLike, alpha: float = 1.0) -> Array:
    """Exponential linear unit.

    `x` where it is positive, `alpha * (exp(x) - 1)` elsewhere (Clevert et al., 2016,
    https://arxiv.org/abs/1511.07289).

    >>> print(elu([-1.0, 0.0, 1.0]))
    [-0.632... 0. 1. ]
    """
    return jax.nn.elu(as_array(x), alpha)


@traits.entrywise
@accepts_symbols
def exponential(x: ArrayLike) -> Array:
    """`exp(x)`.

    >>> print(exponential([0.0, 1.0]))
    [1. 2.718...]
    """
    return jnp.exp(as_array(x))


@traits.entrywise
@accepts_symbols
def gelu(x: ArrayLike, approximate: bool = False) -> Array:
    """Gaussian error linear unit (Hendrycks & Gimpel, 2016, https://arxiv.org/abs/1606.08415).

    `x * P(X <= x)` for a standard normal `X`.

    Args:
        x: Any shape.
        approximate: Whether to use the `tanh` approximation of the normal distribution. The default
            is False, as in Keras; that of `jax.nn.gelu` is True.

    >>> print(gelu([-1.0, 0.0, 1.0]))
    [-0.158... 0. 0.841...]
    """
    return jax.nn.gelu(as_array(x), approximate)


@traits.entrywise
@accepts_symbols
def log_sigmoid(x: ArrayLike) -> Array:
    """`log(sigmoid(x))`, accurate even where the sigmoid would round to 0 or 1.

    >>> print(log_sigmoid([-200.0, 0.0]))
    [-200. -0.693...]
    """
    return jax.nn.log_sigmoid(as_array(x))


@traits.entrywise
@accepts_symbols
def mish(x: ArrayLike) -> Array:
    """`x * tanh(softplus(x))` (Misra, 2019, https://arxiv.org/abs/1908.08681).

    >>> print(mish([-1.0, 0.0, 1.0]))
    [-0.303... 0. 0.865...]
    """
    return jax.nn.mish(as_array(x))


@traits.entrywise
@accepts_symbols
def selu(x: ArrayLike) -> Array:
    """Scaled exponential linear unit (Klambauer et al., 2017, https://arxiv.org/abs/1706.02515).

    `1.0507 * elu(x, 1.6733)`. With `LecunNormal` weights the outputs keep mean 0 and variance 1
    from layer to layer.

    >>> print(selu([-1.0, 0.0, 1.0]))
    [-1.111... 0. 1.050...]
    """
    return jax.nn.selu(as_array(x))


@traits.entrywise
@accepts_symbols
def sigmoid(x: ArrayLike) -> Array:
    """`1 / (1 + exp(-x))`.

    >>> print(sigmoid([-1.0, 0.0, 1.0]))
    [0.268... 0.5 0.731...]
    """
    return jax.nn.sigmoid(as_array(x))


@traits.entrywise
@accepts_symbols
def silu(x: ArrayLike) -> Array:
    """`x * sigmoid(x)`, also named `swish`.

    From Ramachandran et al., 2017 (https://arxiv.org/abs/1710.05941).

    >>> print(silu([-1.0, 0.0, 1.0]))
    [-0.268... 0. 0.731...]
    """
    return jax.nn.silu(as_array(x))


@traits.entrywise
@accepts_symbols
def softplus(x: ArrayLike) -> Array:
    """`log(exp(x) + 1)`, without overflow.

    >>> print(softplus([-200.0, 0.0, 200.0]))
    [ 0. 0.693... 200. ]
    """
    return jax.nn.softplus(as_array(x))


@traits.entrywise
@accepts_symbols
def softsign(x: ArrayLike) -> Array:
    """`x / (|x| + 1)`.

    >>> print(softsign([-1.0, 0.0, 3.0]))
    [-0.5   0.    0.75]
    """
    return jax.nn.soft_sign(as_array(x))


@traits.entrywise
@accepts_symbols
def squareplus(x: ArrayLike, b: float = 4) -> Array:
    """`(x + sqrt(x**2 + b)) / 2` (Barron, 2021, https://arxiv.org/abs/2112.11687).

    Args:
        x: Any shape.
        b: The smoothness: 4 resembles `softplus`, 0 gives `relu`.


    >>> print(squareplus([-1.0, 0.0, 1.0]))
    [0.618... 1. 1.618...]
    """
    return jax.nn.squareplus(as_array(x), b)


@traits.entrywise
@accepts_symbols
def tanh(x: ArrayLike) -> Array:
    """Hyperbolic tangent.

    >>> print(tanh([-1.0, 0.0, 1.0]))
    [-0.761... 0. 0.761...]
    """
    return jnp.tanh(as_array(x))


@traits.entrywise
@accepts_symbols
def tanh_shrink(x: ArrayLike) -> Array:
    """`x - tanh(x)`.

    >>> print(tanh_shrink([-1.0, 0.0, 1.0]))
    [-0.238... 0. 0.238...]
    """
    x = as_array(x)
    return x - jnp.tanh(x)
