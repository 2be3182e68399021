"""Colors of images with channels last: gray, and hue, saturation and value."""

import jax.numpy as jnp

from fjax.typing import Array


def to_grayscale(images: Array) -> Array:
    """Return images with one channel, the brightness of red, green and blue, in the same dtype."""
    wide = images.astype(jnp.result_type(images, 1.0))
    shares = jnp.array([0.2989, 0.5870, 0.1140], wide.dtype)
    return jnp.tensordot(wide, shares, axes=1)[..., None].astype(images.dtype)


def to_hsv(images: Array) -> Array:
    """Return hue, saturation and value of red, green and blue, all from 0 to 1."""
    images = jnp.where(jnp.abs(images) < jnp.finfo(images.dtype).eps, 0.0, images)
    red, green, blue = (images[..., channel] for channel in range(3))
    value, smallest = jnp.max(images, axis=-1), jnp.min(images, axis=-1)
    spread = value - smallest
    is_gray = spread <= 0
    sixth = 1 / (6 * jnp.where(is_gray, 1, spread))
    hue = jnp.where(value == green, (blue - red) * sixth + 2 / 6, (red - green) * sixth + 4 / 6)
    hue = jnp.where(value == red, (green - blue) * sixth, hue)
    hue = jnp.where(is_gray, 0.0, hue) + (hue < 0).astype(hue.dtype)
    saturation = jnp.where(value > 0, spread / jnp.where(value > 0, value, 1), 0.0)
    return jnp.stack([hue, saturation, value], axis=-1)


def to_rgb(images: Array) -> Array:
    """Return red, green and blue of hue, saturation and value, all from 0 to 1."""
    hue, saturation, value = (images[..., channel] for channel in range(3))
    sixths = jnp.mod(hue, 1.0) * 6
    pure = [jnp.abs(sixths - 3) - 1, 2 - jnp.abs(sixths - 2), 2 - jnp.abs(sixths - 4)]
    colors = [value * (1 - saturation + saturation * jnp.clip(color, 0.0, 1.0)) for color in pure]
    return jnp.stack(colors, axis=-1)
