"""Random negatives of images."""

from fjax.layers.augmentation.image_layer import ImageLayer, Transformation
from fjax.layers.augmentation.ranges import Factor, draw_event, where_chosen
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

    >>> import jax.numpy as jnp
    >>> RandomInvert((1.0, 1.0))(jnp.array([[[0.0, 100.0, 255.0]]])).tolist()
    [[[255.0, 155.0, 0.0]]]
    """

    factor_bounds = (0.0, 1.0)

    factor: Factor = 1.0
    value_range: tuple[float, float] = (0, 255)
    seed: int | None = None
    data_format: str | None = None

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return whether to invert each image, `(batch,)`."""
        return {"apply_inversion": draw_event(key, shape[0], self.factor)}

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images, some of them inverted."""
        return where_chosen(transformation["apply_inversion"], self.value_range[1] - images, images)
