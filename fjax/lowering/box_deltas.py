"""Bounding boxes as differences from anchors, which detectors predict."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp

from fjax.config import epsilon
from fjax.errors import one_of
from fjax.lowering.box_formats import convert_format
from fjax.lowering.box_overlap import size_of_image
from fjax.typing import Array

CENTERS = ("center_xywh", "center_yxhw")


def encode_box_to_deltas(
    anchors: Any, boxes: Any, anchor_format: str, box_format: str,
    encoding_format: str = "center_yxhw", variance: Any = None, image_shape: Any = None,
) -> Array:  # fmt: skip
    """Return the differences of boxes from anchors: of the centers, and of the logs of the sizes.

    Args:
        anchors: `(number, 4)`.
        boxes: `(number, 4)` or `(batch, number, 4)`.
        anchor_format: The format of the anchors; see `convert_format`.
        box_format: The format of the boxes.
        encoding_format: "center_xywh" or "center_yxhw": the order of the four differences.
        variance: Four numbers that the differences are divided by.
        image_shape: `(height, width, channels)`; needed for relative formats.

    Raises:
        ValueError: A format is unknown, `variance` is not four numbers, or the shape of the image
            is missing.

    Source: Keras's page "Bounding box utilities".

    >>> encode_box_to_deltas([[0, 0, 10, 10]], [[5, 0, 15, 10]], "xyxy", "xyxy").tolist()
    [[0.0, 0.5, 0.0, 0.0]]
    """
    owner = "encode_box_to_deltas"
    one_of(owner, "encoding_format", encoding_format, CENTERS)
    divisor = _variance(owner, variance)
    size = size_of_image(image_shape)
    start = convert_format(anchors, anchor_format, encoding_format, *size)
    end = convert_format(boxes, box_format, encoding_format, *size)
    sizes = jnp.maximum(start[..., 2:], epsilon())
    moves = (end[..., :2] - start[..., :2]) / sizes
    growth = jnp.log(jnp.maximum(end[..., 2:], epsilon()) / sizes)
    moves, growth = jnp.broadcast_arrays(moves, growth)
    deltas = jnp.concatenate([moves, growth], axis=-1)
    return deltas if divisor is None else deltas / divisor


def decode_deltas_to_boxes(
    anchors: Any, boxes_delta: Any, anchor_format: str, box_format: str,
    encoded_format: str = "center_yxhw", variance: Any = None, image_shape: Any = None,
) -> Any:  # fmt: skip
    """Return boxes, from what `encode_box_to_deltas` returned.

    Args:
        anchors: `(number, 4)`; or a dict of such arrays, of which a dict is returned.
        boxes_delta: `(number, 4)` or `(batch, number, 4)`; or a dict with the same keys.
        anchor_format: The format of the anchors; see `convert_format`.
        box_format: The format of the result.
        encoded_format: "center_xywh" or "center_yxhw": the order of the four differences.
        variance: Four numbers that the differences are multiplied by.
        image_shape: `(height, width, channels)`; needed for relative formats.

    Raises:
        ValueError: A format is unknown, `variance` is not four numbers, the shape of the image is
            missing, or only one of the two is a dict.

    Source: Keras's page "Bounding box utilities".

    >>> decode_deltas_to_boxes([[0, 0, 10, 10]], [[0.0, 0.5, 0.0, 0.0]], "xyxy", "xyxy").tolist()
    [[5.0, 0.0, 15.0, 10.0]]
    """
    owner = "decode_deltas_to_boxes"
    one_of(owner, "encoded_format", encoded_format, CENTERS)
    factor = _variance(owner, variance)
    if isinstance(anchors, Mapping) != isinstance(boxes_delta, Mapping):
        raise ValueError(f"`{owner}`: `anchors` and `boxes_delta` must both be dicts, or neither.")
    if isinstance(anchors, Mapping):
        rest = (anchor_format, box_format, encoded_format, variance, image_shape)
        return {
            name: decode_deltas_to_boxes(anchor, boxes_delta[name], *rest)
            for name, anchor in anchors.items()
        }
    size = size_of_image(image_shape)
    start = convert_format(anchors, anchor_format, encoded_format, *size)
    deltas = jnp.asarray(boxes_delta, "float32")
    deltas = deltas if factor is None else deltas * factor
    centers = deltas[..., :2] * start[..., 2:] + start[..., :2]
    sizes = jnp.exp(deltas[..., 2:]) * start[..., 2:]
    boxes = jnp.concatenate([centers, sizes], axis=-1)
    return convert_format(boxes, encoded_format, box_format, *size)


def _variance(owner: str, variance: Any) -> Array | None:
    if variance is None:
        return None
    numbers = jnp.asarray(variance, "float32")
    if numbers.ndim == 0 or numbers.shape[-1] != 4:
        raise ValueError(f"`{owner}`: `variance` must be four numbers, received {variance!r}.")
    return numbers
