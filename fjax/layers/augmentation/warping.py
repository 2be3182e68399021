"""The base of the layers that read images at other places."""

from typing import Any, ClassVar

import jax.numpy as jnp

from fjax.errors import is_number, one_of
from fjax.layers.augmentation.image_layer import ImageLayer, Size, Transformation
from fjax.lowering.box_geometry import map_boxes
from fjax.lowering.image_warping import ORDERS
from fjax.typing import Array

FILL_MODES = ("reflect", "wrap", "constant", "nearest")


class WarpingLayer(ImageLayer):
    """Base of the layers that read the pixels of each image at random other places.

    A subclass has the fields `interpolation`, `fill_value` and, unless it has no choice,
    `fill_mode`. It defines `draw` and `warp`, and `projections` if it moves bounding boxes.
    """

    box_handling = "moved"
    fill_modes: ClassVar[tuple[str, ...]] = FILL_MODES

    def __post_init__(self) -> None:
        super().__post_init__()
        layer: Any = self
        one_of(self.kind, "interpolation", layer.interpolation, ORDERS)
        if hasattr(self, "fill_mode"):
            one_of(self.kind, "fill_mode", self.fill_mode, self.fill_modes)
        if not is_number(layer.fill_value):
            raise ValueError(
                f"`{self.kind}`: `fill_value` must be a number, received {layer.fill_value!r}."
            )
        layer.fill_value = float(layer.fill_value)

    def warp(self, images: Array, transformation: Transformation, interpolation: str) -> Array:
        """Return the images, read at other places."""
        raise NotImplementedError(f"`{self.kind}` defines no `warp`.")

    def projections(self, transformation: Transformation, size: Size) -> Array:
        """Return the maps from output to input places (column, row, 1), `(batch, 3, 3)`."""
        raise NotImplementedError(f"`{self.kind}` defines no `projections`.")

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images, moved."""
        layer: Any = self
        return self.warp(images, transformation, layer.interpolation)

    def transform_masks(self, masks: Array, transformation: Transformation) -> Array:
        """Return the masks, moved like their images; their values are not mixed."""
        return self.warp(masks, transformation, "nearest")

    def transform_boxes(
        self, boxes: Array, transformation: Transformation, size: Size
    ) -> tuple[Array, Size]:
        """Return the boxes around the moved corners."""
        return map_boxes(boxes, jnp.linalg.inv(self.projections(transformation, size))), size
