"""Checks of the channels of images."""

from fjax.lowering.image_colors import to_grayscale
from fjax.typing import Array


def require_colors(owner: str, images: Array) -> Array:
    """Return images with channels last, or raise unless they have three channels."""
    if images.shape[-1] != 3:
        raise ValueError(
            f"`{owner}` needs images with three channels, red, green and blue, received "
            f"{images.shape[-1]}; `data_format` says which axis has the channels."
        )
    return images


def gray_of(owner: str, images: Array) -> Array:
    """Return the brightness of images with channels last, in one channel.

    Images of one channel are returned as they are.
    """
    return images if images.shape[-1] == 1 else to_grayscale(require_colors(owner, images))
