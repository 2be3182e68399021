"""Random saturation of colors."""

import jax.numpy as jnp

from fjax.layers.augmentation.colors import require_colors
from fjax.layers.augmentation.image_layer import ImageLayer, Transformation
from fjax.layers.augmentation.ranges import Factor, draw_uniform
from fjax.lowering.image_colors import to_hsv, to_rgb
from fjax.typing import Array, Key, Shape


class RandomSaturation(ImageLayer):
    """Multiply the saturation of each image by a random number in training.

    Args:
        factor: The range of a number f; the saturation is multiplied by `f / (1 - f)`: 0 makes an
            image gray, 0.5 keeps it, 1 gives pure colors. One number is a range around 0, as in
            Keras.
        value_range: The lowest and the highest value of the images.
            As in Keras it bounds the saturation, which is between 0 and 1 at first.
        data_format: "channels_last" (default) or "channels_first".
        seed: Folded into the key, so that layers called with the same key draw different numbers.

    Shapes: `(batch, height, width, 3)` or one image without the batch axis, unchanged; integers
    become float32.

    Raises:
        ValueError: An argument is out of range, the inputs do not have 3 or 4 axes or not three
            channels, or a training call had no key.

    Source: Keras's page "RandomSaturation layer".

    >>> RandomSaturation((0.0, 0.0))(jnp.array([[[10.0, 20.0, 30.0]]])).tolist()
    [[[30.0, 30.0, 30.0]]]
    """

    factor_bounds = (-1.0, 1.0)

    factor: Factor
    value_range: tuple[float, float] = (0, 255)
    data_format: str | None = None
    seed: int | None = None

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return what the saturation of each image is multiplied by, `(batch,)`."""
        number = draw_uniform(key, shape[:1], self.factor)
        # Keras's smallest number keeps 1 from a division by 0.
        return {"factor": number / (1.0 - number + 1e-7)}

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images with other saturation."""
        hue, saturation, value = jnp.moveaxis(to_hsv(require_colors(self.kind, images)), -1, 0)
        factor = jnp.asarray(transformation["factor"], images.dtype)[:, None, None]
        saturation = jnp.clip(saturation * factor, *self.value_range)
        return to_rgb(jnp.stack([hue, saturation, value], axis=-1))
