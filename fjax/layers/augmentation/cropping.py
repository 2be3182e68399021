"""The largest central part of an image that has another aspect ratio."""

from typing import NamedTuple

import jax

from fjax.typing import Array


class Window(NamedTuple):
    """A part of an image: its first row and column, and its size."""

    top: int
    left: int
    height: int
    width: int


def central_window(size: tuple[int, int], target: tuple[int, int]) -> Window:
    """Return the largest central part of an image with the aspect ratio of a target size.

    Args:
        size: The height and width of the image.
        target: The target height and width.

    >>> central_window((10, 10), (4, 8))
    Window(top=2, left=0, height=5, width=10)
    """
    (height, width), (target_height, target_width) = size, target
    kept_height = max(min(height, int(width * target_height / target_width)), 1)
    kept_width = max(min(width, int(height * target_width / target_height)), 1)
    top, left = (height - kept_height) // 2, (width - kept_width) // 2
    return Window(top, left, kept_height, kept_width)


def resize_bilinear(images: Array, height: int, width: int) -> Array:
    """Return a batch of images with channels last at another size, without smoothing."""
    shape = (images.shape[0], height, width, images.shape[3])
    return jax.image.resize(images, shape, "bilinear", antialias=False).astype(images.dtype)
