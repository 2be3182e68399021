"""Random negatives of images."""

import jax.numpy as jnp

from fjax.layers.augmentation.image_layer import ImageLayer, Transformation
from fjax.layers.augmentation.ranges import Factor, draw_event, factor_range, value_range
from fjax.typing import Array, Key, Shape


class RandomInvert(ImageLayer):
    """Invert the colors of each image with some probability in training.

    Args:
        factor: The range of the probability, which is drawn for each image. One number is
            (0, factor), as in Keras.
        value_range: The lowest and the highest value of the images.
        seed: Folded into the key, so that layers called with the same key draw different numbers.
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, channels)` or one image without the batch axis, unchanged;
    integers become float32.

    Raises:
        ValueError: An argument is out of range, the inputs do not have 3 or 4 axes, or a training
            call had no key.

    Source: Keras's page "RandomInvert layer".

    >>> RandomInvert((1.0, 1.0))(jnp.array([[[0.0, 100.0, 255.0]]])).tolist()
    [[[255.0, 155.0, 0.0]]]
    """

    factor: Factor = 1.0
    value_range: tuple[float, float] = (0, 255)
    seed: int | None = None
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.factor = factor_range(self.kind, "factor", self.factor, 0.0, 1.0)
        self.value_range = value_range(self.kind, self.value_range)

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return whether to invert each image, `(batch,)`."""
        return {"apply_inversion": draw_event(key, shape[0], self.factor)}

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images, some of them inverted."""
        applies = jnp.asarray(transformation["apply_inversion"])[:, None, None, None]
        return jnp.where(applies, self.value_range[1] - images, images)
