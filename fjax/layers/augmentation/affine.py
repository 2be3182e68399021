"""The base of the random affine transformations of images."""

from typing import Any, ClassVar

import jax.numpy as jnp

from fjax.errors import is_number, one_of
from fjax.layers.augmentation.image_layer import ImageLayer, Transformation
from fjax.lowering.image_warping import ORDERS, affine_warp
from fjax.typing import Array

FILL_MODES = ("reflect", "wrap", "constant", "nearest")


class AffineLayer(ImageLayer):
    """Base of the layers that move the pixels of each image by a random affine map.

    A subclass has the fields `fill_mode`, `interpolation` and `fill_value`, and defines `draw` and
    `matrices`.
    """

    fill_modes: ClassVar[tuple[str, ...]] = FILL_MODES

    def __post_init__(self) -> None:
        super().__post_init__()
        layer: Any = self
        one_of(self.kind, "interpolation", layer.interpolation, ORDERS)
        one_of(self.kind, "fill_mode", layer.fill_mode, self.fill_modes)
        layer.fill_value = checked_fill_value(self.kind, layer.fill_value)

    def matrices(self, transformation: Transformation, height: int, width: int) -> Array:
        """Return the maps from output to input coordinates, `(batch, 8)`; see `affine_warp`."""
        raise NotImplementedError(f"`{self.kind}` defines no `matrices`.")

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images, moved."""
        layer: Any = self
        return self._warp(images, transformation, layer.interpolation)

    def transform_masks(self, masks: Array, transformation: Transformation) -> Array:
        """Return the masks, moved like their images; their values are not mixed."""
        return self._warp(masks, transformation, "nearest")

    def _warp(self, images: Array, transformation: Transformation, interpolation: str) -> Array:
        layer: Any = self
        matrices = self.matrices(transformation, *images.shape[1:3])
        return affine_warp(images, matrices, interpolation, layer.fill_mode, layer.fill_value)


def checked_fill_value(owner: str, value: Any) -> float:
    """Return the value of the pixels beyond an image as a float, or raise."""
    if not is_number(value):
        raise ValueError(f"`{owner}`: `fill_value` must be a number, received {value!r}.")
    return float(value)


def stack_matrices(*columns: Any) -> Array:
    """Return `(batch, 8)` from six numbers, each one for all images or one for each image.

    >>> stack_matrices(1, 0, jnp.array([2.0, 3.0]), 0, 1, 0).tolist()
    [[1.0, 0.0, 2.0, 0.0, 1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 3.0, 0.0, 1.0, 0.0, 0.0, 0.0]]
    """
    numbers = jnp.broadcast_arrays(*(jnp.asarray(column, "float32") for column in columns))
    return jnp.pad(jnp.stack(numbers, axis=-1), [(0, 0), (0, 2)])
