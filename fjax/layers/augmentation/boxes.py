"""Random boxes in images."""

import jax
import jax.numpy as jnp

from fjax.typing import Array, Key, Shape


def draw_side(key: Key, length: int, share: Array) -> tuple[Array, Array]:
    """Return where the side of a box begins and ends, anywhere along an axis.

    Args:
        key: A PRNG key.
        length: The length of the axis.
        share: The length of the side as a share of the axis, `(batch,)`.
    """
    side = share * length
    start = jax.random.uniform(key, share.shape) * (length - side)
    return start, start + side


def box_masks(shape: Shape, columns: tuple[Array, Array], rows: tuple[Array, Array]) -> Array:
    """Return which pixels are in the box of each image, of the shape of the images.

    >>> ends = jnp.array([1.0]), jnp.array([3.0])
    >>> box_masks((1, 1, 4, 1), ends, (jnp.zeros(1), jnp.ones(1))).ravel().tolist()
    [False, True, True, False]
    """
    (left, right), (top, bottom) = columns, rows
    x, y = jnp.arange(shape[2])[None, None, :], jnp.arange(shape[1])[None, :, None]

    def between(places: Array, start: Array, end: Array) -> Array:
        return (places >= start[:, None, None]) & (places < end[:, None, None])

    inside = between(x, left, right) & between(y, top, bottom)
    return jnp.broadcast_to(inside[..., None], shape)
