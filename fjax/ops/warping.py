"""Operations of `keras.ops.image` that read images at other coordinates."""

from typing import Any

import jax
import jax.scipy.ndimage

from fjax.errors import one_of
from fjax.lowering.image_warping import (
    FILL_MODES,
    ORDERS,
    affine_warp,
    elastic_warp,
    perspective_warp,
)
from fjax.ops.definition import OperationTable
from fjax.ops.layout import on_batch
from fjax.random import key_of
from fjax.typing import Array

op = OperationTable(__name__)


@op.define
def map_coordinates(
    inputs: Array,
    coordinates: Array,
    order: int,
    fill_mode: str = "constant",
    fill_value: float = 0,
) -> Array:
    """Return the entries of an array at coordinates.

    Args:
        inputs: The array.
        coordinates: One array of coordinates for each axis of the inputs, stacked.
        order: 0 for the nearest entry, 1 for linear interpolation.
        fill_mode: What lies beyond the ends: "constant", "nearest", "wrap", "mirror" or "reflect".
        fill_value: The value of "constant".

    Raises:
        ValueError: The coordinates do not fit the array, or an argument is none of these.
    """
    one_of("map_coordinates", "fill_mode", fill_mode, FILL_MODES)
    one_of("map_coordinates", "order", order, [0, 1])
    if coordinates.ndim < 2 or coordinates.shape[0] != inputs.ndim:
        raise ValueError(
            f"`map_coordinates`: an array of {inputs.ndim} axes needs as many arrays of "
            f"coordinates, received the shape {coordinates.shape}."
        )
    return jax.scipy.ndimage.map_coordinates(
        inputs, list(coordinates), order, fill_mode, fill_value
    )


@op.define
def affine_transform(
    images: Array,
    transform: Array,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Array:
    """Return images read at transformed coordinates.

    Args:
        images: The images.
        transform: `(a0, a1, a2, b0, b1, b2, c0, c1)`, or one for each image: the entry at column x
            and row y is read at column `a0 * x + a1 * y + a2` and row `b0 * x + b1 * y + b2`.
            The last two are 0.
        interpolation: "nearest" or "bilinear".
        fill_mode: What lies beyond the image; see `map_coordinates`.
        fill_value: The value of "constant".
        data_format: "channels_last" (default) or "channels_first".

    Raises:
        ValueError: A shape is wrong, or an argument is none of these.
    """
    one_of("affine_transform", "interpolation", interpolation, ORDERS)
    one_of("affine_transform", "fill_mode", fill_mode, FILL_MODES)
    if transform.ndim not in (1, 2) or transform.shape[-1] != 8:
        raise ValueError(
            f"`affine_transform`: a transform has 8 numbers, received the shape {transform.shape}."
        )

    def convert(batch: Array) -> Array:
        return affine_warp(batch, transform, interpolation, fill_mode, fill_value)

    return on_batch("affine_transform", images, data_format, convert)


@op.define
def perspective_transform(
    images: Array,
    start_points: Array,
    end_points: Array,
    interpolation: str = "bilinear",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Array:
    """Return images whose perspective moves four points, given as (column, row), to four others.

    Args:
        images: The images.
        start_points: `(4, 2)`, or one for each image.
        end_points: Likewise.
        interpolation: "nearest" or "bilinear".
        fill_value: The value beyond the image.
        data_format: "channels_last" (default) or "channels_first".

    Raises:
        ValueError: A shape is wrong, or the interpolation is none of these.
    """
    one_of("perspective_transform", "interpolation", interpolation, ORDERS)
    if start_points.shape != end_points.shape or start_points.shape[-2:] != (4, 2):
        raise ValueError(
            "`perspective_transform`: the points must have the shape (4, 2), or (batch, 4, 2), "
            f"received {start_points.shape} and {end_points.shape}."
        )

    def convert(batch: Array) -> Array:
        return perspective_warp(batch, start_points, end_points, interpolation, fill_value)

    return on_batch("perspective_transform", images, data_format, convert)


@op.define
def elastic_transform(
    images: Array,
    alpha: float = 20.0,
    sigma: float = 5.0,
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
    seed: Any = None,
    data_format: str | None = None,
) -> Array:
    """Return images distorted by a smooth random field.

    Args:
        images: The images.
        alpha: The strength of the distortion.
        sigma: Its smoothness: the standard deviation of the Gaussian window.
        interpolation: "nearest" or "bilinear".
        fill_mode: What lies beyond the image; see `map_coordinates`.
        fill_value: The value of "constant".
        seed: An integer, a `SeedGenerator` or None, as for the functions of `fjax.random`.
        data_format: "channels_last" (default) or "channels_first".

    Raises:
        ValueError: An argument is none of these.
    """
    one_of("elastic_transform", "interpolation", interpolation, ORDERS)
    one_of("elastic_transform", "fill_mode", fill_mode, FILL_MODES)
    key = key_of("elastic_transform", seed)

    def convert(batch: Array) -> Array:
        return elastic_warp(
            batch, key, alpha, sigma, int(6 * sigma) | 1, interpolation, fill_mode, fill_value
        )

    return on_batch("elastic_transform", images, data_format, convert)


__all__ = op.names
