"""Random loss of colors."""

import jax
import jax.numpy as jnp

from fjax.errors import number_between
from fjax.layers.augmentation.colors import gray_of
from fjax.layers.augmentation.image_layer import ImageLayer, Transformation
from fjax.typing import Array, Key, Shape


class RandomGrayscale(ImageLayer):
    """Make each image gray with some probability in training; it keeps its channels.

    Args:
        factor: The probability.
        data_format: "channels_last" (default) or "channels_first".
        seed: Folded into the key, so that layers called with the same key draw different numbers.

    Shapes: `(batch, height, width, 3)` or one image without the batch axis, unchanged; integers
    become float32.

    Raises:
        ValueError: An argument is out of range, the inputs do not have 3 or 4 axes or not three
            channels, or a training call had no key.

    Source: Keras's page "RandomGrayscale layer".

    >>> RandomGrayscale(1.0)(jnp.array([[[10.0, 20.0, 30.0]]])).round().tolist()
    [[[18.0, 18.0, 18.0]]]
    """

    factor: float = 0.5
    data_format: str | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.factor = number_between(self.kind, "factor", self.factor, 0.0, 1.0)

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return whether to make each image gray, `(batch, 1, 1, 1)`."""
        return jax.random.uniform(key, (shape[0], 1, 1, 1)) < self.factor

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images, some of them gray."""
        return jnp.where(transformation, gray_of(self.kind, images), images)
