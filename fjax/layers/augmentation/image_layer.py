"""The base of the layers that transform images."""

import functools
from collections.abc import Mapping
from typing import Any, ClassVar

import jax.numpy as jnp

from fjax.configuration import field
from fjax.core.checks import single_input
from fjax.core.layer import Layer
from fjax.errors import seed_of
from fjax.layers.augmentation.box_dicts import boxes_and_labels
from fjax.layers.augmentation.ranges import factor_range, value_range
from fjax.layers.random_layer import require_key
from fjax.layers.spatial import resolve_data_format
from fjax.lowering.box_formats import check_format, clip_to_image_size, convert_format
from fjax.random import key_of
from fjax.typing import Array, Key, Params, PyTree, Shape, State

# What a layer draws for a batch, by name; None if there is nothing to draw.
Transformation = Any

# The height and the width of images.
Size = tuple[int, int]
# The entries of a dict of images and what belongs to them.
DATA_KEYS = ("images", "labels", "segmentation_masks", "bounding_boxes")


class ImageLayer(Layer):
    """Base of the layers that transform images, most of them at random and only in training.

    A subclass has the fields `data_format` and, if it draws, `seed`. It defines `transform`, and
    `draw` for the numbers that `transform` uses. Both see batches with channels last. The fields
    `value_range` and, with `factor_bounds`, `factor` are checked here.

    A layer takes images, or a dict of `images` and of their `labels`, `segmentation_masks` and
    `bounding_boxes`, of which it returns a dict; other entries are passed on. Called on arrays
    without a mode, it is in training mode, as in Keras.

    Bounding boxes are a dict of `boxes`, `(batch, number, 4)`, and `labels`, `(batch, number)`, and
    need the argument `bounding_box_format` (see `fjax.utils.bounding_boxes.convert_format`). They
    move with their images; what leaves the image is cut off, and a box that leaves it gets the
    label -1.

    >>> class Dim(ImageLayer):
    ...     data_format: str | None = None
    ...     seed: int | None = None
    ...     def draw(self, key, shape):
    ...         return {"factor": jax.random.uniform(key, shape[:1])}
    ...     def transform(self, images, transformation):
    ...         return images * transformation["factor"][:, None, None, None]
    >>> import jax
    >>> images = jnp.ones((2, 4, 4, 3))
    >>> outputs, _ = Dim().apply({}, {}, images, key=jax.random.key(0), training=True)
    >>> outputs.shape, bool((outputs < 1).all()), bool((Dim()(images, training=False) == 1).all())
    ((2, 4, 4, 3), True, True)
    """

    rows_independent = True
    # Coordinates of pixels and bytes of colors have more digits than half precision.
    casting = "float32"

    # Whether the images are left as they are outside of training.
    only_in_training: ClassVar[bool] = True

    # What happens to bounding boxes: they are "unchanged", "moved" or "refused".
    box_handling: ClassVar[str] = "unchanged"
    # The bounds of the field `factor`, if `factor_range` is to check it.
    factor_bounds: ClassVar[tuple[float, float] | None] = None

    bounding_box_format: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        layer: Any = self
        layer.data_format = resolve_data_format(self.kind, layer.data_format)
        if self.bounding_box_format is not None:
            name = check_format(self.kind, "bounding_box_format", self.bounding_box_format)
            self.bounding_box_format = name
        if self.factor_bounds is not None:
            layer.factor = factor_range(self.kind, "factor", layer.factor, *self.factor_bounds)
        if hasattr(self, "value_range"):
            layer.value_range = value_range(self.kind, layer.value_range)
        if getattr(self, "seed", None) is not None:
            layer.seed = seed_of(self.kind, layer.seed)

    def draw(self, key: Key, shape: Shape) -> Transformation:
        """Return the random numbers for a batch `(batch, height, width, channels)`, by name."""
        return None

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return a batch of images `(batch, height, width, channels)`, transformed."""
        raise NotImplementedError(f"`{self.kind}` defines no `transform`.")

    def transform_masks(self, masks: Array, transformation: Transformation) -> Array:
        """Return a batch of segmentation masks, transformed: as they are, unless things move."""
        return masks

    def transform_boxes(
        self, boxes: Array, transformation: Transformation, size: Size
    ) -> tuple[Array, Size]:
        """Return boxes, moved like their images, and the size of the images afterwards.

        Args:
            boxes: The corners (left, top, right, bottom) in pixels, `(batch, number, 4)`.
            transformation: What `draw` returned.
            size: The height and the width of the images before.
        """
        return boxes, size

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool | None = False,
    ) -> tuple[PyTree, State]:
        """Return the images, transformed; the mode None is training."""
        data = single_input(self.kind, inputs)
        is_training = training is None or training
        transformation = None
        if is_training and hasattr(self, "seed"):
            key = require_key(self.kind, key, self.seed)
            transformation = self.draw(key, self._batch_shape(data))
        return self._transform_data(data, transformation, is_training), state

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> Transformation:
        """Return the random numbers for images, which `transform_images` takes.

        Args:
            data: The images, or a dict with them.
            training: Whether to draw; otherwise the result is None.
            seed: An integer, a `SeedGenerator`, a JAX key or None, as for `fjax.random`.
        """
        if not training or not hasattr(self, "seed"):
            return None
        return self.draw(key_of(self.kind, seed), self._batch_shape(data))

    def transform_images(
        self, images: Any, transformation: Transformation = None, training: bool = True
    ) -> Array:
        """Return images, transformed by the numbers of `get_random_transformation`."""
        values = as_floats(images)
        self._batch_shape(values)
        if self.only_in_training and not training:
            return values
        return self._on_batch(self.transform, values, transformation)

    def transform_labels(
        self, labels: Any, transformation: Transformation = None, training: bool = True
    ) -> Any:
        """Return the labels of images: as they are, unless images are mixed."""
        return labels

    def transform_segmentation_masks(
        self, segmentation_masks: Any, transformation: Transformation = None, training: bool = True
    ) -> Array:
        """Return segmentation masks, transformed like their images."""
        masks = jnp.asarray(segmentation_masks)
        if self.only_in_training and not training:
            return masks
        return self._on_batch(self.transform_masks, masks, transformation)

    def transform_bounding_boxes(
        self,
        bounding_boxes: Mapping[str, Any],
        transformation: Transformation = None,
        training: bool = True,
        image_size: Size | None = None,
    ) -> dict[str, Any]:
        """Return bounding boxes, transformed like their images.

        Args:
            bounding_boxes: A dict of `boxes` and `labels`, those of a batch or of one image.
            transformation: What `get_random_transformation` returned.
            training: The mode.
            image_size: The height and the width of the images; needed if the boxes move.
        """
        if self.box_handling == "refused":
            raise ValueError(
                f"`{self.kind}` does not transform bounding boxes, as in Keras. Leave out "
                "`bounding_boxes`, or use another layer."
            )
        boxes, labels = boxes_and_labels(self.kind, bounding_boxes)
        rest = {**bounding_boxes, "boxes": boxes, "labels": labels}
        if self.box_handling == "unchanged" or (self.only_in_training and not training):
            return rest
        if self.bounding_box_format is None:
            raise ValueError(
                f"`{self.kind}` received bounding boxes, and needs their format: pass "
                'one, as in `bounding_box_format="xyxy"`.'
            )
        if image_size is None:
            raise ValueError(
                f"`{self.kind}`: `transform_bounding_boxes` needs the `image_size` "
                "(height, width) of the images."
            )
        corners = convert_format(boxes, self.bounding_box_format, "xyxy", *image_size)
        batch = corners if corners.ndim == 3 else corners[None]
        batch, image_size = self.transform_boxes(batch, transformation, image_size)
        moved = {"boxes": batch, "labels": labels if boxes.ndim == 3 else labels[None]}
        moved = clip_to_image_size(moved, *image_size)
        if boxes.ndim == 2:
            moved = {name: values[0] for name, values in moved.items()}
        return {**rest, **convert_format(moved, "xyxy", self.bounding_box_format, *image_size)}

    def _transform_data(self, data: Any, transformation: Transformation, training: bool) -> PyTree:
        """Return images, or a dict with them, transformed."""
        if not isinstance(data, Mapping):
            return self.transform_images(data, transformation, training)
        _, height, width, _ = self._batch_shape(data)
        move_boxes = functools.partial(self.transform_bounding_boxes, image_size=(height, width))
        functions = (
            self.transform_images, self.transform_labels, self.transform_segmentation_masks,
            move_boxes,
        )  # fmt: skip
        of_keys: dict[str, Any] = dict(zip(DATA_KEYS, functions, strict=True))
        # As in Keras, other entries are passed on.
        return {
            name: of_keys[name](values, transformation, training) if name in of_keys else values
            for name, values in data.items()
        }

    def _batch_shape(self, data: Any) -> Shape:
        """Return the shape of images as a batch with channels last, or raise."""
        shape = tuple(jnp.shape(self._images_of(data)))
        if len(shape) not in (3, 4):
            order = "height, width, channels"
            if self._is_channels_first():
                order = "channels, height, width"
            raise ValueError(
                f"`{self.kind}` needs images of shape (batch, {order}), or one image without the "
                f"batch axis, received {shape}."
            )
        *batch, first, second, third = shape
        image = (second, third, first) if self._is_channels_first() else (first, second, third)
        return (*(batch or [1]), *image)

    def _images_of(self, data: Any) -> Any:
        """Return the images of the data: the data itself, or the entry of a dict."""
        if not isinstance(data, Mapping):
            return data
        if "images" not in data:
            raise ValueError(
                f"`{self.kind}` takes images, or a dict with the entry 'images', received a dict "
                f"with {', '.join(map(repr, data))}."
            )
        return data["images"]

    def _is_channels_first(self) -> bool:
        layer: Any = self
        return bool(layer.data_format == "channels_first")

    def _on_batch(self, function: Any, images: Array, transformation: Transformation) -> Array:
        """Return a function of a batch with channels last, for images of any layout."""
        batch = images if images.ndim == 4 else images[None]
        if self._is_channels_first():
            batch = jnp.moveaxis(batch, 1, -1)
        outputs = function(batch, transformation)
        if self._is_channels_first():
            outputs = jnp.moveaxis(outputs, -1, 1)
        return outputs if images.ndim == 4 else outputs[0]


def as_floats(images: Any) -> Array:
    """Return an array of floats: integers become float32.

    >>> as_floats(jnp.array([255], "uint8")).dtype
    dtype('float32')
    """
    values = jnp.asarray(images)
    return values if jnp.issubdtype(values.dtype, jnp.floating) else values.astype(jnp.float32)
