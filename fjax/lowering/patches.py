"""Patches: the entries of each window of a convolution, side by side."""

import functools
import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from fjax.lowering.windows import Windows, slice_at_offset
from fjax.typing import Array

# Patches with fewer channels are concatenated: a loop copies only that many values at a time.
MIN_LOOP_CHANNELS = 8


def window_slices(
    inputs: Array, window: Sequence[int], counts: Sequence[int], windows: Windows
) -> list[Array]:
    """Return, for each entry of the window, its values in all windows.

    They have the shape `(batch, *counts, channels)`.

    Args:
        inputs: Padded inputs, `(batch, *space, channels)`.
        window: The size of the window.
        counts: The number of windows along each spatial axis.
        windows: The strides and the dilation.
    """
    offsets = (
        [i * d for i, d in zip(index, windows.dilation, strict=True)]
        for index in np.ndindex(*window)
    )
    return [slice_at_offset(inputs, offset, counts, windows.strides) for offset in offsets]


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2, 3))
def extract_patches(
    inputs: Array, window: tuple[int, ...], counts: tuple[int, ...], windows: Windows
) -> Array:
    """Return the entries of each window: `(batch, *counts, entries * channels)`.

    The arguments are those of `window_slices`.

    A slice for each entry is a kernel for each entry, which takes XLA a second to compile where the
    image is small. A loop is one kernel for all of them, and needs no memory for the slices. The
    derivative sums the slices, in the same order in both cases.

    >>> windows = Windows((1, 1), (1, 1), ((0, 0), (0, 0)), "channels_last")
    >>> image = jnp.arange(9).reshape(1, 3, 3, 1)
    >>> extract_patches(image, (2, 2), (2, 2), windows)[0, 0].tolist()
    [[0, 1, 3, 4], [1, 2, 4, 5]]
    """
    if len(window) == 1 or math.prod(window) == 1 or inputs.shape[-1] < MIN_LOOP_CHANNELS:
        return _concatenate_slices(inputs, window, counts, windows)
    channels = inputs.shape[-1]
    axes = zip(counts, windows.strides, strict=True)
    sizes = (inputs.shape[0], *((count - 1) * stride + 1 for count, stride in axes), channels)
    strides = (1, *windows.strides, 1)

    def copy_entry(entry: Array, patches: Array) -> Array:
        index = jnp.unravel_index(entry, window)
        offset = [i * d for i, d in zip(index, windows.dilation, strict=True)]
        values = lax.dynamic_slice(inputs, (0, *offset, 0), sizes)
        values = lax.slice(values, (0,) * values.ndim, sizes, strides)
        return lax.dynamic_update_slice_in_dim(patches, values, entry * channels, axis=-1)

    entries = math.prod(window)
    empty = jnp.zeros((inputs.shape[0], *counts, entries * channels), inputs.dtype)
    return lax.fori_loop(0, entries, copy_entry, empty)


@extract_patches.defjvp
def _extract_patches_jvp(
    window: tuple[int, ...],
    counts: tuple[int, ...],
    windows: Windows,
    primals: tuple[Array],
    tangents: tuple[Array],
) -> tuple[Array, Array]:
    patches = extract_patches(*primals, window, counts, windows)
    return patches, _concatenate_slices(*tangents, window, counts, windows)


def _concatenate_slices(
    inputs: Array, window: tuple[int, ...], counts: tuple[int, ...], windows: Windows
) -> Array:
    slices = window_slices(inputs, window, counts, windows)
    return jnp.concatenate(slices, axis=-1) if len(slices) > 1 else slices[0]
