"""Gradient clipping."""

import jax
import jax.numpy as jnp

from fjax.typing import Array, PyTree


def clip_by_value(grads: PyTree, limit: float) -> PyTree:
    """Return the gradients with each element clipped to [-limit, limit] (`clipvalue`).

    >>> clip_by_value({"w": jnp.array([3.0, -0.5])}, 1.0)
    {'w': Array([ 1. , -0.5], dtype=float32)}
    """
    return jax.tree.map(lambda grad: jnp.clip(grad, -limit, limit), grads)


def clip_by_norm(grads: PyTree, limit: float) -> PyTree:
    """Return the gradients, each array scaled to an L2 norm of at most `limit` (`clipnorm`).

    >>> clip_by_norm({"w": jnp.array([3.0, 4.0]), "b": jnp.array([0.5])}, 1.0)
    {'b': Array([0.5], dtype=float32), 'w': Array([0.6, 0.8], dtype=float32)}
    """
    return jax.tree.map(lambda grad: grad * limit / jnp.maximum(global_norm(grad), limit), grads)


def clip_by_global_norm(grads: PyTree, limit: float) -> PyTree:
    """Return the gradients scaled together to a joint L2 norm of at most `limit`.

    As with Keras's `global_clipnorm`, all gradients become NaN if the norm is infinite or NaN.

    >>> clip_by_global_norm({"w": jnp.array([3.0]), "b": jnp.array([4.0])}, 1.0)
    {'b': Array([0.8], dtype=float32), 'w': Array([0.6], dtype=float32)}
    """
    norm = global_norm(grads)
    scale = jnp.where(jnp.isfinite(norm), limit / jnp.maximum(norm, limit), jnp.nan)
    return jax.tree.map(lambda grad: grad * scale.astype(grad.dtype), grads)


def global_norm(tree: PyTree) -> Array:
    """Return the L2 norm of all arrays of a tree as one vector, a scalar.

    >>> global_norm({"w": jnp.array([3.0]), "b": jnp.array([4.0])})
    Array(5., dtype=float32)
    """
    return jnp.sqrt(sum((jnp.sum(jnp.square(leaf)) for leaf in jax.tree.leaves(tree)), 0.0))
