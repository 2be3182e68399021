"""The bounding boxes of images as a dict: their check, and a fixed number of them."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from fjax.typing import Array


def boxes_and_labels(owner: str, bounding_boxes: Any) -> tuple[Array, Array]:
    """Return the boxes `([batch,] number, 4)` and the labels `([batch,] number)`, or raise.

    >>> boxes, labels = boxes_and_labels("RandomFlip", {"boxes": [[1, 2, 3, 4]], "labels": [7]})
    >>> boxes.tolist(), labels.tolist()
    ([[1.0, 2.0, 3.0, 4.0]], [7])
    """
    if not isinstance(bounding_boxes, Mapping) or not {"boxes", "labels"} <= set(bounding_boxes):
        received = (
            f"a dict with {sorted(bounding_boxes)}"
            if isinstance(bounding_boxes, Mapping)
            else type(bounding_boxes).__name__
        )
        raise ValueError(
            f"`{owner}`: `bounding_boxes` must be a dict with 'boxes' and 'labels', received "
            f"{received}."
        )
    boxes = _array(owner, "boxes", bounding_boxes["boxes"])
    labels = _array(owner, "labels", bounding_boxes["labels"])
    if boxes.ndim not in (2, 3) or boxes.shape[-1] != 4 or labels.shape != boxes.shape[:-1]:
        raise ValueError(
            f"`{owner}`: bounding boxes must have boxes of shape ([batch,] number, 4) and labels "
            f"of shape ([batch,] number), received {boxes.shape} and {labels.shape}."
        )
    return boxes.astype("float32"), labels


def _array(owner: str, name: str, values: Any) -> Array:
    if isinstance(values, list | tuple):
        try:
            values = np.asarray(values)
        except ValueError:
            raise ValueError(
                f"`{owner}`: the images have different numbers of {name}: pad the lists to one "
                "length, with boxes of -1 and labels of -1."
            ) from None
    return jnp.asarray(values)
