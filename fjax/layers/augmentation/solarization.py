"""Random solarization of images."""

import jax
import jax.numpy as jnp

from fjax.configuration import field
from fjax.errors import is_number
from fjax.layers.augmentation.image_layer import ImageLayer, Transformation
from fjax.layers.augmentation.ranges import (
    Factor,
    draw_uniform,
    rescale,
    stored_factor,
    strict_range,
)
from fjax.typing import Array, Key, Shape


class Solarization(ImageLayer):
    """Add a random number to each image in training, and invert what is above a random threshold.

    Args:
        addition_factor: (lower, upper) in [0, 1]: the number is drawn from [lower, 255 * upper], as
            in Keras, for values from 0 to 255. One number is (0, upper).
        threshold_factor: The range of the threshold, likewise.
        value_range: The lowest and the highest value of the images.
        seed: Folded into the key, so that layers called with the same key draw different numbers.
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, channels)` or one image without the batch axis, unchanged;
    integers become float32.

    Raises:
        ValueError: An argument is out of range, the inputs do not have 3 or 4 axes, or a training
            call had no key.

    Source: Keras's page "Solarization layer".

    >>> Solarization()(jnp.array([[[0.0, 100.0, 255.0]]]), training=True).tolist()
    [[[255.0, 155.0, 0.0]]]
    """

    addition_factor: Factor = 0.0
    threshold_factor: Factor = 0.0
    value_range: tuple[float, float] = (0, 255)
    seed: int | None = None
    data_format: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("addition_factor", "threshold_factor"):
            value = stored_factor(getattr(self, name))
            low, high = strict_range(self.kind, name, value, 0.0, 1.0)
            setattr(self, name, (0.0, high) if is_number(value) else (low, high))

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return the numbers to add and the thresholds, `(batch, 1, 1, 1)` each."""
        keys, sizes = jax.random.split(key), (shape[0], 1, 1, 1)
        (low, high), (first, last) = self.addition_factor, self.threshold_factor
        return {
            "additions": draw_uniform(keys[0], sizes, (low, high * 255)),
            "thresholds": draw_uniform(keys[1], sizes, (first, last * 255)),
        }

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images, brighter and inverted in part."""
        added, thresholds = (
            jnp.asarray(transformation[name], images.dtype) for name in ("additions", "thresholds")
        )
        bright = jnp.clip(rescale(images, self.value_range, (0.0, 255.0)) + added, 0.0, 255.0)
        outputs = jnp.where(bright < thresholds, bright, 255.0 - bright)
        return rescale(outputs, (0.0, 255.0), self.value_range)
