"""Operations of `keras.ops.image` on colors."""

import jax.numpy as jnp

from fjax.ops.definition import OperationTable
from fjax.ops.layout import on_batch
from fjax.typing import Array

op = OperationTable(__name__)


@op.define
def rgb_to_grayscale(images: Array, data_format: str | None = None) -> Array:
    """Return images with one channel: the brightness of red, green and blue."""

    def brightness(batch: Array) -> Array:
        if batch.shape[-1] == 1:
            return batch
        if batch.shape[-1] != 3:
            raise ValueError(
                f"`rgb_to_grayscale`: images must have 1 or 3 channels, received {batch.shape[-1]}."
            )
        wide = batch.astype(jnp.result_type(batch, 1.0))
        shares = jnp.array([0.2989, 0.5870, 0.1140], wide.dtype)
        return jnp.tensordot(wide, shares, axes=1)[..., None].astype(batch.dtype)

    return on_batch("rgb_to_grayscale", images, data_format, brightness)


@op.define
def rgb_to_hsv(images: Array, data_format: str | None = None) -> Array:
    """Return hue, saturation and value of red, green and blue, all from 0 to 1."""
    _check_float("rgb_to_hsv", images)

    def convert(batch: Array) -> Array:
        batch = jnp.where(jnp.abs(batch) < jnp.finfo(batch.dtype).eps, 0.0, batch)
        red, green, blue = (batch[..., channel] for channel in range(3))
        value, smallest = jnp.max(batch, axis=-1), jnp.min(batch, axis=-1)
        spread = value - smallest
        is_gray = spread <= 0
        sixth = 1 / (6 * jnp.where(is_gray, 1, spread))
        hue = jnp.where(value == green, (blue - red) * sixth + 2 / 6, (red - green) * sixth + 4 / 6)
        hue = jnp.where(value == red, (green - blue) * sixth, hue)
        hue = jnp.where(is_gray, 0.0, hue) + (hue < 0).astype(hue.dtype)
        saturation = jnp.where(value > 0, spread / jnp.where(value > 0, value, 1), 0.0)
        return jnp.stack([hue, saturation, value], axis=-1)

    return on_batch("rgb_to_hsv", images, data_format, convert)


@op.define
def hsv_to_rgb(images: Array, data_format: str | None = None) -> Array:
    """Return red, green and blue of hue, saturation and value, all from 0 to 1."""
    _check_float("hsv_to_rgb", images)

    def convert(batch: Array) -> Array:
        hue, saturation, value = (batch[..., channel] for channel in range(3))
        sixths = jnp.mod(hue, 1.0) * 6
        pure = [
            jnp.abs(sixths - 3) - 1,
            2 - jnp.abs(sixths - 2),
            2 - jnp.abs(sixths - 4),
        ]
        colors = [
            value * (1 - saturation + saturation * jnp.clip(color, 0.0, 1.0)) for color in pure
        ]
        return jnp.stack(colors, axis=-1)

    return on_batch("hsv_to_rgb", images, data_format, convert)


def _check_float(operation: str, images: Array) -> None:
    if not jnp.issubdtype(images.dtype, jnp.floating):
        raise ValueError(
            f"`{operation}`: images must be floating-point numbers, received {images.dtype}."
        )


__all__ = op.names
