"""Bounding boxes: their formats, and what lies within an image."""

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp

from fjax.errors import one_of
from fjax.typing import Array

# The four numbers of a box, each of shape (…, 1).
Numbers = tuple[Array, Array, Array, Array]


def _split(boxes: Array) -> Numbers:
    first, second, third, fourth = jnp.split(boxes, 4, axis=-1)
    return first, second, third, fourth


def _corners_of_sizes(x: Array, y: Array, width: Array, height: Array) -> Numbers:
    return x, y, x + width, y + height


def _sizes_of_corners(x1: Array, y1: Array, x2: Array, y2: Array) -> Numbers:
    return x1, y1, x2 - x1, y2 - y1


def _corners_of_center(x: Array, y: Array, width: Array, height: Array) -> Numbers:
    half_width, half_height = width / 2.0, height / 2.0
    return x - half_width, y - half_height, x + half_width, y + half_height


def _center_of_corners(x1: Array, y1: Array, x2: Array, y2: Array) -> Numbers:
    return x1 + (x2 - x1) / 2.0, y1 + (y2 - y1) / 2.0, x2 - x1, y2 - y1


def _as_they_are(x1: Array, y1: Array, x2: Array, y2: Array) -> Numbers:
    return x1, y1, x2, y2


Conversion = Callable[[Array, Array, Array, Array], Numbers]
# Of each kind of box: to the corners (left, top, right, bottom), from them, and whether the numbers
# for y come first.
_KINDS: dict[str, tuple[Conversion, Conversion, bool]] = {
    "xyxy": (_as_they_are, _as_they_are, False),
    "yxyx": (_as_they_are, _as_they_are, True),
    "xywh": (_corners_of_sizes, _sizes_of_corners, False),
    "center_xywh": (_corners_of_center, _center_of_corners, False),
    "center_yxhw": (_corners_of_center, _center_of_corners, True),
}
RELATIVE = "rel_"
FORMATS = (*_KINDS, "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh")


def check_format(owner: str, argument: str, value: Any) -> str:
    """Return the name of a format in lower case, or raise."""
    name = value.lower() if isinstance(value, str) else value
    return str(one_of(owner, argument, name, FORMATS))


def require_boxes(owner: str, boxes: Any) -> Array:
    """Return boxes as an array, or raise unless the last axis has their four numbers."""
    values = jnp.asarray(boxes)
    if values.ndim < 1 or values.shape[-1] != 4:
        raise ValueError(
            f"`{owner}`: boxes have shape (…, 4), one row of four numbers for each box, received "
            f"{values.shape}."
        )
    return values


def convert_format(
    boxes: Any, source: str, target: str, height: Any = None, width: Any = None,
    dtype: str = "float32",
) -> Any:  # fmt: skip
    """Return boxes in another format.

    The formats are "xyxy" (left, top, right, bottom), "yxyx" (top, left, bottom, right), "xywh"
    (left, top, width, height), "center_xywh" and "center_yxhw" (the center and the sizes), and
    "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh", whose numbers are shares of the image.
    Capital letters are accepted.

    Args:
        boxes: `(…, 4)`, or a dict whose entry "boxes" is such an array; of a dict a new one is
            returned.
        source: The format of the boxes.
        target: The format of the result.
        height: The height of the image; needed if one of the formats is relative and the other is
            not.
        width: The width of the image, likewise.
        dtype: The dtype of the result.

    Raises:
        ValueError: A format is unknown, the boxes do not have four numbers each, or the size of the
            image is missing.

    Source: Keras's page "Bounding box utilities".

    >>> convert_format([[10, 20, 30, 60]], "xyxy", "center_xywh").tolist()
    [[20.0, 40.0, 20.0, 40.0]]
    >>> convert_format([[10, 20, 30, 60]], "xyxy", "rel_yxyx", height=80, width=40).tolist()
    [[0.25, 0.25, 0.75, 0.75]]
    """
    owner = "convert_format"
    source = check_format(owner, "source", source)
    target = check_format(owner, "target", target)
    if isinstance(boxes, Mapping):
        converted = convert_format(boxes["boxes"], source, target, height, width, dtype)
        return {**boxes, "boxes": converted}
    values = require_boxes(owner, boxes).astype(dtype)
    if source == target:
        return values
    was_relative, is_relative = source.startswith(RELATIVE), target.startswith(RELATIVE)
    sizes: Any = None
    if was_relative != is_relative:
        if height is None or width is None:
            raise ValueError(
                f"`{owner}`: from {source!r} to {target!r} the size of the image is needed, "
                f"received height={height!r} and width={width!r}."
            )
        sizes = jnp.asarray(width, dtype), jnp.asarray(height, dtype)
    to_corners, _, y_first = _KINDS[source.removeprefix(RELATIVE)]
    numbers = to_corners(*_swapped(_split(values), y_first))
    if sizes is not None and was_relative:
        numbers = _swapped_sizes(numbers, sizes, jnp.multiply)
    _, from_corners, y_first = _KINDS[target.removeprefix(RELATIVE)]
    numbers = from_corners(*numbers)
    if sizes is not None and is_relative:
        numbers = _swapped_sizes(numbers, sizes, jnp.divide)
    return jnp.concatenate(_swapped(numbers, y_first), axis=-1)


