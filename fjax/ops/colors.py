"""Operations of `keras.ops.image` on colors."""

import jax.numpy as jnp

from fjax.lowering.image_colors import to_grayscale, to_hsv, to_rgb
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
        return to_grayscale(batch)

    return on_batch("rgb_to_grayscale", images, data_format, brightness)


@op.define
def rgb_to_hsv(images: Array, data_format: str | None = None) -> Array:
    """Return hue, saturation and value of red, green and blue, all from 0 to 1."""
    _check_float("rgb_to_hsv", images)

    return on_batch("rgb_to_hsv", images, data_format, to_hsv)


@op.define
def hsv_to_rgb(images: Array, data_format: str | None = None) -> Array:
    """Return red, green and blue of hue, saturation and value, all from 0 to 1."""
    _check_float("hsv_to_rgb", images)

    return on_batch("hsv_to_rgb", images, data_format, to_rgb)


def _check_float(operation: str, images: Array) -> None:
    if not jnp.issubdtype(images.dtype, jnp.floating):
        raise ValueError(
            f"`{operation}`: images must be floating-point numbers, received {images.dtype}."
        )


__all__ = op.names
