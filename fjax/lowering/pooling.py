"""Pooling: the maximum or the average of windows that slide over the spatial axes."""

import functools
import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from fjax.compiler import compile_function
from fjax.lowering.windows import spatial_axes, window_count, window_padding
from fjax.typing import Array, DType

Combination = Callable[[Array, Array], Array]

# Longer windows are left to the library: a slice for each place of an axis is too many.
LONGEST_WINDOW = 32
# Windows side by side with more places than this are combined an axis at a time.
MOST_PLACES = 16


def max_pooling(
    inputs: Array,
    *,
    window: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "channels_last",
) -> Array:
    """Return the maximum of each window. Its gradient goes to the first place that has it.

    Args:
        inputs: `(batch, *space, channels)`, or `(batch, channels, *space)` by `data_format`.
        window: The window's size, one number for each spatial axis.
        strides: The steps between windows, one for each spatial axis.
        padding: "valid" or "same"; what is added never is the maximum.
        data_format: "channels_last" or "channels_first"; the outputs have it too.

    >>> values = jnp.array([1.0, 3.0, 2.0, 2.0, 5.0]).reshape(1, 5, 1)
    >>> max_pooling(values, window=[2], strides=[2], padding="valid").ravel().tolist()
    [3.0, 2.0]
    """
    return _pooled(inputs, "max", tuple(window), tuple(strides), padding, data_format)


def average_pooling(
    inputs: Array,
    *,
    window: Sequence[int],
    strides: Sequence[int],
    padding: str,
    data_format: str = "channels_last",
) -> Array:
    """Return the average of each window, over those of its places that lie within the inputs.

    The arguments are those of `max_pooling`.

    >>> values = jnp.array([1.0, 3.0, 2.0, 2.0, 5.0]).reshape(1, 5, 1)
    >>> average_pooling(values, window=[2], strides=[2], padding="same").ravel().tolist()
    [2.0, 2.0, 5.0]
    """
    if not jnp.issubdtype(inputs.dtype, jnp.inexact):
        inputs = inputs.astype(jnp.result_type(float))
    sums = _pooled(inputs, "sum", tuple(window), tuple(strides), padding, data_format)
    if padding == "valid":
        return sums / math.prod(window)
    counts = np.ones((1,) * inputs.ndim)
    for axis, size, stride in zip(
        spatial_axes(len(window), data_format), window, strides, strict=True
    ):
        before, _ = window_padding(inputs.shape[axis], size, stride, padding)
        starts = np.arange(sums.shape[axis]) * stride - before
        within = np.minimum(starts + size, inputs.shape[axis]) - np.maximum(starts, 0)
        counts = counts * np.expand_dims(within, [a for a in range(inputs.ndim) if a != axis])
    return sums / jnp.asarray(counts, inputs.dtype)


# One program also where nobody compiles around it, and traced once for equal layers of a network.
@functools.partial(compile_function, static_argnums=(1, 2, 3, 4, 5))
def _pooled(
    inputs: Array,
    kind: str,
    window: tuple[int, ...],
    strides: tuple[int, ...],
    padding: str,
    data_format: str,
) -> Array:
    combine, in_order, initial = _reduction(kind, inputs.dtype)
    axes = spatial_axes(len(window), data_format)
    along = list(zip(axes, window, strides, strict=True))
    around = [(0, 0)] * inputs.ndim
    for axis, size, stride in along:
        around[axis] = window_padding(inputs.shape[axis], size, stride, padding)

    def by_library(values: Array) -> Array:
        sizes, steps = [1] * inputs.ndim, [1] * inputs.ndim
        for axis, size, stride in along:
            sizes[axis], steps[axis] = size, stride
        return lax.reduce_window(values, initial, combine, sizes, steps, around)

    def by_slices(values: Array) -> Array:
        values = jnp.pad(values, around, constant_values=initial)
        if kind == "max" and window == strides and math.prod(window) <= MOST_PLACES:
            return _side_by_side_maximum(values, axes.start, window)
        # The last axis first: of equal values the first one of all is then found first.
        for axis, size, stride in reversed(along):
            values = functools.reduce(in_order, _places(values, axis, size, stride))
        return values

    if max(window) > LONGEST_WINDOW:
        return by_library(inputs)
    return lax.platform_dependent(inputs, cpu=by_slices, default=by_library)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def _side_by_side_maximum(values: Array, first_axis: int, window: tuple[int, ...]) -> Array:
    """Return the maximum of each window, where the windows touch and do not overlap."""
    return functools.reduce(_larger, _places_side_by_side(values, first_axis, window))


