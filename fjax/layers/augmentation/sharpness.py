"""Random sharpness of images."""

import jax.numpy as jnp
import numpy as np

from fjax.layers.augmentation.image_layer import ImageLayer, Transformation
from fjax.layers.augmentation.ranges import Factor, draw_uniform
from fjax.lowering.image_filters import filter_channels
from fjax.typing import Array, Key, Shape

# A weak blur: the neighbors of a pixel weigh a fifth of it.
BLUR = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], "float32") / 13


class RandomSharpness(ImageLayer):
    """Make each image sharper or less sharp by a random amount in training.

    Args:
        factor: The range of the sharpness in [0, 1]: 0 is blurred, 0.5 is unchanged, 1 is sharper.
            One number is (0, factor).
        value_range: The lowest and the highest value of the images.
        data_format: "channels_last" (default) or "channels_first".
        seed: Folded into the key, so that layers called with the same key draw different numbers.

    Shapes: `(batch, height, width, channels)` or one image without the batch axis, unchanged;
    integers become float32.

    Raises:
        ValueError: An argument is out of range, the inputs do not have 3 or 4 axes, or a training
            call had no key.

    Source: Keras's page "RandomSharpness layer".

    >>> images = jnp.array([[0.0, 0.0, 0.0], [0.0, 130.0, 0.0], [0.0, 0.0, 0.0]])[..., None]
    >>> RandomSharpness((0.0, 0.0))(images)[..., 0].round().tolist()
    [[10.0, 10.0, 10.0], [10.0, 50.0, 10.0], [10.0, 10.0, 10.0]]
    """

    factor_bounds = (0.0, 1.0)

    factor: Factor
    value_range: tuple[float, float] = (0, 255)
    data_format: str | None = None
    seed: int | None = None

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return the sharpness of each image, `(batch,)`."""
        return {"factor": draw_uniform(key, shape[:1], self.factor)}

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images, blurred or sharpened."""
        sharpness = jnp.asarray(transformation["factor"] * 2, images.dtype).reshape(-1, 1, 1, 1)
        blurred = filter_channels(images, jnp.asarray(BLUR))
        return jnp.clip(images + (1.0 - sharpness) * (blurred - images), *self.value_range)
