"""Bounding boxes that move: by affine maps, crops and padding."""

import math
from typing import Any

import jax.numpy as jnp

from fjax.lowering.box_formats import clip_corners, require_boxes
from fjax.typing import Array


def box_around(points: Array) -> Array:
    """Return the smallest boxes around points, `(…, 4)` for points `(…, number, 2)`.

    >>> box_around(jnp.array([[1.0, 5.0], [3.0, 2.0]])).tolist()
    [1.0, 2.0, 3.0, 5.0]
    """
    return jnp.concatenate([jnp.min(points, axis=-2), jnp.max(points, axis=-2)], axis=-1)


def corner_points(boxes: Array) -> Array:
    """Return the four corners of boxes as (column, row), `(…, 4, 2)` for `(…, 4)`."""
    x1, y1, x2, y2 = jnp.moveaxis(boxes, -1, 0)
    columns = jnp.stack([x1, x2, x2, x1], axis=-1)
    rows = jnp.stack([y1, y1, y2, y2], axis=-1)
    return jnp.stack([columns, rows], axis=-1)


def map_boxes(boxes: Array, matrices: Array) -> Array:
    """Return the boxes around the corners that projections move.

    Args:
        boxes: `(batch, number, 4)`, corners in pixels.
        matrices: `(batch, 3, 3)`, maps of (column, row, 1).

    >>> shift = jnp.array([[[1.0, 0.0, 5.0], [0.0, 1.0, -1.0], [0.0, 0.0, 1.0]]])
    >>> map_boxes(jnp.array([[[1.0, 2.0, 3.0, 4.0]]]), shift).tolist()
    [[[6.0, 1.0, 8.0, 3.0]]]
    """
    points = corner_points(boxes)
    ones = jnp.ones_like(points[..., :1])
    moved = jnp.einsum("bnpi,bji->bnpj", jnp.concatenate([points, ones], axis=-1), matrices)
    return box_around(moved[..., :2] / moved[..., 2:])


def _require_corners(owner: str, boxes: Any, bounding_box_format: str) -> Array:
    if bounding_box_format != "xyxy":
        raise ValueError(
            f'`{owner}`: `bounding_box_format` must be "xyxy", received {bounding_box_format!r}: '
            "convert the boxes first, by `convert_format`."
        )
    return require_boxes(owner, boxes)


def affine_transform(
    boxes: Any, angle: Any, translate_x: Any, translate_y: Any, scale: Any, shear_x: Any,
    shear_y: Any, height: Any, width: Any, center_x: Any = None, center_y: Any = None,
    bounding_box_format: str = "xyxy",
) -> Array:  # fmt: skip
    """Return boxes around the corners that a rotation, a shift, a scale and a shear move.

    Args:
        boxes: `(batch, number, 4)`, in pixels.
        angle: The angles of the rotation in degrees, `(batch,)`.
        translate_x: The shifts as shares of the width, `(batch,)`.
        translate_y: The shifts as shares of the height, `(batch,)`.
        scale: The factors, `(batch,)`.
        shear_x: The angles of the shear along the width in degrees, `(batch,)`.
        shear_y: The angles of the shear along the height, likewise.
        height: The height of the images.
        width: The width of the images.
        center_x: The center of the rotation as a share of the width; None is the middle.
        center_y: The center of the rotation as a share of the height; None is the middle.
        bounding_box_format: Only "xyxy".

    Raises:
        ValueError: The boxes have another shape or format.

    Source: Keras's page "Bounding box utilities".

    >>> zeros, ones = jnp.zeros(1), jnp.ones(1)
    >>> turned = affine_transform(jnp.array([[[1.0, 0.0, 3.0, 1.0]]]), 90 * ones, zeros, zeros,
    ...     ones, zeros, zeros, height=5, width=5)
    >>> turned.round().astype(int).tolist()
    [[[0, 1, 1, 3]]]
    """
    owner = "affine_transform"
    values = _require_corners(owner, boxes, bounding_box_format)
    if values.ndim != 3:
        raise ValueError(
            f"`{owner}` takes boxes of shape (batch, number, 4), received {values.shape}."
        )
    x = (0.5 if center_x is None else jnp.asarray(center_x)) * (width - 1)
    y = (0.5 if center_y is None else jnp.asarray(center_y)) * (height - 1)
    degree = math.pi / 180.0
    turn, shear_along_x, shear_along_y = (
        -jnp.asarray(number, "float32") * degree for number in (angle, shear_x, shear_y)
    )
    x_moved = x - jnp.asarray(translate_x) * (width - 1)
    y_moved = y - jnp.asarray(translate_y) * (height - 1)
    rest = turn - shear_along_y
    a = jnp.cos(rest) / jnp.cos(shear_along_y)
    b = a * jnp.tan(shear_along_x) + jnp.sin(turn)
    c = -jnp.sin(rest) / jnp.cos(shear_along_y)
    d = jnp.cos(turn) - c * jnp.tan(shear_along_x)
    columns, rows = (d * scale, -b * scale), (-c * scale, a * scale)
    numbers = [
        *columns, x - columns[0] * x_moved - columns[1] * y_moved,
        *rows, y - rows[0] * x_moved - rows[1] * y_moved,
        0.0, 0.0, 1.0,
    ]  # fmt: skip
    flat = [jnp.broadcast_to(jnp.asarray(n, "float32"), values.shape[:1]) for n in numbers]
    return map_boxes(values.astype("float32"), jnp.stack(flat, axis=-1).reshape(-1, 3, 3))


def crop(
    boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy"
) -> Array:
    """Return boxes in the coordinates of a part of the image, and within it.

    Args:
        boxes: `(…, 4)`, in pixels.
        top: The first row of the part.
        left: The first column of the part.
        height: The height of the part.
        width: The width of the part.
        bounding_box_format: Only "xyxy".

    Raises:
        ValueError: The boxes have another shape or format.

    Source: Keras's page "Bounding box utilities".

    >>> crop(jnp.array([[10, 20, 50, 60]]), top=10, left=20, height=40, width=30).tolist()
    [[0, 10, 30, 40]]
    """
    values = _require_corners("crop", boxes, bounding_box_format)
    return clip_corners(_shifted(values, -left, -top), height, width)


def pad(
    boxes: Any, top: Any, left: Any, height: Any = None, width: Any = None,
    bounding_box_format: str = "xyxy",
) -> Array:  # fmt: skip
    """Return boxes in the coordinates of an image that was padded.

    Args:
        boxes: `(…, 4)`, in pixels.
        top: The number of rows added above.
        left: The number of columns added on the left.
        height: Not used, as in Keras.
        width: Not used, as in Keras.
        bounding_box_format: Only "xyxy".

    Raises:
        ValueError: The boxes have another shape or format.

    Source: Keras's page "Bounding box utilities".

    >>> pad(jnp.array([[10, 20, 50, 60]]), top=1, left=2).tolist()
    [[12, 21, 52, 61]]
    """
    return _shifted(_require_corners("pad", boxes, bounding_box_format), left, top)


def _shifted(boxes: Array, right: Any, down: Any) -> Array:
    x1, y1, x2, y2 = jnp.split(boxes, 4, axis=-1)
    return jnp.concatenate([x1 + right, y1 + down, x2 + right, y2 + down], axis=-1)
