"""Convolution over one, two or three spatial axes."""

import functools
import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax import lax

from fjax.compiler import compile_function
from fjax.lowering.linear import linear
from fjax.lowering.patches import extract_patches, window_slices
from fjax.lowering.windows import (
    Windows,
    dilated_size,
    dimension_numbers,
    has_symbolic_size,
    spatial_axes,
    window_count,
    window_padding,
)
from fjax.typing import Array

# Windows of more entries than this use XLA's convolution: one slice per entry is too many.
MAX_WINDOW_ENTRIES = 128
# Patches of more values than this, 16 MiB in float32, do not stay in the cache of a CPU: they are
# computed for one part of the batch at a time.
MAX_PATCH_VALUES = 2**22
# About how many values the patches of such a part have.
PART_VALUES = 2**19


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
    """Return the convolution (more precisely, the cross-correlation) of inputs with a kernel.

    Args:
        inputs: `(batch, *space, channels)`, or `(batch, channels, *space)` for "channels_first".
        kernel: `(*window, channels // groups, filters)`.
        strides: The step from one window to the next, for each spatial axis.
        padding: "valid", "same" or "causal"; see `fjax.lowering.windows.window_padding`.
        dilation: The step between entries of a window, for each spatial axis.
        groups: The number of groups that channels and filters are split into; each group is
            convolved separately. As many groups as channels make a depthwise convolution.
        data_format: "channels_last" or "channels_first", for inputs and outputs.

    >>> outputs = convolution(jnp.ones((1, 4, 4, 3)), jnp.ones((3, 3, 3, 8)), strides=(1, 1),
    ...                       padding="valid", dilation=(1, 1))
    >>> outputs.shape, float(outputs[0, 0, 0, 0])
    ((1, 2, 2, 8), 27.0)
    """
    dtype = jnp.result_type(inputs, kernel)
    inputs, kernel = inputs.astype(dtype), kernel.astype(dtype)
    sizes = [dilated_size(w, d) for w, d in zip(kernel.shape[:-2], dilation, strict=True)]
    lengths = [inputs.shape[axis] for axis in spatial_axes(len(sizes), data_format)]
    pads = tuple(
        window_padding(length, size, stride, padding)
        for length, size, stride in zip(lengths, sizes, strides, strict=True)
    )
    windows = Windows(tuple(strides), tuple(dilation), pads, data_format, groups)
    return _convolution(inputs, kernel, windows)


def by_platform(
    on_cpu: Callable[..., Array], elsewhere: Callable[..., Array]
) -> Callable[[Array, Array, Windows], Array]:
    """Return a function `(inputs, kernel, windows)`, for small windows another one on a CPU.

    Exported programs for batches of any size use the function of other platforms.

    It is compiled, so that a call outside of `jit` is one program too; inside `jit`, equal layers
    are traced once.
    """

    @functools.partial(compile_function, static_argnums=2)
    def compiled(inputs: Array, kernel: Array, windows: Windows) -> Array:
        large = functools.partial(elsewhere, windows=windows)
        if math.prod(kernel.shape[:-2]) > MAX_WINDOW_ENTRIES or has_symbolic_size(inputs.shape):
            return large(inputs, kernel)
        small = functools.partial(on_cpu, windows=windows)
        return lax.platform_dependent(inputs, kernel, cpu=small, default=large)

    return compiled


def _convolve_by_xla(inputs: Array, kernel: Array, windows: Windows) -> Array:
    """Call the convolution that XLA has for the platform."""
    ends = windows.ends
    if has_symbolic_size([size for pair in ends for size in pair]):
        # Only the padding of arrays may be symbolic, not that of convolutions.
        around = [(0, 0), *ends, (0, 0)]
        if windows.data_format == "channels_first":
            around = [(0, 0), (0, 0), *ends]
        inputs, ends = jnp.pad(inputs, around), ((0, 0),) * len(ends)
    return lax.conv_general_dilated(
        inputs,
        kernel,
        windows.strides,
        ends,
        rhs_dilation=windows.dilation,
        dimension_numbers=dimension_numbers(kernel.ndim - 2, windows.data_format),
        feature_group_count=windows.groups,
    )


