"""Layers that change the resolution of sequences, images and volumes."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax.configuration import field
from fjax.errors import integer_at_least, is_integer, is_number, one_of
from fjax.layers.augmentation.cropping import Window
from fjax.layers.augmentation.image_layer import ImageLayer, Size, Transformation
from fjax.layers.spatial import AXIS_NAMES, SpatialLayer
from fjax.lowering.box_geometry import crop
from fjax.typing import Array, Params, Shape

INTERPOLATIONS = ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"]


class UpSampling(SpatialLayer):
    """Base class of the upsampling layers; `rank` is the number of spatial axes."""

    size: Any = 2
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = self.size if isinstance(self.size, list | tuple) else (self.size,) * self.rank
        if len(sizes) != self.rank or not all(is_integer(size) and size > 0 for size in sizes):
            names = ", ".join(AXIS_NAMES[self.rank])
            alternative = f", or one for each of ({names})" if self.rank > 1 else ""
            raise ValueError(
                f"`{self.kind}`: `size` must be an integer of at least 1{alternative}, "
                f"received {self.size!r}."
            )
        self.size = tuple(int(size) for size in sizes) if self.rank > 1 else int(sizes[0])

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return the values with each entry repeated."""
        for axis, factor in self.axis_factors():
            values = jnp.repeat(values, factor, axis=axis)
        return values

    def axis_factors(self) -> list[tuple[int, int]]:
        """Return each spatial axis with its factor."""
        first = 2 if self.data_format == "channels_first" else 1
        factors = self.size if isinstance(self.size, tuple) else (self.size,)
        return list(enumerate(factors, first))


class UpSampling1D(UpSampling):
    """Repeat each step of sequences.

    Args:
        size: The number of repetitions of each step.

    Shapes: `(batch, time, channels)` to `(batch, size * time, channels)`.

    Raises:
        ValueError: `size` is not positive, or the inputs do not have 3 axes.

    Source: Keras's page "UpSampling1D layer".

    >>> import jax.numpy as jnp
    >>> UpSampling1D(2).apply({}, {}, jnp.array([[[1.0], [3.0]]]))[0].ravel().tolist()
    [1.0, 1.0, 3.0, 3.0]
    """

    rank = 1

    data_format: str | None = field(default=None, init=False, repr=False)


