"""Functions whose intermediate results are computed again in the backward pass."""

from collections.abc import Callable
from typing import Any

import jax


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that saves memory in training, as `keras.remat`: `jax.checkpoint`.

    The values and gradients are those of the function. Its intermediate results are not kept for
    the backward pass, but computed again. It may call layers without state; the new state of
    others, such as a `BatchNormalization`, cannot leave it, which is an error of JAX.

    Args:
        f: A function of arrays, such as a method of a layer that `call` calls. Arguments that are
            not arrays are fixed: `remat(lambda x: f(x, training=True))`.

    Raises:
        TypeError: It is not a function.

    >>> import jax.numpy as jnp
    >>> jax.grad(remat(lambda x: jnp.sin(jnp.sin(x))))(0.0).item()
    1.0
    """
    if not callable(f):
        raise TypeError(f"`remat` takes a function of arrays, received {f!r}.")
    return jax.checkpoint(f)
