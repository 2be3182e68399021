"""Random perspective of images."""

import jax
import jax.numpy as jnp

from fjax.errors import number_between
from fjax.layers.augmentation.image_layer import Size, Transformation
from fjax.layers.augmentation.ranges import Factor, draw_event, draw_uniform, where_chosen
from fjax.layers.augmentation.warping import WarpingLayer
from fjax.lowering.image_warping import homographies, perspective_warp
from fjax.typing import Array, Key, Shape


class RandomPerspective(WarpingLayer):
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

    factor_bounds = (0.0, 1.0)

    factor: Factor = 1.0
    scale: float = 1.0
    interpolation: str = "bilinear"
    fill_value: float = 0.0
    seed: int | None = None
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.scale = number_between(self.kind, "scale", self.scale, 0.0, 1.0)

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

    def warp(self, images: Array, transformation: Transformation, interpolation: str) -> Array:
        """Return the images, some of them in another perspective."""
        start, end = transformation["start_points"], transformation["end_points"]
        moved = perspective_warp(images, start, end, interpolation, self.fill_value)
        return where_chosen(transformation["apply_perspective"], moved, images)

    def projections(self, transformation: Transformation, size: Size) -> Array:
        """Return the perspectives, and the identity for images that are left as they are."""
        maps = homographies(transformation["start_points"], transformation["end_points"])
        chosen = jnp.asarray(transformation["apply_perspective"])[:, None, None]
        return jnp.where(chosen, maps, jnp.eye(3))