class UpSampling2D(UpSampling):
    """Enlarge images by integer factors.

    Args:
        size: The factor, or a factor for each of (height, width).
        data_format: "channels_last" (default) or "channels_first".
        interpolation: "nearest", which repeats each pixel, "bilinear", "bicubic", "lanczos3" or
            "lanczos5".

    Shapes: `(batch, height, width, channels)`, or with channels first, to larger images.

    Raises:
        ValueError: A factor is not positive, the interpolation is unknown, or the inputs do not
            have 4 axes.

    Source: Keras's page "UpSampling2D layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = UpSampling2D((2, 3)).apply({}, {}, jnp.ones((32, 4, 5, 3)))
    >>> outputs.shape
    (32, 8, 15, 3)
    """

    rank = 2

    size: Any = (2, 2)
    interpolation: str = "nearest"

    def __post_init__(self) -> None:
        super().__post_init__()
        name: Any = self.interpolation
        name = name.lower() if isinstance(name, str) else name
        self.interpolation = one_of("UpSampling2D", "interpolation", name, INTERPOLATIONS)

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return the enlarged images."""
        if self.interpolation == "nearest":
            return super().compute_outputs(params, values)
        factors = dict(self.axis_factors())
        shape = tuple(size * factors.get(axis, 1) for axis, size in enumerate(values.shape))
        return _resample(values, shape, self.interpolation, antialias=False)


class UpSampling3D(UpSampling):
    """Repeat each entry of volumes.

    Args:
        size: The number of repetitions, or one for each of (depth, height, width).
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, depth, height, width, channels)`, or with channels first, to larger volumes.

    Raises:
        ValueError: A factor is not positive, or the inputs do not have 5 axes.

    Source: Keras's page "UpSampling3D layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = UpSampling3D().apply({}, {}, jnp.ones((8, 2, 3, 4, 1)))
    >>> outputs.shape
    (8, 4, 6, 8, 1)
    """

    rank = 3

    size: Any = (2, 2, 2)


class Resizing(ImageLayer):
    """Resize images to a given height and width.

    Args:
        height: The new height.
        width: The new width.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        crop_to_aspect_ratio: Whether to crop the images around their center first, so that they
            are not distorted.
        pad_to_aspect_ratio: Whether to pad the images with `fill_value` first, so that they are not
            distorted.
        fill_mode: The padding mode; only "constant" is supported.
        fill_value: The value of the padding.
        antialias: Whether to smooth images that become smaller.
        data_format: "channels_last" (default) or "channels_first".
        bounding_box_format: The format of the bounding boxes in a dict; see
            `fjax.utils.bounding_boxes.convert_format`.

    Shapes: `(batch, height, width, channels)`, or with channels first; or one image without a
    batch axis. The dtype is kept: integer images are rounded. Or a dict of `images` and their
    `labels`, `segmentation_masks` and `bounding_boxes`: values of masks are not mixed, and boxes of
    zeros or of -1, as padding is, become zeros with the label -1.

    Raises:
        ValueError: A size is not positive, the interpolation is unknown, both cropping and padding
            are requested, or the inputs do not have 3 or 4 axes.

    Source: Keras's page "Resizing layer".

    >>> import jax.numpy as jnp
    >>> outputs, _ = Resizing(14, 20).apply({}, {}, jnp.ones((32, 28, 28, 3)))
    >>> outputs.shape
    (32, 14, 20, 3)
    """

    only_in_training = False
    box_handling = "moved"

    height: int
    width: int
    interpolation: str = "bilinear"
    crop_to_aspect_ratio: bool = False
    pad_to_aspect_ratio: bool = False
    fill_mode: str = "constant"
    fill_value: float = 0.0
    antialias: bool = False
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = "Resizing"
        self.height = integer_at_least(owner, "height", self.height, 1)
        self.width = integer_at_least(owner, "width", self.width, 1)
        one_of(owner, "interpolation", self.interpolation, INTERPOLATIONS)
        one_of(owner, "fill_mode", self.fill_mode, ["constant"])
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise ValueError(
                "`Resizing`: `crop_to_aspect_ratio` and `pad_to_aspect_ratio` cannot both be True: "
                "set only one of them."
            )
        if not is_number(self.fill_value):
            raise ValueError(
                f"`Resizing`: `fill_value` must be a number, received {self.fill_value!r}."
            )

    def transform_images(
        self, images: Any, transformation: Transformation = None, training: bool = True
    ) -> Array:
        """Return the resized images, in their dtype."""
        return self._resized(jnp.asarray(images), self.interpolation)

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Transformation = None, training: bool = True
    ) -> Array:
        """Return the resized masks, whose values are not mixed."""
        return self._resized(jnp.asarray(segmentation_masks), "nearest")

    def transform_boxes(
        self, boxes: Array, transformation: Transformation, size: Size
    ) -> tuple[Array, Size]:
        """Return the boxes in the resized images."""
        is_padding = jnp.all(boxes == -1, axis=-1) | jnp.all(boxes == 0, axis=-1)
        top, left, height, width = self._window(*size)
        growth = jnp.array([self.width / width, self.height / height] * 2, boxes.dtype)
        moved = crop(boxes, top, left, height, width) * growth
        return jnp.where(is_padding[..., None], 0.0, moved), (self.height, self.width)

    def _resized(self, values: Array, interpolation: str) -> Array:
        if values.ndim not in (3, 4):
            raise ValueError(
                "`Resizing` needs images of shape (batch, height, width, channels), or one image "
                f"without the batch axis, received {tuple(values.shape)}."
            )
        first = values.ndim - (2 if self.data_format == "channels_first" else 3)
        top, left, height, width = self._window(*values.shape[first : first + 2])
        if self.crop_to_aspect_ratio:
            values = jax.lax.slice_in_dim(values, top, top + height, axis=first)
            values = jax.lax.slice_in_dim(values, left, left + width, axis=first + 1)
        elif self.pad_to_aspect_ratio:
            padding = [(0, 0)] * values.ndim
            padding[first], padding[first + 1] = (-top, -top), (-left, -left)
            values = jnp.pad(values, padding, constant_values=self.fill_value)
        shape = (*values.shape[:first], self.height, self.width, *values.shape[first + 2 :])
        return _resample(values, shape, interpolation, self.antialias)

    def _window(self, height: int, width: int) -> Window:
        """Return the part of images that is resized; it is larger than they are to pad them."""
        # The height for this width, and the width for this height, at the new aspect ratio.
        target_height = width * self.height // self.width
        target_width = height * self.width // self.height
        if self.crop_to_aspect_ratio:
            cropped_height = max(min(height, target_height), 1)
            cropped_width = max(min(width, target_width), 1)
            top, left = (height - cropped_height) // 2, (width - cropped_width) // 2
            return Window(top, left, cropped_height, cropped_width)
        if self.pad_to_aspect_ratio:
            # As in Keras, both sides get the same padding, rounded down.
            below = max((target_height - height) // 2, 0)
            beside = max((target_width - width) // 2, 0)
            return Window(-below, -beside, height + 2 * below, width + 2 * beside)
        return Window(0, 0, height, width)


def _resample(values: Array, shape: Shape, interpolation: str, antialias: bool) -> Array:
    """Return values resampled to a shape, in the same dtype."""
    if interpolation == "nearest":
        return jax.image.resize(values, shape, "nearest")
    # Half precision cannot represent the sampling positions accurately.
    wide = values.astype(jnp.promote_types(values.dtype, jnp.float32))
    resized = jax.image.resize(wide, shape, interpolation, antialias=antialias)
    if jnp.issubdtype(values.dtype, jnp.integer):
        limits = jnp.iinfo(values.dtype)
        resized = jnp.clip(jnp.round(resized), limits.min, limits.max)
    return resized.astype(values.dtype)
