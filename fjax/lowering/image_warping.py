"""Batches of images with channels last, read at other coordinates."""

from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.ndimage

from fjax.lowering.image_filters import filter_channels, gaussian
from fjax.typing import Array, Key

# The order of the spline of each interpolation.
ORDERS = {"nearest": 0, "bilinear": 1}
FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")


def affine_warp(
    images: Array, transforms: Array, interpolation: str, fill_mode: str, fill_value: Any
) -> Array:
    """Return images read at affinely transformed coordinates.

    Args:
        images: `(batch, height, width, channels)`.
        transforms: `(8,)`, `(1, 8)` or `(batch, 8)`, the numbers `(a0, a1, a2, b0, b1, b2, 0, 0)`:
            the entry at column x and row y is read at column `a0 * x + a1 * y + a2` and row
            `b0 * x + b1 * y + b2`.
        interpolation: A key of `ORDERS`.
        fill_mode: What lies beyond the image, one of `FILL_MODES`.
        fill_value: The value of "constant".

    >>> image = jnp.arange(3.0).reshape(1, 1, 3, 1)
    >>> shift = jnp.array([1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0])
    >>> affine_warp(image, shift, "bilinear", "constant", 9.0).ravel().tolist()
    [1.0, 2.0, 9.0]
    """
    y, x = _grid(images)
    transforms = jnp.broadcast_to(jnp.atleast_2d(transforms), (len(images), 8))

    def warp(image: Array, t: Array) -> Array:
        rows = y * t[4] + x * t[3] + t[5]
        columns = y * t[1] + x * t[0] + t[2]
        return _read(image, rows, columns, interpolation, fill_mode, fill_value)

    return jax.vmap(warp)(images, transforms)


def perspective_warp(
    images: Array, start_points: Array, end_points: Array, interpolation: str, fill_value: Any
) -> Array:
    """Return images whose perspective moves four points, given as (column, row), to four others.

    Args:
        images: `(batch, height, width, channels)`.
        start_points: `(4, 2)`, or `(batch, 4, 2)`.
        end_points: Likewise.
        interpolation: A key of `ORDERS`.
        fill_value: The value beyond the image.
    """
    rows, columns = _grid(images)

    def warp(image: Array, h: Array) -> Array:
        scale = h[6] * columns + h[7] * rows + 1
        x = (h[0] * columns + h[1] * rows + h[2]) / scale
        y = (h[3] * columns + h[4] * rows + h[5]) / scale
        return _read(image, y, x, interpolation, "constant", fill_value)

    shape = (len(images), 4, 2)
    starts, ends = (
        jnp.broadcast_to(jnp.asarray(points, "float32"), shape)
        for points in (start_points, end_points)
    )
    return jax.vmap(warp)(images, jax.vmap(_homography)(starts, ends))


def homographies(start_points: Array, end_points: Array) -> Array:
    """Return the projections of `(column, row, 1)` from end points to start points.

    Args:
        start_points: `(batch, 4, 2)`.
        end_points: Likewise.

    Returns:
        `(batch, 3, 3)`.

    >>> corners = jnp.array([[[0.0, 0.0], [3.0, 0.0], [0.0, 2.0], [3.0, 2.0]]])
    >>> homographies(corners, corners)[0].round().astype(int).tolist()
    [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    """
    starts, ends = (jnp.asarray(points, "float32") for points in (start_points, end_points))
    numbers = jax.vmap(_homography)(starts, ends)
    return jnp.concatenate([numbers, jnp.ones_like(numbers[:, :1])], axis=1).reshape(-1, 3, 3)


def elastic_warp(
    images: Array,
    key: Key,
    alpha: Any,
    sigma: Any,
    window: int,
    interpolation: str,
    fill_mode: str,
    fill_value: Any,
) -> Array:
    """Return images distorted by a smooth random field, another one for each image.

    Args:
        images: `(batch, height, width, channels)`.
        key: A PRNG key.
        alpha: The strength of the distortion.
        sigma: Its smoothness: the standard deviation of the Gaussian window.
        window: The size of that window, an odd number. The weights are 0 beyond three deviations,
            so that a larger window changes nothing.
        interpolation: A key of `ORDERS`.
        fill_mode: What lies beyond the image, one of `FILL_MODES`.
        fill_value: The value of "constant".
    """
    weights = _within_three_deviations(window, sigma) * gaussian(window, sigma, images.dtype)
    weights = weights / jnp.sum(weights)
    # As in Keras, rows and columns are moved by the same amount.
    noise = jax.random.normal(key, images.shape[:3], images.dtype) * sigma
    moved = alpha * filter_channels(noise[..., None], jnp.outer(weights, weights))[..., 0]
    rows, columns = _grid(images)

    def warp(image: Array, by: Array) -> Array:
        return _read(image, rows + by, columns + by, interpolation, fill_mode, fill_value)

    return jax.vmap(warp)(images, moved)


def _within_three_deviations(window: int, sigma: Any) -> Array:
    """Return which entries of a window are among the `6 * sigma` in its middle, an odd number."""
    kept = (6 * jnp.asarray(sigma, "float32")).astype("int32") | 1
    return jnp.abs(jnp.arange(window) - window // 2) <= kept // 2


def _read(
    image: Array, rows: Array, columns: Array, interpolation: str, mode: str, fill: Any
) -> Array:
    """Return an image `(height, width, channels)` at coordinates, for each channel."""

    def read(channel: Array) -> Array:
        places = [rows, columns]
        order = ORDERS[interpolation]
        return jax.scipy.ndimage.map_coordinates(channel, places, order, mode, fill)

    return jax.vmap(read, in_axes=-1, out_axes=-1)(image)


def _grid(images: Array) -> tuple[Array, Array]:
    """Return the row and the column of each entry of images."""
    rows, columns = jnp.meshgrid(*map(jnp.arange, images.shape[1:3]), indexing="ij")
    return rows, columns


def _homography(start: Array, end: Array) -> Array:
    """Return the 8 numbers of the projection that maps the end points to the start points."""
    (u, v), (x, y) = start.T, end.T
    zero, one = jnp.zeros_like(x), jnp.ones_like(x)
    for_u = jnp.stack([x, y, one, zero, zero, zero, -u * x, -u * y], axis=-1)
    for_v = jnp.stack([zero, zero, zero, x, y, one, -v * x, -v * y], axis=-1)
    return jnp.linalg.solve(jnp.concatenate([for_u, for_v]), jnp.concatenate([u, v]))
