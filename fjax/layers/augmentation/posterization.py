"""Random posterization of images."""

import jax
import jax.numpy as jnp

from fjax.layers.augmentation.image_layer import ImageLayer, Transformation
from fjax.layers.augmentation.ranges import Factor, rescale
from fjax.typing import Array, Key, Shape

BITS = 8


class RandomPosterization(ImageLayer):
    """Keep a random number of the bits of each color in training.

    Args:
        factor: The range [lowest, highest) of the number of bits, from 1 to 8; equal ends are that
            number. One number is [1, factor), as in Keras.
        value_range: The lowest and the highest value of the images.
        data_format: "channels_last" (default) or "channels_first".
        seed: Folded into the key, so that layers called with the same key draw different numbers.

    Shapes: `(batch, height, width, channels)` or one image without the batch axis, unchanged;
    integers become float32.

    Raises:
        ValueError: An argument is out of range, the inputs do not have 3 or 4 axes, or a training
            call had no key.

    Source: Keras's page "RandomPosterization layer".

    >>> RandomPosterization((1, 1))(jnp.array([[[100.0, 130.0, 255.0]]])).tolist()
    [[[0.0, 128.0, 128.0]]]
    """

    factor_bounds = (1, BITS)

    factor: Factor
    value_range: tuple[float, float] = (0, 255)
    data_format: str | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        low, high = self.factor
        self.factor = (int(low), int(high))

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return the number of bits that each image loses, `(batch,)`."""
        low, high = self.factor
        kept = jax.random.randint(key, shape[:1], low, max(high, low + 1))
        return {"shift_factor": (BITS - kept).astype("uint8")}

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images with fewer colors."""
        lost = jnp.asarray(transformation["shift_factor"]).reshape(-1, 1, 1, 1)
        whole = rescale(images, self.value_range, (0.0, 255.0)).astype("uint8")
        kept = jnp.left_shift(jnp.right_shift(whole, lost), lost).astype(images.dtype)
        return rescale(kept, (0.0, 255.0), self.value_range)
