"""Random shifts of images."""

import jax.numpy as jnp

from fjax.layers.augmentation.affine import HeightWidthLayer, stack_matrices
from fjax.layers.augmentation.image_layer import Transformation
from fjax.layers.augmentation.ranges import Range, strict_range
from fjax.typing import Array, Shape


class RandomTranslation(HeightWidthLayer):
    """Shift each image by a random distance in training.

    Args:
        height_factor: The range of the shift down as a share of the height, such as (-0.2, 0.3);
            negative numbers shift up. One number is a range around 0.
        width_factor: The range of the shift to the right as a share of the width, likewise.
        fill_mode: What lies beyond the image: "reflect", "wrap", "constant" or "nearest".
        interpolation: "bilinear" or "nearest".
        seed: Folded into the key, so that layers called with the same key draw different numbers.
        fill_value: The value of "constant".
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, channels)` or one image without the batch axis, unchanged;
    integers become float32.

    Raises:
        ValueError: A factor is outside [-1, 1] or another argument is unknown, the inputs do not
            have 3 or 4 axes, or a training call had no key.

    Source: Keras's page "RandomTranslation layer".

    >>> images = jnp.arange(4.0).reshape(1, 1, 4, 1)
    >>> layer = RandomTranslation(0, (0.25, 0.25), fill_mode="constant", fill_value=9.0)
    >>> layer(images, training=True).ravel().tolist()
    [9.0, 0.0, 1.0, 2.0]
    """

    def bounds(self, name: str) -> Range:
        """Return the range of the shift along an axis."""
        return strict_range(self.kind, name, getattr(self, name), -1.0, 1.0)

    def name_draws(self, along_height: Array, along_width: Array, shape: Shape) -> Transformation:
        """Return the shifts to the right and down in pixels, `(batch, 2)`."""
        height, width = shape[1:3]
        return {"translations": jnp.stack([along_width * width, along_height * height], axis=1)}

    def matrices(self, transformation: Transformation, height: int, width: int) -> Array:
        """Return the shifts as maps."""
        right, down = jnp.asarray(transformation["translations"]).T
        return stack_matrices(1, 0, -right, 0, 1, -down)