@_side_by_side_maximum.defjvp
def _side_by_side_maximum_jvp(
    first_axis: int, window: tuple[int, ...], primals: tuple[Array], tangents: tuple[Array]
) -> tuple[Array, Array]:
    """Read the tangent where the maximum was.

    Transposed that is one selection in the shape of the inputs, where JAX's own rule for the
    slices adds up padded arrays.
    """
    places = _places_side_by_side(*primals, first_axis, window)
    maximum = functools.reduce(_larger, places)
    first = jnp.full(maximum.shape, len(places) - 1, jnp.int32)
    for number, place in reversed(list(enumerate(places))):
        first = jnp.where((place == maximum) | (place != place), number, first)
    split = _split(*tangents, first_axis, window)
    within = tuple(first_axis + 2 * at + 1 for at in range(len(window)))
    numbers = np.arange(len(places), dtype=np.int32).reshape(window)
    numbers = np.expand_dims(numbers, [axis for axis in range(split.ndim) if axis not in within])
    chosen = jnp.expand_dims(first, within) == numbers
    return maximum, jnp.sum(jnp.where(chosen, split, 0), within)


def _split(values: Array, first_axis: int, window: tuple[int, ...]) -> Array:
    """Give the places within the windows an axis of their own, behind each spatial axis."""
    for at, size in enumerate(window):
        axis = first_axis + 2 * at
        count = values.shape[axis] // size
        values = lax.slice_in_dim(values, 0, count * size, axis=axis)
        values = values.reshape(*values.shape[:axis], count, size, *values.shape[axis + 1 :])
    return values


def _places_side_by_side(values: Array, first_axis: int, window: tuple[int, ...]) -> list[Array]:
    """Return what the windows read, one array for each place within them, in its order."""
    split = _split(values, first_axis, window)
    whole = slice(None)
    return [
        split[(whole,) * first_axis + tuple(part for at in place for part in (whole, at))]
        for place in np.ndindex(*window)
    ]


def _places(values: Array, axis: int, window: int, stride: int) -> list[Array]:
    """Return what the windows along one axis read, one array for each place within them."""
    count = window_count(values.shape[axis], window, stride, "valid")
    if window != stride:
        return [
            lax.slice_in_dim(values, at, at + (count - 1) * stride + 1, stride, axis)
            for at in range(window)
        ]
    # Windows side by side are an axis of their own, which the gradient only has to join again.
    values = lax.slice_in_dim(values, 0, count * window, axis=axis)
    split = values.reshape(*values.shape[:axis], count, window, *values.shape[axis + 1 :])
    return [lax.index_in_dim(split, at, axis + 1, keepdims=False) for at in range(window)]


def _reduction(kind: str, dtype: DType) -> tuple[Combination, Combination, np.ndarray]:
    """Return how the library combines two values, how slices are combined, and the first value."""
    if kind == "sum":
        return lax.add, jnp.add, np.zeros((), dtype)
    lowest = -jnp.inf if jnp.issubdtype(dtype, jnp.floating) else jnp.iinfo(dtype).min
    return lax.max, _larger, np.asarray(lowest, dtype)


def _larger(best: Array, other: Array) -> Array:
    """Return the larger value, the first one of equal ones, and what is no number above all."""
    return jnp.where((other > best) | (other != other), other, best)
