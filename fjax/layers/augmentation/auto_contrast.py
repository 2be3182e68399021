"""Full contrast of images."""

import jax.numpy as jnp

from fjax.configuration import field
from fjax.layers.augmentation.image_layer import ImageLayer, Transformation
from fjax.layers.augmentation.ranges import rescale
from fjax.typing import Array


class AutoContrast(ImageLayer):
    """Stretch each channel of each image to the whole value range, in training and in inference.

    A channel that is constant stays as it is.

    Args:
        value_range: The lowest and the highest value of the images.
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, channels)` or one image without the batch axis, unchanged;
    integers become float32.

    Raises:
        ValueError: The value range is not two numbers, or the inputs do not have 3 or 4 axes.

    Source: Keras's page "AutoContrast layer".

    >>> AutoContrast()(jnp.array([[[10.0], [20.0], [30.0]]])).ravel().tolist()
    [0.0, 127.5, 255.0]
    """

    only_in_training = False

    value_range: tuple[float, float] = (0, 255)
    data_format: str | None = field(default=None, kw_only=True)

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images with full contrast."""
        values = rescale(images, self.value_range, (0.0, 255.0))
        low = jnp.min(values, axis=(1, 2), keepdims=True)
        spread = jnp.max(values, axis=(1, 2), keepdims=True) - low
        is_flat = spread == 0
        scale = 255.0 / jnp.where(is_flat, 1.0, spread)
        stretched = jnp.clip(values * scale - low * scale, 0.0, 255.0)
        return jnp.where(is_flat, images, rescale(stretched, (0.0, 255.0), self.value_range))
