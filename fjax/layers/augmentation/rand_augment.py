"""RandAugment: some random transformations out of many."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from fjax.errors import integer_at_least
from fjax.layers.augmentation.composed import ComposedLayer, choose
from fjax.layers.augmentation.image_layer import ImageLayer, Size, Transformation
from fjax.layers.augmentation.ranges import Factor
from fjax.lowering.box_formats import areas_of, clip_corners
from fjax.typing import Array, Key, Shape


class RandAugment(ComposedLayer):
    """Apply some transformations, drawn for each batch out of eleven, in training.

    They are shear, translation, rotation, brightness, color degeneration, contrast, sharpness,
    posterization, solarization, full contrast and equalization.

    Args:
        value_range: The lowest and the highest value of the images.
        num_ops: How many transformations are applied, one after the other.
        factor: The range, within [0, 1], of their factors. One number is (0, factor).
        interpolation: "bilinear" or "nearest".
        seed: Folded into the key, so that layers called with the same key draw different numbers.
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, 3)` or one image without the batch axis, unchanged; integers
    become float32.

    Raises:
        ValueError: An argument is out of range, the inputs do not have 3 or 4 axes, or a training
            call had no key.

    Source: Cubuk et al., "RandAugment" (2019), https://arxiv.org/abs/1909.13719; Keras's page
    "RandAugment layer".

    >>> RandAugment(num_ops=1, factor=0.1)(jnp.ones((2, 8, 8, 3)), training=True).shape
    (2, 8, 8, 3)
    """

    box_handling = "moved"

    value_range: tuple[float, float] = (0, 255)
    num_ops: int = 2
    factor: Factor = 0.5
    interpolation: str = "bilinear"
    seed: int | None = None
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.num_ops = integer_at_least(self.kind, "num_ops", self.num_ops, 1)

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return the numbers of the transformations to apply, and what each of them draws."""
        count = len(self.parts())
        keys = jax.random.split(key, count + 1)
        return {
            "layer_idxes": jax.random.randint(keys[0], (self.num_ops,), 0, count),
            "transforms": self.draw_parts(keys[1:], shape),
        }

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images, transformed several times."""
        return self._apply_chosen(images, transformation, lambda part: part.transform)

    def transform_masks(self, masks: Array, transformation: Transformation) -> Array:
        """Return the masks, moved like their images."""
        return self._apply_chosen(masks, transformation, lambda part: part.transform_masks)

    def transform_boxes(
        self, boxes: Array, transformation: Transformation, size: Size
    ) -> tuple[Array, Size]:
        """Return the boxes, moved several times; what leaves an image does not come back."""

        def method(part: ImageLayer) -> Callable[..., Array]:
            def move(values: Array, drawn: Transformation) -> Array:
                moved = clip_corners(part.transform_boxes(values, drawn, size)[0], *size)
                # A box that is left with no area becomes a point, which stays without one.
                point = jnp.concatenate([moved[..., :2]] * 2, axis=-1)
                return jnp.where(areas_of(moved)[..., None] > 0, moved, point)

            return move

        return self._apply_chosen(boxes, transformation, method), size

    def _apply_chosen(
        self, values: Array, transformation: Transformation, method: Callable[[ImageLayer], Any]
    ) -> Array:
        branches = self.branches(transformation["transforms"], method)
        for number in transformation["layer_idxes"]:
            values = choose(number, branches, values)
        return values