def _convolve_by_patches(inputs: Array, kernel: Array, windows: Windows) -> Array:
    """Arrange the windows as rows of a matrix (im2col), and multiply it by the kernel."""
    if windows.data_format == "channels_first":
        inputs = jnp.moveaxis(inputs, 1, -1)
    inputs = jnp.pad(inputs, ((0, 0), *windows.ends, (0, 0)))
    convolve = functools.partial(_convolve_padded, windows=windows)
    parts = _batch_parts(inputs, kernel, windows)
    if parts == 1:
        outputs = convolve(inputs, kernel)
    else:
        # `checkpoint` computes the patches of a part again for its gradient, so that memory never
        # holds the patches of all parts.
        split = inputs.reshape(parts, inputs.shape[0] // parts, *inputs.shape[1:])
        outputs = lax.map(lambda part: jax.checkpoint(convolve)(part, kernel), split)
        outputs = outputs.reshape(inputs.shape[0], *outputs.shape[2:])
    return jnp.moveaxis(outputs, -1, 1) if windows.data_format == "channels_first" else outputs


_convolution = by_platform(_convolve_by_patches, _convolve_by_xla)


def _convolve_padded(inputs: Array, kernel: Array, windows: Windows) -> Array:
    """Convolve padded inputs, channels last."""
    groups = windows.groups
    if groups > 1 and kernel.shape[-2] > 1:
        return _convolve_groups(inputs, kernel, windows)
    window, filters = kernel.shape[:-2], kernel.shape[-1]
    counts = tuple(_window_counts(inputs, kernel, windows))
    if groups > 1:
        slices = window_slices(inputs, window, counts, windows)
        # A depthwise convolution sums nothing over channels, so there is no matrix product.
        factors = kernel.reshape(len(slices), groups, filters // groups)
        terms = (part[..., None] * factor for part, factor in zip(slices, factors, strict=True))
        return functools.reduce(jnp.add, terms).reshape(inputs.shape[0], *counts, filters)
    patches = extract_patches(inputs, window, counts, windows)
    return linear(patches, kernel.reshape(-1, filters))


def _convolve_groups(inputs: Array, kernel: Array, windows: Windows) -> Array:
    """Convolve each group separately, all of them in one batched product."""
    groups, filters = windows.groups, kernel.shape[-1]
    split = inputs.reshape(*inputs.shape[:-1], groups, kernel.shape[-2])
    kernels = kernel.reshape(*kernel.shape[:-1], groups, filters // groups)
    convolve = functools.partial(_convolve_padded, windows=windows._replace(groups=1))
    outputs = jax.vmap(convolve, in_axes=-2, out_axes=-2)(split, kernels)
    return outputs.reshape(*outputs.shape[:-2], filters)


def _window_counts(inputs: Array, kernel: Array, windows: Windows) -> list[int]:
    """Return the number of windows along each spatial axis of padded inputs."""
    axes = zip(
        inputs.shape[1:-1], kernel.shape[:-2], windows.strides, windows.dilation, strict=True
    )
    return [
        window_count(length, dilated_size(w, d), stride, "valid") for length, w, stride, d in axes
    ]


def _batch_parts(inputs: Array, kernel: Array, windows: Windows) -> int:
    """Return the number of equal parts to split the batch into, to bound the size of patches."""
    window, (batch, *_, channels) = math.prod(kernel.shape[:-2]), inputs.shape
    values = batch * math.prod(_window_counts(inputs, kernel, windows)) * window * channels
    # The patches of windows of one entry are the inputs.
    if values <= MAX_PATCH_VALUES or window == 1:
        return 1
    divisors = [parts for parts in range(1, batch + 1) if batch % parts == 0]
    return min(divisors, key=lambda parts: abs(math.log(values / parts / PART_VALUES)))
