"""Contrast limited adaptive histogram equalization (CLAHE) of images."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax.errors import is_integer, number_between
from fjax.layers.augmentation.image_layer import ImageLayer, Transformation
from fjax.layers.augmentation.ranges import rescale
from fjax.typing import Array

LEVELS = 256


class ContrastLimitedAdaptiveHistogramEqualization(ImageLayer):
    """Equalize the histograms of the tiles of each image, in training and in inference.

    Each channel of each image is cut into tiles, which have a table of new values each; a pixel
    becomes the bilinear mean of its value in the tables of the four nearest tiles.

    Args:
        value_range: The lowest and the highest value of the images.
        clip_limit: The most pixels of one value that a histogram counts, as a multiple of their
            mean number; the rest is spread over all values. 0 is no limit.
        tile_grid_size: The number of tiles along height and width.
        data_format: "channels_last" (default) or "channels_first".

    Shapes: `(batch, height, width, channels)` or one image without the batch axis, unchanged;
    integers become float32.

    Raises:
        ValueError: An argument is out of range, or the inputs do not have 3 or 4 axes.

    Source: Zuiderveld, "Contrast Limited Adaptive Histogram Equalization" (1994); Keras's page
    "ContrastLimitedAdaptiveHistogramEqualization layer".

    >>> layer = ContrastLimitedAdaptiveHistogramEqualization(clip_limit=0, tile_grid_size=(1, 1))
    >>> layer(jnp.array([[[10.0], [20.0], [30.0]]])).ravel().tolist()
    [85.0, 170.0, 255.0]
    """

    only_in_training = False

    value_range: tuple[float, float] = (0, 255)
    clip_limit: float = 4.0
    tile_grid_size: tuple[int, int] = (8, 8)
    data_format: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.clip_limit = number_between(self.kind, "clip_limit", self.clip_limit, 0.0)
        grid: Any = self.tile_grid_size
        if not isinstance(grid, list | tuple) or len(grid) != 2 or not all(
            is_integer(size) and size > 0 for size in grid
        ):  # fmt: skip
            raise ValueError(
                f"`{self.kind}`: `tile_grid_size` must be two positive integers, received {grid!r}."
            )
        self.tile_grid_size = (int(grid[0]), int(grid[1]))

    def transform(self, images: Array, transformation: Transformation) -> Array:
        """Return the images with equalized tiles."""
        # In half precision there would be fewer levels.
        values = rescale(images.astype("float32"), self.value_range, (0.0, 255.0))
        levels = jnp.clip(values, 0, LEVELS - 1).astype("int32")
        equalized = jax.vmap(jax.vmap(self._equalize))(jnp.moveaxis(levels, -1, 1))
        outputs = rescale(jnp.moveaxis(equalized, 1, -1), (0.0, 255.0), self.value_range)
        return outputs.astype(images.dtype)

    def _equalize(self, channel: Array) -> Array:
        """Return one channel of an image, `(height, width)` of integers, as new values."""
        (height, width), (rows, columns) = channel.shape, self.tile_grid_size
        tile_height, tile_width = -(-height // rows), -(-width // columns)
        missing = ((0, tile_height * rows - height), (0, tile_width * columns - width))
        padded = jnp.pad(channel, missing, mode="symmetric")
        tiles = padded.reshape(rows, tile_height, columns, tile_width).swapaxes(1, 2)
        tables = jax.vmap(jax.vmap(self._table))(tiles.reshape(rows, columns, -1))
        # The tiles at the edges are repeated beyond them.
        tables = jnp.pad(tables, ((1, 1), (1, 1), (0, 0)), mode="edge")
        top, bottom, down = _neighbors(height, tile_height, rows)
        left, right, across = _neighbors(width, tile_width, columns)

        def read(row: Array, column: Array) -> Array:
            return tables[row[:, None], column[None, :], channel]

        upper = read(top, left) * (1.0 - across) + read(top, right) * across
        lower = read(bottom, left) * (1.0 - across) + read(bottom, right) * across
        return upper * (1.0 - down[:, None]) + lower * down[:, None]

    def _table(self, tile: Array) -> Array:
        """Return the new value of each level in a tile, given as its levels, `(pixels,)`."""
        counts = jnp.zeros(LEVELS, "float32").at[tile].add(1.0)
        if self.clip_limit > 0:
            limited = jnp.minimum(counts, self.clip_limit * tile.size / LEVELS)
            counts = limited + jnp.sum(counts - limited) / LEVELS
        total = jnp.cumsum(counts)
        first = total[0]
        rest = tile.size - first
        shares = (total - first) * (LEVELS - 1.0) / jnp.where(rest == 0, 1.0, rest)
        return jnp.clip(shares, 0.0, LEVELS - 1.0)


def _neighbors(length: int, tile: int, count: int) -> tuple[Array, Array, Array]:
    """Return for each pixel of an axis the tiles before and after it, and the second's weight.

    The tiles are numbered from 1, since one is repeated before the first and one after the last.
    """
    places = (jnp.arange(length, dtype="float32") - tile / 2.0) / tile + 1.0
    before = jnp.floor(places)
    after = jnp.clip(before + 1.0, 0, count + 1).astype("int32")
    return jnp.clip(before, 0, count + 1).astype("int32"), after, places - before
