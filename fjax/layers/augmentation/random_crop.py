"""Random crops of images."""

import jax

from fjax.layers.augmentation.cropping import CroppingLayer, Window, central_window
from fjax.layers.augmentation.image_layer import Size, Transformation
from fjax.typing import Key, Shape


class RandomCrop(CroppingLayer):
    """Crop the images of a batch at one random place in training.

    Of images that are not larger than the target along both axes, the largest central part with the
    target's aspect ratio is taken, and resized if need be.

    As in Keras, the images are left as they are outside of training, whatever their size. A network
    whose weights depend on the size of the images needs `CenterCrop` or `Resizing` instead.

    Args:
        height: The height of the outputs in training.
        width: The width of the outputs in training.
        seed: Folded into the key, so that layers called with the same key draw different numbers.
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, any_height, any_width, channels)` or one image without the batch axis, in
    training to `(batch, height, width, channels)`; integers become float32.

    Raises:
        ValueError: A size is not positive, the inputs do not have 3 or 4 axes, or a training call
            had no key.

    Source: Keras's page "RandomCrop layer".

    >>> import jax.numpy as jnp
    >>> RandomCrop(2, 3)(jnp.ones((4, 8, 8, 3)), training=True).shape
    (4, 2, 3, 3)
    """

    seed: int | None = None
    data_format: str | None = None

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return the first row and the first column of the crop."""
        height, width = shape[1:3]
        if not self._is_larger(height, width):
            return central_window((height, width), (self.height, self.width))[:2]
        keys = jax.random.split(key)
        return (
            jax.random.randint(keys[0], (), 0, height - self.height + 1),
            jax.random.randint(keys[1], (), 0, width - self.width + 1),
        )

    def window(self, size: Size, transformation: Transformation) -> Window:
        """Return the place that was drawn, and as much of the size as fits."""
        top, left = transformation
        if self._is_larger(*size):
            return Window(top, left, self.height, self.width)
        height, width = min(self.height, size[0] - top), min(self.width, size[1] - left)
        return Window(top, left, height, width)

    def _is_larger(self, height: int, width: int) -> bool:
        return height > self.height and width > self.width
