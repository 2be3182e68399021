"""Random zooms of images."""

import jax
import jax.numpy as jnp

from fjax.layers.augmentation.affine import AffineLayer, stack_matrices
from fjax.layers.augmentation.image_layer import Transformation
from fjax.layers.augmentation.ranges import Factor, draw_uniform, stored_factor, strict_range
from fjax.typing import Array, Key, Shape


class RandomZoom(AffineLayer):
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

    height_factor: Factor
    width_factor: Factor = None
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"
    seed: int | None = None
    fill_value: float = 0.0
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.height_factor = stored_factor(self.height_factor)
        self.width_factor = stored_factor(self.width_factor)
        self._bounds("height_factor")
        if self.width_factor is not None:
            self._bounds("width_factor")

    def _bounds(self, name: str) -> tuple[float, float]:
        """Return the range of the zoom along an axis; 1 is none."""
        low, high = strict_range(self.kind, name, getattr(self, name), -1.0, 1.0, open_low=True)
        return 1.0 + low, 1.0 + high

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return the zooms of height and width, `(batch, 1)` each."""
        keys = jax.random.split(key)
        height = draw_uniform(keys[0], (shape[0], 1), self._bounds("height_factor"))
        if self.width_factor is None:
            return {"height_zoom": height, "width_zoom": height}
        width = draw_uniform(keys[1], (shape[0], 1), self._bounds("width_factor"))
        return {"height_zoom": height, "width_zoom": width}

    def matrices(self, transformation: Transformation, height: int, width: int) -> Array:
        """Return the zooms around the center."""
        x_zoom = jnp.asarray(transformation["width_zoom"])[:, 0]
        y_zoom = jnp.asarray(transformation["height_zoom"])[:, 0]
        x, y = (width - 1.0) / 2.0, (height - 1.0) / 2.0
        return stack_matrices(x_zoom, 0, x * (1.0 - x_zoom), 0, y_zoom, y * (1.0 - y_zoom))
