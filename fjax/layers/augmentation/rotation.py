"""Random rotations of images."""

import math

import jax.numpy as jnp

from fjax.layers.augmentation.affine import AffineLayer, stack_matrices
from fjax.layers.augmentation.image_layer import Transformation
from fjax.layers.augmentation.ranges import Factor, draw_uniform
from fjax.typing import Array, Key, Shape


class RandomRotation(AffineLayer):
    """Rotate each image around its center by a random angle in training.

    Args:
        factor: The range of the angle as a share of a full turn, such as (-0.2, 0.3); positive
            angles are counterclockwise. One number is a range around 0.
        fill_mode: What lies beyond the image: "reflect", "wrap", "constant" or "nearest".
        interpolation: "bilinear" or "nearest".
        seed: Folded into the key, so that layers called with the same key draw different numbers.
        fill_value: The value of "constant".
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, channels)` or one image without the batch axis, unchanged;
    integers become float32.

    Raises:
        ValueError: An argument is out of range, the inputs do not have 3 or 4 axes, or a training
            call had no key.

    Source: Keras's page "RandomRotation layer".

    >>> images = jnp.array([[1.0, 2.0], [3.0, 4.0]])[None, :, :, None]
    >>> quarter = RandomRotation((0.25, 0.25))
    >>> quarter(images, training=True).round().ravel().tolist()
    [2.0, 4.0, 1.0, 3.0]
    """

    factor_bounds = (-1.0, 1.0)

    factor: Factor
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"
    seed: int | None = None
    fill_value: float = 0.0
    data_format: str | None = None

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return the angles in degrees, `(batch,)`, and the maps that they give, `(batch, 8)`."""
        bounds = (self.factor[0] * 360.0, self.factor[1] * 360.0)
        angle = draw_uniform(key, (shape[0],), bounds)
        return {"angle": angle, "rotation_matrix": _rotation(angle, *shape[1:3])}

    def matrices(self, transformation: Transformation, height: int, width: int) -> Array:
        """Return the maps that were drawn."""
        return jnp.asarray(transformation["rotation_matrix"])


def _rotation(degrees: Array, height: int, width: int) -> Array:
    """Return the rotations around the center of images, `(batch, 8)`."""
    angle = degrees * jnp.float32(math.pi / 180.0)
    cosine, sine = jnp.cos(angle), jnp.sin(angle)
    x, y = 0.5 * (width - 1), 0.5 * (height - 1)
    return stack_matrices(
        cosine, -sine, x - x * cosine + y * sine, sine, cosine, y - x * sine - y * cosine
    )
