"""The center of images."""

from fjax.errors import integer_at_least
from fjax.layers.augmentation.cropping import central_window, resize_bilinear
from fjax.layers.augmentation.image_layer import ImageLayer, Transformation, as_floats
from fjax.typing import Array


class CenterCrop(ImageLayer):
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

    height: int
    width: int
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.height = integer_at_least(self.kind, "height", self.height, 1)
        self.width = integer_at_least(self.kind, "width", self.width, 1)

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the centers of the images."""
        height, width = images.shape[1:3]
        if height >= self.height and width >= self.width:
            top, left = (height - self.height) // 2, (width - self.width) // 2
            return images[:, top : top + self.height, left : left + self.width]
        top, left, height, width = central_window((height, width), (self.height, self.width))
        part = images[:, top : top + height, left : left + width]
        return resize_bilinear(part, self.height, self.width)

    def transform_masks(self, masks: Array, transformation: Transformation) -> Array:
        """Return the masks, cropped like their images."""
        return self.transform(as_floats(masks), transformation)
