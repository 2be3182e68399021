"""The bases of the random affine transformations of images."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax.layers.augmentation.image_layer import Size, Transformation
from fjax.layers.augmentation.ranges import Factor, Range, draw_uniform, stored_factor
from fjax.layers.augmentation.warping import WarpingLayer
from fjax.lowering.image_warping import affine_warp
from fjax.typing import Array, Key, Shape


class AffineLayer(WarpingLayer):
    """Base of the layers that move the pixels of each image by a random affine map.

    A subclass defines `draw` and `matrices`.
    """

    def matrices(self, transformation: Transformation, height: int, width: int) -> Array:
        """Return the maps from output to input coordinates, `(batch, 8)`; see `affine_warp`."""
        raise NotImplementedError(f"`{self.kind}` defines no `matrices`.")

    def warp(self, images: Array, transformation: Transformation, interpolation: str) -> Array:
        """Return the images, moved by the maps."""
        layer: Any = self
        matrices = self.matrices(transformation, *images.shape[1:3])
        return affine_warp(images, matrices, interpolation, layer.fill_mode, layer.fill_value)

    def projections(self, transformation: Transformation, size: Size) -> Array:
        """Return the maps as matrices, `(batch, 3, 3)`."""
        matrices = self.matrices(transformation, *size)
        last = jnp.ones_like(matrices[:, :1])
        return jnp.concatenate([matrices, last], axis=1).reshape(-1, 3, 3)


class HeightWidthLayer(AffineLayer):
    """Base of the affine layers with a factor for the height and one for the width.

    A subclass defines `bounds` and `matrices`, and `name_draws`, which puts the two draws into a
    transformation.
    """

    height_factor: Factor
    width_factor: Factor
    fill_mode: str = "reflect"
    interpolation: str = "bilinear"
    seed: int | None = None
    fill_value: float = 0.0
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("height_factor", "width_factor"):
            setattr(self, name, stored_factor(getattr(self, name)))
            if getattr(self, name) is not None or name == "height_factor":
                self.bounds(name)

    def bounds(self, name: str) -> Range:
        """Return the range to draw from for one of the two factors, or raise."""
        raise NotImplementedError(f"`{self.kind}` defines no `bounds`.")

    def name_draws(self, along_height: Array, along_width: Array, shape: Shape) -> Transformation:
        """Return two draws for each image, `(batch,)` each, as a transformation."""
        raise NotImplementedError(f"`{self.kind}` defines no `name_draws`.")

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return what is drawn for both axes; without a factor for the width, the same one."""
        keys = jax.random.split(key)
        along_height = draw_uniform(keys[0], (shape[0],), self.bounds("height_factor"))
        along_width = along_height
        if self.width_factor is not None:
            along_width = draw_uniform(keys[1], (shape[0],), self.bounds("width_factor"))
        return self.name_draws(along_height, along_width, shape)


def stack_matrices(*columns: Any) -> Array:
    """Return `(batch, 8)` from six numbers, each one for all images or one for each image.

    >>> stack_matrices(1, 0, jnp.array([2.0, 3.0]), 0, 1, 0).tolist()
    [[1.0, 0.0, 2.0, 0.0, 1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 3.0, 0.0, 1.0, 0.0, 0.0, 0.0]]
    """
    numbers = jnp.broadcast_arrays(*(jnp.asarray(column, "float32") for column in columns))
    return jnp.pad(jnp.stack(numbers, axis=-1), [(0, 0), (0, 2)])
