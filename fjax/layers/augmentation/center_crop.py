"""The center of images."""

from fjax.layers.augmentation.cropping import CroppingLayer, Window, central_window
from fjax.layers.augmentation.image_layer import Size, Transformation


class CenterCrop(CroppingLayer):
    """Crop images to their center, in training and in inference.

    Of an image that is smaller than the target, the largest central part with the target's aspect
    ratio is resized to the target.

    Args:
        height: The height of the outputs.
        width: The width of the outputs.
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, any_height, any_width, channels)` or one image without the batch axis, to
    `(batch, height, width, channels)`; integers become float32.

    Raises:
        ValueError: A size is not positive, or the inputs do not have 3 or 4 axes.

    Source: Keras's page "CenterCrop layer".

    >>> import jax.numpy as jnp
    >>> CenterCrop(1, 2)(jnp.arange(12.0).reshape(1, 3, 4, 1)).ravel().tolist()
    [5.0, 6.0]
    """

    only_in_training = False

    data_format: str | None = None

    def window(self, size: Size, transformation: Transformation) -> Window:
        """Return the center."""
        height, width = size
        if height >= self.height and width >= self.width:
            top, left = (height - self.height) // 2, (width - self.width) // 2
            return Window(top, left, self.height, self.width)
        return central_window(size, (self.height, self.width))
