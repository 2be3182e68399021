"""Pooling: the maximum or the average of windows that slide over the spatial axes."""

import functools
import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from fjax.compiler import compile_function
from fjax.lowering.windows import (
    has_symbolic_size,
    spatial_axes,
    window_count,
    window_padding,
)
from fjax.typing import Array, DType

BinaryFunction = Callable[[Array, Array], Array]

# Windows longer than this use XLA's pooling: one slice per entry of an axis is too many.
MAX_WINDOW_LENGTH = 32
# Windows of more entries than this are reduced one axis at a time.
MAX_TILE_ENTRIES = 16


def max_pooling(
    inputs: Array,
    *,
    window: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "channels_last",
) -> Array:
    """Return the maximum of each window. The gradient goes to the first of equal maxima.

    Args:
        inputs: `(batch, *space, channels)`, or `(batch, channels, *space)` for "channels_first".
        window: The size of the window, for each spatial axis.
        strides: The step from one window to the next, for each spatial axis.
        padding: "valid" or "same"; padding is never the maximum.
        data_format: "channels_last" or "channels_first", for inputs and outputs.

    >>> values = jnp.array([1.0, 3.0, 2.0, 2.0, 5.0]).reshape(1, 5, 1)
    >>> max_pooling(values, window=[2], strides=[2], padding="valid").ravel().tolist()
    [3.0, 2.0]
    """
    return _pool(inputs, "max", tuple(window), tuple(strides), padding, data_format)


def average_pooling(
    inputs: Array,
    *,
    window: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "channels_last",
) -> Array:
    """Return the average of each window; padding does not count.

    The arguments are those of `max_pooling`.

    >>> values = jnp.array([1.0, 3.0, 2.0, 2.0, 5.0]).reshape(1, 5, 1)
    >>> average_pooling(values, window=[2], strides=[2], padding="same").ravel().tolist()
    [2.0, 2.0, 5.0]
    """
    if not jnp.issubdtype(inputs.dtype, jnp.inexact):
        inputs = inputs.astype(jnp.result_type(float))
    sums = _pool(inputs, "sum", tuple(window), tuple(strides), padding, data_format)
    if padding == "valid":
        return sums / math.prod(window)
    counts = np.ones((1,) * inputs.ndim)
    for axis, size, stride in zip(
        spatial_axes(len(window), data_format), window, strides, strict=True
    ):
        length = inputs.shape[axis]
        before, _ = window_padding(length, size, stride, padding)
        starts = np.arange(sums.shape[axis]) * stride - before
        inside = np.minimum(starts + size, length) - np.maximum(starts, 0)
        counts = counts * np.expand_dims(inside, [a for a in range(inputs.ndim) if a != axis])
    return sums / jnp.asarray(counts, inputs.dtype)


# Compiled, so that a call outside of `jit` is one program too; inside `jit`, equal layers are
# traced once.
@functools.partial(compile_function, static_argnums=(1, 2, 3, 4, 5))
def _pool(
    inputs: Array,
    kind: str,
    window: tuple[int, ...],
    strides: tuple[int, ...],
    padding: str,
    data_format: str,
) -> Array:
    """Return the "max" or the "sum" of each window."""
    xla_function, function, initial = _reduction(kind, inputs.dtype)
    axes = spatial_axes(len(window), data_format)
    windows = list(zip(axes, window, strides, strict=True))
    pads = [(0, 0)] * inputs.ndim
    for axis, size, stride in windows:
        pads[axis] = window_padding(inputs.shape[axis], size, stride, padding)

    def by_xla(values: Array) -> Array:
        sizes, steps = [1] * inputs.ndim, [1] * inputs.ndim
        for axis, size, stride in windows:
            sizes[axis], steps[axis] = size, stride
        return lax.reduce_window(values, initial, xla_function, sizes, steps, pads)

    def by_slices(values: Array) -> Array:
        values = jnp.pad(values, pads, constant_values=initial)
        # The number of tiles of a symbolic size would not compare equal to that of XLA.
        is_tiled = kind == "max" and window == strides and not has_symbolic_size(values.shape[1:])
        if is_tiled and math.prod(window) <= MAX_TILE_ENTRIES:
            return _tile_maximum(values, axes.start, window)
        # The last axis first, so that of equal maxima the first in row-major order is found.
        for axis, size, stride in reversed(windows):
            values = functools.reduce(function, _axis_slices(values, axis, size, stride))
        return values

    if max(window) > MAX_WINDOW_LENGTH:
        return by_xla(inputs)
    return lax.platform_dependent(inputs, cpu=by_slices, default=by_xla)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def _tile_maximum(values: Array, first_axis: int, window: tuple[int, ...]) -> Array:
    """Return the maximum of each window, for windows that touch but do not overlap."""
    return functools.reduce(_larger, _tile_slices(values, first_axis, window))


