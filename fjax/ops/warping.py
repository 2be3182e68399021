"""Operations of `keras.ops.image` that read images at other coordinates."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.ndimage

from fjax.errors import one_of
from fjax.ops.definition import OperationTable
from fjax.ops.images import filter_channels, gaussian
from fjax.ops.layout import on_batch
from fjax.random import key_of
from fjax.typing import Array

op = OperationTable(__name__)

_ORDERS = {"nearest": 0, "bilinear": 1}
_FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


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
    one_of("map_coordinates", "fill_mode", fill_mode, _FILL_MODES)
    one_of("map_coordinates", "order", order, [0, 1])
    if coordinates.ndim < 2 or coordinates.shape[0] != inputs.ndim:
        raise ValueError(
            f"`map_coordinates`: an array of {inputs.ndim} axes needs as many arrays of "
            f"coordinates, received the shape {coordinates.shape}."
        )
    return jax.scipy.ndimage.map_coordinates(
        inputs, list(coordinates), order, fill_mode, fill_value
    )


def _read(image: Array, rows: Array, columns: Array, order: int, mode: str, fill: Any) -> Array:
    """Return an image `(height, width, channels)` at coordinates, for each channel."""

    def read(channel: Array) -> Array:
        places = [rows, columns]
        return jax.scipy.ndimage.map_coordinates(channel, places, order, mode, fill)

    return jax.vmap(read, in_axes=-1, out_axes=-1)(image)


def _grid(batch: Array) -> tuple[Array, Array]:
    """Return the row and the column of each entry of images."""
    rows, columns = jnp.meshgrid(*map(jnp.arange, batch.shape[1:3]), indexing="ij")
    return rows, columns


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
    order = _ORDERS[one_of("affine_transform", "interpolation", interpolation, _ORDERS)]
    one_of("affine_transform", "fill_mode", fill_mode, _FILL_MODES)
    if transform.ndim not in (1, 2) or transform.shape[-1] != 8:
        raise ValueError(
            f"`affine_transform`: a transform has 8 numbers, received the shape {transform.shape}."
        )

    def convert(batch: Array) -> Array:
        y, x = _grid(batch)
        transforms = jnp.broadcast_to(jnp.atleast_2d(transform), (len(batch), 8))

        def apply(image: Array, t: Array) -> Array:
            rows = y * t[4] + x * t[3] + t[5]
            columns = y * t[1] + x * t[0] + t[2]
            return _read(image, rows, columns, order, fill_mode, fill_value)

        return jax.vmap(apply)(batch, transforms)

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
    order = _ORDERS[one_of("perspective_transform", "interpolation", interpolation, _ORDERS)]
    if start_points.shape != end_points.shape or start_points.shape[-2:] != (4, 2):
        raise ValueError(
            "`perspective_transform`: the points must have the shape (4, 2), or (batch, 4, 2), "
            f"received {start_points.shape} and {end_points.shape}."
        )
    starts, ends = (jnp.asarray(p, "float32") for p in (start_points, end_points))

    def convert(batch: Array) -> Array:
        rows, columns = _grid(batch)

        def apply(image: Array, start: Array, end: Array) -> Array:
            h = _homography(start, end)
            scale = h[6] * columns + h[7] * rows + 1
            x = (h[0] * columns + h[1] * rows + h[2]) / scale
            y = (h[3] * columns + h[4] * rows + h[5]) / scale
            return _read(image, y, x, order, "constant", fill_value)

        shape = (len(batch), 4, 2)
        return jax.vmap(apply)(
            batch, jnp.broadcast_to(starts, shape), jnp.broadcast_to(ends, shape)
        )

    return on_batch("perspective_transform", images, data_format, convert)


def _homography(start: Array, end: Array) -> Array:
    """Return the 8 numbers of the projection that maps the end points to the start points."""
    (u, v), (x, y) = start.T, end.T
    zero, one = jnp.zeros_like(x), jnp.ones_like(x)
    for_u = jnp.stack([x, y, one, zero, zero, zero, -u * x, -u * y], axis=-1)
    for_v = jnp.stack([zero, zero, zero, x, y, one, -v * x, -v * y], axis=-1)
    return jnp.linalg.solve(jnp.concatenate([for_u, for_v]), jnp.concatenate([u, v]))


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
    order = _ORDERS[one_of("elastic_transform", "interpolation", interpolation, _ORDERS)]
    one_of("elastic_transform", "fill_mode", fill_mode, _FILL_MODES)
    window: Sequence[int] = (int(6 * sigma) | 1,) * 2
    key = key_of("elastic_transform", seed)

    def convert(batch: Array) -> Array:
        weights = gaussian(window[0], sigma, batch.dtype)
        # As in Keras, rows and columns are moved by the same amount.
        noise = jax.random.normal(key, batch.shape[:3], batch.dtype) * sigma
        moved = alpha * filter_channels(noise[..., None], jnp.outer(weights, weights))[..., 0]
        rows, columns = _grid(batch)

        def apply(image: Array, by: Array) -> Array:
            return _read(image, rows + by, columns + by, order, fill_mode, fill_value)

        return jax.vmap(apply)(batch, moved)

    return on_batch("elastic_transform", images, data_format, convert)


__all__ = op.names
