"""Convolution over one, two or three spatial axes."""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from fjax.compiler import compile_function
from fjax.lowering.linear import linear
from fjax.lowering.windows import covered, read_place, spatial_axes, window_count, window_padding
from fjax.typing import Array

# Kernels with more places than this are left to the library: a slice each is too many.
MOST_PLACES = 128
# Patches of more values than this are made of a part of the batch at a time.
MOST_VALUES = 2**25

STATIC = ("strides", "around", "dilation", "groups", "data_format")


def convolution(
    inputs: Array,
    kernel: Array,
    *,
    strides: Sequence[int],
    padding: str,
    dilation: Sequence[int],
    groups: int = 1,
    data_format: str = "channels_last",
) -> Array:
    """Return the convolution (in fact the cross-correlation) of the inputs with a kernel.

    Args:
        inputs: `(batch, *space, channels)`, or `(batch, channels, *space)` by `data_format`.
        kernel: `(*window, channels // groups, filters)`.
        strides: The steps between windows, one for each spatial axis.
        padding: "valid", "same" or "causal"; see `fjax.lowering.windows.window_padding`.
        dilation: The steps between the places of a window, one for each spatial axis.
        groups: The channels and the filters are split into so many groups, each convolved alone;
            as many groups as channels is the depthwise convolution.
        data_format: "channels_last" or "channels_first"; the outputs have it too.

    >>> outputs = convolution(jnp.ones((1, 4, 4, 3)), jnp.ones((3, 3, 3, 8)), strides=(1, 1),
    ...                       padding="valid", dilation=(1, 1))
    >>> outputs.shape, float(outputs[0, 0, 0, 0])
    ((1, 2, 2, 8), 27.0)
    """
    dtype = jnp.result_type(inputs, kernel)
    inputs, kernel = inputs.astype(dtype), kernel.astype(dtype)
    rank = kernel.ndim - 2
    covers = [covered(w, d) for w, d in zip(kernel.shape[:-2], dilation, strict=True)]
    sizes = [inputs.shape[axis] for axis in spatial_axes(rank, data_format)]
    around = tuple(
        window_padding(size, cover, stride, padding)
        for size, cover, stride in zip(sizes, covers, strides, strict=True)
    )
    return _convolution(
        inputs,
        kernel,
        strides=tuple(strides),
        around=around,
        dilation=tuple(dilation),
        groups=groups,
        data_format=data_format,
    )


# One program also where nobody compiles around it, and traced once for equal layers of a network.
@functools.partial(compile_function, static_argnames=STATIC)
def _convolution(inputs: Array, kernel: Array, **options: Any) -> Array:
    by_library: Callable[..., Array] = functools.partial(_by_library, **options)
    if math.prod(kernel.shape[:-2]) > MOST_PLACES:
        return by_library(inputs, kernel)
    by_patches = functools.partial(_by_patches, **options)
    return lax.platform_dependent(inputs, kernel, cpu=by_patches, default=by_library)


def _by_library(
    inputs: Array,
    kernel: Array,
    *,
    strides: Sequence[int],
    around: Sequence[tuple[int, int]],
    dilation: Sequence[int],
    groups: int,
    data_format: str,
) -> Array:
    """Call the platform's own convolution."""
    space = "DHW"[-(kernel.ndim - 2) :]
    layout = f"N{space}C" if data_format == "channels_last" else f"NC{space}"
    return lax.conv_general_dilated(
        inputs,
        kernel,
        strides,
        around,
        rhs_dilation=dilation,
        dimension_numbers=(layout, f"{space}IO", layout),
        feature_group_count=groups,
    )


def _by_patches(
    inputs: Array,
    kernel: Array,
    *,
    strides: Sequence[int],
    around: Sequence[tuple[int, int]],
    dilation: Sequence[int],
    groups: int,
    data_format: str,
) -> Array:
    """Lay the windows out as the rows of a matrix, and multiply it by the kernel."""
    if data_format == "channels_first":
        inputs = jnp.moveaxis(inputs, 1, -1)
    inputs = jnp.pad(inputs, ((0, 0), *around, (0, 0)))
    rows = functools.partial(_convolve, strides=strides, dilation=dilation, groups=groups)
    parts = _parts(inputs, kernel, strides, dilation)
    if parts == 1:
        outputs = rows(inputs, kernel)
    else:
        # The patches of a part are made again for its gradient, and never stand side by side.
        split = inputs.reshape(parts, inputs.shape[0] // parts, *inputs.shape[1:])
        outputs = lax.map(lambda part: jax.checkpoint(rows)(part, kernel), split)
        outputs = outputs.reshape(inputs.shape[0], *outputs.shape[2:])
    return jnp.moveaxis(outputs, -1, 1) if data_format == "channels_first" else outputs


def _convolve(
    inputs: Array, kernel: Array, strides: Sequence[int], dilation: Sequence[int], groups: int
) -> Array:
    """Convolve padded inputs, channels last."""
    if groups > 1 and kernel.shape[-2] > 1:
        return _convolve_groups(inputs, kernel, strides, dilation, groups)
    window, filters = kernel.shape[:-2], kernel.shape[-1]
    counts = _counts(inputs, kernel, strides, dilation)
    places = [
        read_place(inputs, [at * d for at, d in zip(place, dilation, strict=True)], counts, strides)
        for place in np.ndindex(*window)
    ]
    shape = (inputs.shape[0], *counts, filters)
    if groups > 1:
        # Depthwise: nothing is summed over channels, so there is no matrix to multiply by.
        factors = kernel.reshape(len(places), groups, filters // groups)
        terms = (place[..., None] * factor for place, factor in zip(places, factors, strict=True))
        return functools.reduce(jnp.add, terms).reshape(shape)
    patches = jnp.concatenate(places, axis=-1) if len(places) > 1 else places[0]
    return linear(patches, kernel.reshape(-1, filters))


def _convolve_groups(
    inputs: Array, kernel: Array, strides: Sequence[int], dilation: Sequence[int], groups: int
) -> Array:
    """Convolve each group by itself, all of them at once."""
    filters = kernel.shape[-1]
    split = inputs.reshape(*inputs.shape[:-1], groups, kernel.shape[-2])
    kernels = kernel.reshape(*kernel.shape[:-1], groups, filters // groups)
    alone = functools.partial(_convolve, strides=strides, dilation=dilation, groups=1)
    outputs = jax.vmap(alone, in_axes=-2, out_axes=-2)(split, kernels)
    return outputs.reshape(*outputs.shape[:-2], filters)


def _counts(
    inputs: Array, kernel: Array, strides: Sequence[int], dilation: Sequence[int]
) -> list[int]:
    """Return how many windows there are along each axis of padded inputs."""
    along = zip(inputs.shape[1:-1], kernel.shape[:-2], strides, dilation, strict=True)
    return [window_count(size, covered(w, d), stride, "valid") for size, w, stride, d in along]


def _parts(inputs: Array, kernel: Array, strides: Sequence[int], dilation: Sequence[int]) -> int:
    """Return into how many equal parts the batch is split, so that no part's patches are huge."""
    batch, channels = inputs.shape[0], inputs.shape[-1]
    windows = math.prod(_counts(inputs, kernel, strides, dilation))
    sample = windows * math.prod(kernel.shape[:-2]) * channels
    fits = max(MOST_VALUES // max(sample, 1), 1)
    return next(
        parts
        for parts in range(1, max(batch, 1) + 1)
        if batch <= parts * fits and batch % parts == 0
    )