@_tile_maximum.defjvp
def _tile_maximum_jvp(
    first_axis: int, window: tuple[int, ...], primals: tuple[Array], tangents: tuple[Array]
) -> tuple[Array, Array]:
    """Select the tangent at the position of the maximum.

    The transpose is one selection in the shape of the inputs, whereas the transpose of JAX's own
    rule for slices adds up padded arrays.
    """
    slices = _tile_slices(*primals, first_axis, window)
    maximum = functools.reduce(_larger, slices)
    position = jnp.full(maximum.shape, len(slices) - 1, jnp.int32)
    for number, entry in reversed(list(enumerate(slices))):
        position = jnp.where((entry == maximum) | (entry != entry), number, position)
    split = _split_tiles(*tangents, first_axis, window)
    window_axes = tuple(first_axis + 2 * at + 1 for at in range(len(window)))
    numbers = np.arange(len(slices), dtype=np.int32).reshape(window)
    numbers = np.expand_dims(numbers, [a for a in range(split.ndim) if a not in window_axes])
    selected = jnp.expand_dims(position, window_axes) == numbers
    return maximum, jnp.sum(jnp.where(selected, split, 0), window_axes)


def _split_tiles(values: Array, first_axis: int, window: tuple[int, ...]) -> Array:
    """Split each spatial axis into an axis of windows and an axis within the window."""
    for number, size in enumerate(window):
        axis = first_axis + 2 * number
        count = values.shape[axis] // size
        values = lax.slice_in_dim(values, 0, count * size, axis=axis)
        values = values.reshape(*values.shape[:axis], count, size, *values.shape[axis + 1 :])
    return values


def _tile_slices(values: Array, first_axis: int, window: tuple[int, ...]) -> list[Array]:
    """Return one array for each position within the window: the entry there of every window."""
    split = _split_tiles(values, first_axis, window)
    everything = slice(None)
    return [
        split[(everything,) * first_axis + tuple(part for i in index for part in (everything, i))]
        for index in np.ndindex(*window)
    ]


def _axis_slices(values: Array, axis: int, window: int, stride: int) -> list[Array]:
    """Return one array for each offset within windows along one axis: the entry of every window."""
    count = window_count(values.shape[axis], window, stride, "valid")
    if window != stride:
        return [
            lax.slice_in_dim(values, offset, offset + (count - 1) * stride + 1, stride, axis)
            for offset in range(window)
        ]
    # Windows that touch become an axis of their own: the gradient of a reshape is a reshape.
    values = lax.slice_in_dim(values, 0, count * window, axis=axis)
    split = values.reshape(*values.shape[:axis], count, window, *values.shape[axis + 1 :])
    return [lax.index_in_dim(split, offset, axis + 1, keepdims=False) for offset in range(window)]


def _reduction(kind: str, dtype: DType) -> tuple[BinaryFunction, BinaryFunction, np.ndarray]:
    """Return the function that XLA reduces by, the one that slices use, and the initial value."""
    if kind == "sum":
        return lax.add, jnp.add, np.zeros((), dtype)
    lowest = -jnp.inf if jnp.issubdtype(dtype, jnp.floating) else jnp.iinfo(dtype).min
    return lax.max, _larger, np.asarray(lowest, dtype)


def _larger(first: Array, second: Array) -> Array:
    """Return the larger value; the first of equal values; NaN if either is NaN."""
    return jnp.where((second > first) | (second != second), second, first)
