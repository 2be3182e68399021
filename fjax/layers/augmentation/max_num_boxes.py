"""A fixed number of bounding boxes."""

from typing import Any

import jax.numpy as jnp

from fjax.errors import integer_at_least, is_integer
from fjax.layers.augmentation.box_dicts import boxes_and_labels
from fjax.layers.augmentation.image_layer import ImageLayer, Size, Transformation
from fjax.typing import Array


class MaxNumBoundingBoxes(ImageLayer):
    """Give each image the same number of bounding boxes: drop those beyond it, or pad them.

    Images, labels and masks are left as they are, in training and in inference.

    Args:
        max_number: The number of boxes.
        fill_value: The four numbers and the label of added boxes.
        data_format: "channels_last" (default) or "channels_first".
        bounding_box_format: The format of the boxes; not needed.

    Shapes: a dict of `images` and `bounding_boxes`, with boxes `(batch, any_number, 4)`, to boxes
    `(batch, max_number, 4)` and labels `(batch, max_number)`.

    Raises:
        ValueError: `max_number` is not positive, or the boxes have another shape.

    Source: Keras's page "MaxNumBoundingBoxes layer".

    >>> boxes = {"boxes": jnp.ones((1, 2, 4)), "labels": jnp.array([[5, 6]])}
    >>> data = {"images": jnp.ones((1, 4, 4, 3)), "bounding_boxes": boxes}
    >>> MaxNumBoundingBoxes(3)(data)["bounding_boxes"]["labels"].tolist()
    [[5, 6, -1]]
    """

    only_in_training = False

    max_number: int
    fill_value: int = -1
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.max_number = integer_at_least(self.kind, "max_number", self.max_number, 1)
        if not is_integer(self.fill_value):
            raise ValueError(
                f"`{self.kind}`: `fill_value` must be an integer, received {self.fill_value!r}."
            )

    def transform_images(
        self, images: Any, transformation: Transformation = None, training: bool = True
    ) -> Array:
        """Return the images as they are, integers included."""
        return jnp.asarray(images)

    def transform_bounding_boxes(
        self,
        bounding_boxes: Any,
        transformation: Transformation = None,
        training: bool = True,
        image_size: Size | None = None,
    ) -> dict[str, Any]:
        """Return the first boxes, and more of `fill_value` if there are too few."""
        boxes, labels = boxes_and_labels(self.kind, bounding_boxes)
        axis = labels.ndim - 1
        missing = max(self.max_number - labels.shape[axis], 0)
        pads = [(0, 0)] * axis + [(0, missing)]
        boxes, labels = boxes[..., : self.max_number, :], labels[..., : self.max_number]
        return {
            **bounding_boxes,
            "boxes": jnp.pad(boxes, [*pads, (0, 0)], constant_values=self.fill_value),
            "labels": jnp.pad(labels, pads, constant_values=self.fill_value),
        }
