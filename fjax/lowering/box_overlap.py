"""How much bounding boxes overlap."""

import math
from typing import Any

import jax.numpy as jnp

from fjax.config import epsilon
from fjax.lowering.box_formats import RELATIVE, areas_of, check_format, convert_format
from fjax.typing import Array


def size_of_image(image_shape: Any) -> tuple[Any, Any]:
    """Return the height and the width of an image's shape `(height, width, channels)`, or None."""
    if image_shape is None:
        return None, None
    height, width, _ = image_shape
    return height, width


def compute_iou(
    boxes1: Any, boxes2: Any, bounding_box_format: str, use_masking: bool = False,
    mask_val: float = -1, image_shape: Any = None,
) -> Array:  # fmt: skip
    """Return the intersection of each pair of boxes, divided by its union.

    Args:
        boxes1: `(m, 4)` or `(batch, m, 4)`.
        boxes2: `(n, 4)` or `(batch, n, 4)`.
        bounding_box_format: The format of both; see `convert_format`.
        use_masking: Whether pairs with a box whose four numbers are all negative, as padding is,
            get `mask_val`.
        mask_val: The value of these pairs.
        image_shape: `(height, width, channels)`; needed for relative formats.

    Returns:
        `(m, n)`, or `(batch, m, n)`.

    Raises:
        ValueError: The boxes do not have two or three axes, the format is unknown, or the shape of
            the image is missing.

    Source: Keras's page "Bounding box utilities".

    >>> compute_iou([[0, 0, 2, 2]], [[1, 0, 3, 2], [5, 5, 6, 6]], "xyxy").round(3).tolist()
    [[0.3330000042915344, 0.0]]
    """
    owner = "compute_iou"
    source = check_format(owner, "bounding_box_format", bounding_box_format)
    if source.startswith(RELATIVE) and image_shape is None:
        raise ValueError(f"`{owner}`: {source!r} needs `image_shape`, the shape of the image.")
    pair = []
    for name, boxes in (("boxes1", boxes1), ("boxes2", boxes2)):
        values = convert_format(boxes, source, "xyxy", *size_of_image(image_shape))
        if values.ndim not in (2, 3):
            raise ValueError(
                f"`{owner}`: `{name}` must have shape (number, 4) or (batch, number, 4), received "
                f"{values.shape}."
            )
        pair.append(values)
    one, two = pair[0][..., :, None, :], pair[1][..., None, :, :]
    shared = _intersections(one, two)
    overlap = shared / (areas_of(one) + areas_of(two) - shared + epsilon())
    if not use_masking:
        return overlap
    # As in Keras, the sign is that of the largest number of a box.
    is_padding = (jnp.max(one, axis=-1) < 0.0) | (jnp.max(two, axis=-1) < 0.0)
    return jnp.where(is_padding, jnp.asarray(mask_val, overlap.dtype), overlap)


def compute_ciou(
    boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: Any = None
) -> Array:
    """Return the complete IoU of boxes with those at the same place: 1 for equal boxes.

    It is their intersection over their union, minus the distance of their centers as a share of the
    diagonal around both, minus a term for different aspect ratios.

    Args:
        boxes1: `(…, 4)`.
        boxes2: `(…, 4)`, of the same shape.
        bounding_box_format: The format of both, which must not be relative, as in Keras.
        image_shape: `(height, width, channels)`; not needed.

    Returns:
        The numbers, `(…)`.

    Raises:
        ValueError: The format is unknown or relative.

    Source: Zheng et al., "Enhancing Geometric Factors in Model Learning and Inference for Object
    Detection and Instance Segmentation" (2020), https://arxiv.org/abs/2005.03572; Keras's page
    "Bounding box utilities".

    >>> compute_ciou([[0, 0, 4, 4], [0, 0, 1, 2]], [[0, 0, 4, 4], [0, 0, 1, 2]], "xyxy").tolist()
    [1.0, 1.0]
    """
    owner = "compute_ciou"
    source = check_format(owner, "bounding_box_format", bounding_box_format)
    if source.startswith(RELATIVE):
        raise ValueError(
            f"`{owner}`: `bounding_box_format` must not be relative, received {source!r}: convert "
            "the boxes first, by `convert_format`."
        )
    one, two = (convert_format(boxes, source, "xyxy") for boxes in (boxes1, boxes2))
    small = epsilon()
    # The heights of both, as Keras has them, are never 0.
    (width1, height1), (width2, height2) = (
        (box[..., 2] - box[..., 0], box[..., 3] - box[..., 1] + small) for box in (one, two)
    )
    shared = _intersections(one, two)
    union = width1 * height1 + width2 * height2 - shared + small
    overlap = shared / (union + small)
    around = jnp.maximum(one[..., 2:], two[..., 2:]) - jnp.minimum(one[..., :2], two[..., :2])
    diagonal = jnp.sum(around**2, axis=-1) + small
    centers = [(box[..., :2] + box[..., 2:]) / 2 for box in (one, two)]
    distance = jnp.sum((centers[0] - centers[1]) ** 2, axis=-1)
    turn = jnp.arctan(width2 / height2) - jnp.arctan(width1 / height1)
    aspect = 4 / math.pi**2 * turn**2
    weight = aspect / (aspect - overlap + 1 + small)
    return overlap - (distance / diagonal + aspect * weight)


def _intersections(one: Array, two: Array) -> Array:
    """Return the area that boxes share, of corners that broadcast."""
    start = jnp.maximum(one[..., :2], two[..., :2])
    end = jnp.minimum(one[..., 2:], two[..., 2:])
    return jnp.prod(jnp.maximum(end - start, 0.0), axis=-1)
