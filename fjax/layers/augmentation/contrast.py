"""Random contrast of images."""

import jax.numpy as jnp

from fjax.configuration import field
from fjax.layers.augmentation.image_layer import ImageLayer, Transformation
from fjax.layers.augmentation.ranges import Factor, draw_uniform
from fjax.typing import Array, Key, Shape


class RandomContrast(ImageLayer):
    """Change the contrast of each image by a random factor in training.

    Each channel of an image becomes `(x - mean) * contrast + mean`, clipped to the value range.

    Args:
        factor: (lower, upper): the contrast is drawn from [1 - lower, 1 + upper]. One number is
            (0, upper), as in Keras.
        value_range: The lowest and the highest value of the images.
        seed: Folded into the key, so that layers called with the same key draw different numbers.
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, channels)` or one image without the batch axis, unchanged;
    integers become float32.

    Raises:
        ValueError: An argument is out of range, the inputs do not have 3 or 4 axes, or a training
            call had no key.

    Source: Keras's page "RandomContrast layer".

    >>> images = jnp.array([100.0, 200.0]).reshape(1, 1, 2, 1)
    >>> layer, contrast = RandomContrast(0.5), {"contrast_factor": jnp.full((1, 1, 1, 1), 1.5)}
    >>> layer.transform_images(images, contrast).ravel().tolist()
    [75.0, 225.0]
    """

    factor_bounds = (0.0, 1.0)

    factor: Factor
    value_range: tuple[float, float] = (0, 255)
    seed: int | None = None
    data_format: str | None = field(default=None, kw_only=True)

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return the contrast of each image, `(batch, 1, 1, 1)`."""
        bounds = (1.0 - self.factor[0], 1.0 + self.factor[1])
        return {"contrast_factor": draw_uniform(key, (shape[0], 1, 1, 1), bounds)}

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images with other contrast."""
        mean = jnp.mean(images, axis=(1, 2), keepdims=True)
        contrast = jnp.asarray(transformation["contrast_factor"], images.dtype)
        return jnp.clip((images - mean) * contrast + mean, *self.value_range)
