"""The layout of images: with or without a batch axis, channels last or first.

Images have the shape `(height, width, channels)` or `(batch, height, width, channels)`, or the
channels before the height for the data format "channels_first".
"""

from collections.abc import Callable

import jax.numpy as jnp

from fjax.errors import one_of
from fjax.typing import Array


def data_format_of(operation: str, data_format: str | None) -> str:
    """Return the position of the channel axis, or raise; None means "channels_last"."""
    known = "channels_last" if data_format is None else data_format
    return str(one_of(operation, "data_format", known, ["channels_last", "channels_first"]))


def on_batch(
    operation: str, images: Array, data_format: str | None, function: Callable[[Array], Array]
) -> Array:
    """Return a function of a batch of images with channels last, for images of any layout."""
    data_format = data_format_of(operation, data_format)
    if images.ndim not in (3, 4):
        raise ValueError(
            f"`{operation}`: images must have 3 axes, or 4 with a batch axis, received the shape "
            f"{images.shape}."
        )
    batch = images if images.ndim == 4 else images[None]
    if data_format == "channels_last":
        result = function(batch)
    else:
        result = jnp.moveaxis(function(jnp.moveaxis(batch, 1, -1)), 3, 1)
    return result if images.ndim == 4 else result[0]
