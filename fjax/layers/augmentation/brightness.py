"""Random brightness of images."""

import jax.numpy as jnp

from fjax.configuration import field
from fjax.layers.augmentation.image_layer import ImageLayer, Transformation
from fjax.layers.augmentation.ranges import Factor, draw_uniform
from fjax.typing import Array, Key, Shape


class RandomBrightness(ImageLayer):
    """Add a random number to each image in training, and clip it to the value range.

    Args:
        factor: The range of the number as a share of the value range: -1 makes an image black, 1
            makes it white. One number is a range around 0.
        value_range: The lowest and the highest value of the images.
        seed: Folded into the key, so that layers called with the same key draw different numbers.
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, channels)` or one image without the batch axis, unchanged;
    integers become float32.

    Raises:
        ValueError: An argument is out of range, the inputs do not have 3 or 4 axes, or a training
            call had no key.

    Source: Keras's page "RandomBrightness layer".

    >>> images = jnp.array([100.0, 200.0]).reshape(1, 1, 2, 1)
    >>> RandomBrightness((0.4, 0.4))(images, training=True).ravel().tolist()
    [202.0, 255.0]
    """

    factor_bounds = (-1.0, 1.0)

    factor: Factor
    value_range: tuple[float, float] = (0, 255)
    seed: int | None = None
    data_format: str | None = field(default=None, kw_only=True)

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return what is added to each image, `(batch, 1, 1, 1)`."""
        low, high = self.value_range
        return {"rgb_delta": draw_uniform(key, (shape[0], 1, 1, 1), self.factor) * (high - low)}

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images, brighter or darker."""
        delta = jnp.asarray(transformation["rgb_delta"], images.dtype)
        return jnp.clip(images + delta, *self.value_range)