def _swapped(numbers: Numbers, is_swapped: bool) -> Numbers:
    """Return the numbers with x and y exchanged, or as they are."""
    first, second, third, fourth = numbers
    return (second, first, fourth, third) if is_swapped else numbers


def _swapped_sizes(numbers: Numbers, sizes: tuple[Array, Array], operation: Any) -> Numbers:
    """Return the numbers multiplied or divided by the width and the height of the image."""
    width, height = sizes
    x1, y1, x2, y2 = numbers
    return (
        operation(x1, width), operation(y1, height), operation(x2, width), operation(y2, height),
    )  # fmt: skip


def clip_corners(boxes: Array, height: Any, width: Any) -> Array:
    """Return corners within an image of a size, `(…, 4)` as (left, top, right, bottom).

    >>> clip_corners(jnp.array([-5.0, 1.0, 20.0, 9.0]), 8, 10).tolist()
    [0.0, 1.0, 10.0, 8.0]
    """
    x1, y1, x2, y2 = _split(boxes)
    clipped = [
        jnp.clip(x1, 0, width), jnp.clip(y1, 0, height),
        jnp.clip(x2, 0, width), jnp.clip(y2, 0, height),
    ]  # fmt: skip
    return jnp.concatenate(clipped, axis=-1)


def areas_of(boxes: Array) -> Array:
    """Return the area of each box, `(…)` for corners `(…, 4)`."""
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def clip_to_image_size(
    bounding_boxes: Mapping[str, Any], height: Any = None, width: Any = None,
    bounding_box_format: str = "xyxy",
) -> dict[str, Any]:  # fmt: skip
    """Return boxes within the image; the labels of boxes that lie outside of it become -1.

    Args:
        bounding_boxes: A dict of "boxes", `(…, 4)`, and if need be of "labels", `(…)`.
        height: The height of the image; needed for "xyxy".
        width: The width of the image, likewise.
        bounding_box_format: "xyxy" or "rel_xyxy".

    Raises:
        ValueError: The format is another one, or the size is missing.

    Source: Keras's page "Bounding box utilities".

    >>> boxes = {"boxes": jnp.array([[-5.0, 1.0, 3.0, 4.0], [9.0, 9.0, 12.0, 12.0]]),
    ...     "labels": jnp.array([3, 4])}
    >>> clipped = clip_to_image_size(boxes, height=8, width=8)
    >>> clipped["boxes"].tolist(), clipped["labels"].tolist()
    ([[0.0, 1.0, 3.0, 4.0], [8.0, 8.0, 8.0, 8.0]], [3, -1])
    """
    owner = "clip_to_image_size"
    if bounding_box_format not in ("xyxy", "rel_xyxy"):
        raise ValueError(
            f'`{owner}`: `bounding_box_format` must be "xyxy" or "rel_xyxy", received '
            f"{bounding_box_format!r}: convert the boxes first, by `convert_format`."
        )
    if bounding_box_format == "rel_xyxy":
        height = width = 1.0
    elif height is None or width is None:
        raise ValueError(
            f'`{owner}`: "xyxy" needs the size of the image, received height={height!r} and '
            f"width={width!r}."
        )
    boxes = clip_corners(require_boxes(owner, bounding_boxes["boxes"]), height, width)
    result = {**bounding_boxes, "boxes": boxes}
    if bounding_boxes.get("labels") is not None:
        labels = jnp.asarray(bounding_boxes["labels"])
        result["labels"] = jnp.where(areas_of(boxes) > 0, labels, -1)
    return result
