"""Random fading of colors."""

import jax.numpy as jnp

from fjax.layers.augmentation.colors import gray_of
from fjax.layers.augmentation.image_layer import ImageLayer, Transformation
from fjax.layers.augmentation.ranges import Factor, draw_uniform
from fjax.typing import Array, Key, Shape


class RandomColorDegeneration(ImageLayer):
    """Fade the colors of each image by a random share in training: 0 keeps them, 1 makes it gray.

    Args:
        factor: The range of the share. One number is a range around 0, as in Keras.
        value_range: The lowest and the highest value of the images.
        data_format: "channels_last" (default) or "channels_first".
        seed: Folded into the key, so that layers called with the same key draw different numbers.

    Shapes: `(batch, height, width, 3)` or one image without the batch axis, unchanged; integers
    become float32.

    Raises:
        ValueError: An argument is out of range, the inputs do not have 3 or 4 axes or not three
            channels, or a training call had no key.

    Source: Keras's page "RandomColorDegeneration layer".

    >>> RandomColorDegeneration((0.5, 0.5))(jnp.array([[[10.0, 20.0, 30.0]]])).round().tolist()
    [[[14.0, 19.0, 24.0]]]
    """

    factor_bounds = (-1.0, 1.0)

    factor: Factor
    value_range: tuple[float, float] = (0, 255)
    data_format: str | None = None
    seed: int | None = None

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return the share for each image, `(batch, 1, 1, 1)`."""
        return {"factor": draw_uniform(key, (shape[0], 1, 1, 1), self.factor)}

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images with paler colors."""
        share = jnp.asarray(transformation["factor"], images.dtype)
        faded = images + share * (gray_of(self.kind, images) - images)
        return jnp.clip(faded, *self.value_range)
