"""Random perspective of images."""

import jax
import jax.numpy as jnp

from fjax.errors import number_between, one_of
from fjax.layers.augmentation.affine import checked_fill_value
from fjax.layers.augmentation.image_layer import ImageLayer, Transformation
from fjax.layers.augmentation.ranges import Factor, draw_event, draw_uniform, factor_range
from fjax.lowering.image_warping import ORDERS, perspective_warp
from fjax.typing import Array, Key, Shape


class RandomPerspective(ImageLayer):
    """Change the perspective of each image with some probability in training.

    Args:
        factor: The range of the probability, which is drawn for each image. One number is
            (0, factor), as in Keras.
        scale: How far the corners move at most, in [0, 1]: each coordinate of a corner, from the
            upper left, is multiplied by a number within `scale / 2` of 1.
        interpolation: "bilinear" or "nearest".
        fill_value: The value beyond the image.
        seed: Folded into the key, so that layers called with the same key draw different numbers.
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, channels)` or one image without the batch axis, unchanged;
    integers become float32.

    Raises:
        ValueError: An argument is out of range, the inputs do not have 3 or 4 axes, or a training
            call had no key.

    Source: Keras's page "RandomPerspective layer".

    >>> images = jnp.arange(12.0).reshape(1, 3, 4, 1)
    >>> bool(jnp.allclose(RandomPerspective(scale=0.0)(images), images, atol=1e-4))
    True
    """

    factor: Factor = 1.0
    scale: float = 1.0
    interpolation: str = "bilinear"
    fill_value: float = 0.0
    seed: int | None = None
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.factor = factor_range(self.kind, "factor", self.factor, 0.0, 1.0)
        self.scale = number_between(self.kind, "scale", self.scale, 0.0, 1.0)
        one_of(self.kind, "interpolation", self.interpolation, ORDERS)
        self.fill_value = checked_fill_value(self.kind, self.fill_value)

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return whether to transform, `(batch,)`, and the corners, `(batch, 4, 2)`."""
        keys = jax.random.split(key)
        batch, bottom, right = shape[0], shape[1] - 1.0, shape[2] - 1.0
        corners = jnp.array([[0.0, 0.0], [right, 0.0], [0.0, bottom], [right, bottom]])
        start = jnp.broadcast_to(corners, (batch, 4, 2))
        moves = draw_uniform(keys[1], (batch, 4, 2), (-0.5 * self.scale, 0.5 * self.scale))
        return {
            "apply_perspective": draw_event(keys[0], batch, self.factor),
            "start_points": start,
            "end_points": start + start * moves,
        }

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images, some of them in another perspective."""
        return self._warp(images, transformation, self.interpolation)

    def transform_masks(self, masks: Array, transformation: Transformation) -> Array:
        """Return the masks, moved like their images; their values are not mixed."""
        return self._warp(masks, transformation, "nearest")

    def _warp(self, images: Array, transformation: Transformation, interpolation: str) -> Array:
        start, end = transformation["start_points"], transformation["end_points"]
        moved = perspective_warp(images, start, end, interpolation, self.fill_value)
        applies = jnp.asarray(transformation["apply_perspective"])[:, None, None, None]
        return jnp.where(applies, moved, images)
