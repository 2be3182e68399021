"""Crops of images to a size."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from fjax.errors import integer_at_least
from fjax.layers.augmentation.image_layer import ImageLayer, Size, Transformation, as_floats
from fjax.lowering.box_geometry import crop
from fjax.typing import Array


class Window(NamedTuple):
    """A part of an image: its first row and column, and its size."""

    top: Any
    left: Any
    height: int
    width: int


class CroppingLayer(ImageLayer):
    """Base of the layers that cut a window out of images, and resize it if it is too small.

    A subclass defines `window`.
    """

    box_handling = "moved"

    height: int
    width: int

    def __post_init__(self) -> None:
        super().__post_init__()
        self.height = integer_at_least(self.kind, "height", self.height, 1)
        self.width = integer_at_least(self.kind, "width", self.width, 1)

    def window(self, size: Size, transformation: Transformation) -> Window:
        """Return the part of images of a size that is cut out."""
        raise NotImplementedError(f"`{self.kind}` defines no `window`.")

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images, cropped."""
        size = (images.shape[1], images.shape[2])
        top, left, height, width = self.window(size, transformation)
        sizes = (images.shape[0], height, width, images.shape[3])
        part = jax.lax.dynamic_slice(images, (0, top, left, 0), sizes)
        if (height, width) == (self.height, self.width):
            return part
        return resize_bilinear(part, self.height, self.width)

    def transform_masks(self, masks: Array, transformation: Transformation) -> Array:
        """Return the masks, cropped like their images."""
        return self.transform(as_floats(masks), transformation)

    def transform_boxes(
        self, boxes: Array, transformation: Transformation, size: Size
    ) -> tuple[Array, Size]:
        """Return the boxes in the part of the image."""
        top, left, height, width = self.window(size, transformation)
        growth = jnp.array([self.width / width, self.height / height] * 2, boxes.dtype)
        return crop(boxes, top, left, height, width) * growth, (self.height, self.width)


def central_window(size: Size, target: Size) -> Window:
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
