"""Random hues."""

import jax
import jax.numpy as jnp

from fjax.layers.augmentation.colors import require_colors
from fjax.layers.augmentation.image_layer import ImageLayer, Transformation
from fjax.layers.augmentation.ranges import (
    Factor,
    draw_uniform,
    rescale,
)
from fjax.lowering.image_colors import to_hsv, to_rgb
from fjax.typing import Array, Key, Shape


class RandomHue(ImageLayer):
    """Turn the hue of each image by a random angle in training.

    Args:
        factor: The range of the angle as a share of half a turn, of either sign. One number is
            (0, factor).
        value_range: The lowest and the highest value of the images.
        data_format: "channels_last" (default) or "channels_first".
        seed: Folded into the key, so that layers called with the same key draw different numbers.

    Shapes: `(batch, height, width, 3)` or one image without the batch axis, unchanged; integers
    become float32.

    Raises:
        ValueError: An argument is out of range, the inputs do not have 3 or 4 axes or not three
            channels, or a training call had no key.

    Source: Keras's page "RandomHue layer".

    >>> layer, red = RandomHue(1.0, value_range=(0, 1)), jnp.array([[[1.0, 0.0, 0.0]]])
    >>> layer.transform_images(red, {"factor": jnp.array([1 / 3])}).round().tolist()
    [[[0.0, 1.0, 0.0]]]
    """

    factor_bounds = (0.0, 1.0)

    factor: Factor
    value_range: tuple[float, float] = (0, 255)
    data_format: str | None = None
    seed: int | None = None

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return the turns of the hue, `(batch,)`; 1 is a full turn."""
        keys = jax.random.split(key)
        sign = jnp.where(jax.random.uniform(keys[0], shape[:1]) > 0.5, -1.0, 1.0)
        return {"factor": sign * draw_uniform(keys[1], shape[:1], self.factor) * 0.5}

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images with other hues."""
        images = rescale(require_colors(self.kind, images), self.value_range, (0.0, 1.0))
        hue, saturation, value = jnp.moveaxis(to_hsv(images), -1, 0)
        hue = hue + jnp.asarray(transformation["factor"], images.dtype)[:, None, None]
        hue = jnp.where(hue > 1.0, hue - 1.0, hue)
        hue = jnp.where(hue < 0.0, hue + 1.0, hue)
        images = to_rgb(jnp.stack([hue, saturation, value], axis=-1))
        return rescale(jnp.clip(images, 0.0, 1.0), (0.0, 1.0), self.value_range)
