"""Random zooms of images."""

import jax.numpy as jnp

from fjax.layers.augmentation.affine import HeightWidthLayer, stack_matrices
from fjax.layers.augmentation.image_layer import Transformation
from fjax.layers.augmentation.ranges import Factor, Range, strict_range
from fjax.typing import Array, Shape


class RandomZoom(HeightWidthLayer):
    """Zoom each image by a random factor in training.

    Args:
        height_factor: The range of the zoom of the height, such as (-0.2, 0.3): a positive number
            zooms out, a negative one zooms in. One number is a range around 0.
        width_factor: The range of the zoom of the width; None zooms both alike.
        fill_mode: What lies beyond the image: "reflect", "wrap", "constant" or "nearest".
        interpolation: "bilinear" or "nearest".
        seed: Folded into the key, so that layers called with the same key draw different numbers.
        fill_value: The value of "constant".
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, channels)` or one image without the batch axis, unchanged;
    integers become float32.

    Raises:
        ValueError: A factor is outside (-1, 1] or another argument is unknown, the inputs do not
            have 3 or 4 axes, or a training call had no key.

    Source: Keras's page "RandomZoom layer".

    >>> images = jnp.arange(4.0).reshape(1, 1, 4, 1)
    >>> RandomZoom(0, (-0.5, -0.5))(images, training=True).ravel().tolist()
    [0.75, 1.25, 1.75, 2.25]
    """

    width_factor: Factor = None

    def bounds(self, name: str) -> Range:
        """Return the range of the zoom along an axis; 1 is none."""
        low, high = strict_range(self.kind, name, getattr(self, name), -1.0, 1.0, open_low=True)
        return 1.0 + low, 1.0 + high

    def name_draws(self, along_height: Array, along_width: Array, shape: Shape) -> Transformation:
        """Return the zooms of height and width, `(batch, 1)` each."""
        return {"height_zoom": along_height[:, None], "width_zoom": along_width[:, None]}

    def matrices(self, transformation: Transformation, height: int, width: int) -> Array:
        """Return the zooms around the center."""
        x_zoom = jnp.asarray(transformation["width_zoom"])[:, 0]
        y_zoom = jnp.asarray(transformation["height_zoom"])[:, 0]
        x, y = (width - 1.0) / 2.0, (height - 1.0) / 2.0
        return stack_matrices(x_zoom, 0, x * (1.0 - x_zoom), 0, y_zoom, y * (1.0 - y_zoom))
