"""Random flips of images."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax.errors import one_of
from fjax.layers.augmentation.image_layer import ImageLayer, Size, Transformation
from fjax.typing import Array, Key, Shape

MODES = ("horizontal", "vertical", "horizontal_and_vertical")


class RandomFlip(ImageLayer):
    """Flip each image with probability 1/2 in training.

    Args:
        mode: "horizontal" (left and right), "vertical" (top and bottom), or
            "horizontal_and_vertical", which flips an image along both axes or along none, as
            Keras does.
        seed: Folded into the key, so that layers called with the same key draw different numbers.
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, channels)` or one image without the batch axis, unchanged;
    integers become float32.

    Raises:
        ValueError: The mode is unknown, the inputs do not have 3 or 4 axes, or a training call had
            no key.

    Source: Keras's page "RandomFlip layer".

    >>> images = jnp.arange(6.0).reshape(1, 2, 3, 1)
    >>> layer = RandomFlip("horizontal")
    >>> layer.transform_images(images, {"flips": jnp.array([[[[True]]]])}).ravel().tolist()
    [2.0, 1.0, 0.0, 5.0, 4.0, 3.0]
    """

    box_handling = "moved"

    mode: str = "horizontal_and_vertical"
    seed: int | None = None
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of(self.kind, "mode", self.mode, MODES)

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return whether to flip each image, `(batch, 1, 1, 1)`."""
        return {"flips": jax.random.uniform(key, (shape[0], 1, 1, 1)) <= 0.5}

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images, some of them flipped."""
        axes = [axis for axis, name in ((2, "horizontal"), (1, "vertical")) if name in self.mode]
        return jnp.where(transformation["flips"], jnp.flip(images, axes), images)

    def transform_boxes(
        self, boxes: Array, transformation: Transformation, size: Size
    ) -> tuple[Array, Size]:
        """Return the boxes, flipped like their images."""
        height, width = size
        x1, y1, x2, y2 = jnp.split(boxes, 4, axis=-1)
        if "horizontal" in self.mode:
            x1, x2 = width - x2, width - x1
        if "vertical" in self.mode:
            y1, y2 = height - y2, height - y1
        flipped = jnp.concatenate([x1, y1, x2, y2], axis=-1)
        return jnp.where(transformation["flips"][..., 0], flipped, boxes), size

    def transform_masks(self, masks: Any, transformation: Transformation) -> Array:
        """Return the masks, flipped like their images."""
        return self.transform(masks, transformation)
