"""Random shears of images."""

import jax
import jax.numpy as jnp

from fjax.layers.augmentation.affine import AffineLayer, stack_matrices
from fjax.layers.augmentation.image_layer import Transformation
from fjax.layers.augmentation.ranges import Factor, draw_uniform, stored_factor, strict_range
from fjax.typing import Array, Key, Shape


class RandomShear(AffineLayer):
    """Shear each image by a random amount in training.

    Args:
        x_factor: The range of the shear along the width, within [0, 1]; one number is a range
            around 0. The signs of both shears of an image are flipped with probability 1/2.
        y_factor: The range of the shear along the height, likewise.
        interpolation: "bilinear" or "nearest".
        fill_mode: What lies beyond the image: "reflect", "wrap", "constant" or "nearest".
        fill_value: The value of "constant".
        data_format: "channels_last" (default) or "channels_first".
        seed: Folded into the key, so that layers called with the same key draw different numbers.

    Shapes: `(batch, height, width, channels)` or one image without the batch axis, unchanged;
    integers become float32.

    Raises:
        ValueError: A factor is outside [0, 1] or another argument is unknown, the inputs do not
            have 3 or 4 axes, or a training call had no key.

    Source: Keras's page "RandomShear layer".

    >>> images = jnp.array([[1.0, 2.0], [3.0, 4.0]])[None, :, :, None]
    >>> layer = RandomShear(x_factor=1.0, fill_mode="nearest")
    >>> shears = {"shear_factor": jnp.array([[1.0, 0.0]])}
    >>> layer.transform_images(images, shears).ravel().tolist()
    [1.0, 2.0, 4.0, 4.0]
    """

    x_factor: Factor = 0.0
    y_factor: Factor = 0.0
    interpolation: str = "bilinear"
    fill_mode: str = "reflect"
    fill_value: float = 0.0
    data_format: str | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.x_factor = stored_factor(self.x_factor)
        self.y_factor = stored_factor(self.y_factor)
        self._bounds("x_factor")
        self._bounds("y_factor")

    def _bounds(self, name: str) -> tuple[float, float]:
        value = getattr(self, name)
        # Keras's configurations hold the range around 0, which its own argument does not take.
        is_around_zero = isinstance(value, tuple) and len(value) == 2 and value[0] == -value[1]
        return strict_range(self.kind, name, value[1] if is_around_zero else value, 0.0, 1.0)

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return the shears along width and height, `(batch, 2)`."""
        keys = jax.random.split(key, 3)
        sign = jnp.where(jax.random.uniform(keys[0], (shape[0], 1)) > 0.5, -1.0, 1.0)
        y = draw_uniform(keys[1], (shape[0], 1), self._bounds("y_factor"))
        x = draw_uniform(keys[2], (shape[0], 1), self._bounds("x_factor"))
        return {"shear_factor": jnp.concatenate([x, y], axis=1) * sign}

    def matrices(self, transformation: Transformation, height: int, width: int) -> Array:
        """Return the shears as maps."""
        x, y = jnp.asarray(transformation["shear_factor"]).T
        return stack_matrices(1, x, 0, y, 1, 0)
