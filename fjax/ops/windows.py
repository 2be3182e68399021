"""Operations of `keras.ops.nn` on sliding windows: convolution, pooling, patches, blocks."""

import math
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from fjax import lowering
from fjax.errors import one_of
from fjax.ops.definition import OperationTable
from fjax.ops.layout import data_format_of
from fjax.typing import Array

op = OperationTable(__name__)

# The number of entries along each spatial axis, or one number for all of them.
Sizes = int | Sequence[int]


def _sizes(value: Sizes, rank: int) -> tuple[int, ...]:
    return (value,) * rank if isinstance(value, int) else tuple(value)


@op.define
def conv(
    inputs: Array,
    kernel: Array,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Array:
    """Return the convolution of inputs with a kernel.

    Args:
        inputs: `(batch, *space, channels)`, or with channels first.
        kernel: `(*window, channels, filters)`. With fewer channels than the inputs, these are split
            into groups.
        strides: The step from one window to the next.
        padding: "valid" or "same".
        data_format: "channels_last" (default) or "channels_first".
        dilation_rate: The step between entries of a window.
    """
    data_format = data_format_of("conv", data_format)
    one_of("conv", "padding", padding, ["valid", "same"])
    rank = inputs.ndim - 2
    channels = inputs.shape[-1 if data_format == "channels_last" else 1]
    if channels % kernel.shape[-2]:
        raise ValueError(
            f"`conv`: the {channels} channels of inputs of shape {inputs.shape} must be divisible "
            f"by the {kernel.shape[-2]} of the kernel, {kernel.shape}."
        )
    return lowering.convolution(
        inputs, kernel, strides=_sizes(strides, rank), padding=padding,
        dilation=_sizes(dilation_rate, rank), groups=channels // kernel.shape[-2],
        data_format=data_format,
    )  # fmt: skip


@op.define
def depthwise_conv(
    inputs: Array,
    kernel: Array,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Array:
    """Return the convolution of each channel with kernels of its own.

    The arguments are those of `conv`, with a kernel `(*window, channels, filters of a channel)`.
    """
    *window, channels, multiplier = kernel.shape
    kernel = kernel.reshape(*window, 1, channels * multiplier)
    return conv(inputs, kernel, strides, padding, data_format, dilation_rate)


@op.define
def separable_conv(
    inputs: Array,
    depthwise_kernel: Array,
    pointwise_kernel: Array,
    strides: Sizes = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Array:
    """Return a depthwise convolution followed by one that mixes the channels."""
    outputs = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(outputs, pointwise_kernel, 1, "valid", data_format)


@op.define
def conv_transpose(
    inputs: Array,
    kernel: Array,
    strides: Sizes = 1,
    padding: str = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Array:
    """Return the transposed convolution of inputs with a kernel.

    The arguments are those of `conv`, with a kernel `(*window, filters, channels)`. With
    `output_padding`, the outputs are that much longer than the shortest ones.
    """
    rank = inputs.ndim - 2
    one_of("conv_transpose", "padding", padding, ["valid", "same"])
    return lowering.transposed_convolution(
        inputs, kernel, strides=_sizes(strides, rank), padding=padding,
        output_padding=None if output_padding is None else _sizes(output_padding, rank),
        dilation=_sizes(dilation_rate, rank),
        data_format=data_format_of("conv_transpose", data_format),
    )  # fmt: skip


def _pool(
    operation: str, pooling: Any, inputs: Array, size: Sizes, strides: Any, padding: str, form: Any
) -> Array:
    one_of(operation, "padding", padding, ["valid", "same"])
    window = _sizes(size, inputs.ndim - 2)
    return pooling(
        inputs, window=window, padding=padding, data_format=data_format_of(operation, form),
        strides=window if strides is None else _sizes(strides, inputs.ndim - 2),
    )  # fmt: skip


@op.define
def max_pool(
    inputs: Array,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Array:
    """Return the largest entry of each window; the default strides are the window's size."""
    pooling = lowering.max_pooling
    return _pool("max_pool", pooling, inputs, pool_size, strides, padding, data_format)


@op.define
def average_pool(
    inputs: Array,
    pool_size: Sizes,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Array:
    """Return the mean of each window, without padding; the default strides are its size."""
    pooling = lowering.average_pooling
    return _pool("average_pool", pooling, inputs, pool_size, strides, padding, data_format)


@op.define
def adaptive_max_pool(inputs: Array, output_size: Sizes, data_format: str | None = None) -> Array:
    """Return the largest entries of windows that divide each spatial axis into so many parts."""
    return _adaptive_pool("adaptive_max_pool", inputs, output_size, data_format, mean=False)


@op.define
def adaptive_average_pool(
    inputs: Array, output_size: Sizes, data_format: str | None = None
) -> Array:
    """Return the means of windows that divide each spatial axis into so many parts."""
    return _adaptive_pool("adaptive_average_pool", inputs, output_size, data_format, mean=True)


def _adaptive_pool(
    operation: str, inputs: Array, output_size: Sizes, data_format: str | None, mean: bool
) -> Array:
    sizes = _sizes(output_size, inputs.ndim - 2)
    form = data_format_of(operation, data_format)
    return lowering.adaptive_pooling(inputs, sizes, mean=mean, data_format=form)


@op.define
def unfold(
    x: Array, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
) -> Array:
    """Return the blocks of images with channels first: `(batch, entries of a block, blocks)`."""
    places, padded = _blocks(x.shape[2:], kernel_size, dilation, padding, stride)
    (top, left) = _sizes(padding, 2)
    x = jnp.pad(x, [(0, 0), (0, 0), (top, top), (left, left)])
    blocks = x.reshape(*x.shape[:2], math.prod(padded))[..., places]
    return blocks.reshape(x.shape[0], -1, places.shape[-1])


@op.define
def fold(
    x: Array,
    output_size: Sizes,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> Array:
    """Return images with channels first, the sums of their blocks: the reverse of `unfold`."""
    height, width = _sizes(output_size, 2)
    (top, left) = _sizes(padding, 2)
    places, padded = _blocks((height, width), kernel_size, dilation, padding, stride)
    blocks = x.reshape(x.shape[0], -1, *places.shape)
    images = jnp.zeros((*blocks.shape[:2], math.prod(padded)), x.dtype).at[..., places].add(blocks)
    images = images.reshape(*images.shape[:2], *padded)
    return images[:, :, top : top + height, left : left + width]


def _blocks(
    shape: Any, kernel_size: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes
) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return the places of the entries of each block in a flat, padded image; and its shape."""
    pads, steps = _sizes(padding, 2), _sizes(stride, 2)
    windows, gaps = _sizes(kernel_size, 2), _sizes(dilation, 2)
    padded = tuple(size + 2 * pad for size, pad in zip(shape, pads, strict=True))
    places = []
    for size, window, gap, step in zip(padded, windows, gaps, steps, strict=True):
        count = (size - gap * (window - 1) - 1) // step + 1
        places.append(np.arange(window)[:, None] * gap + np.arange(count) * step)
    rows, columns = places
    flat = rows[:, None, :, None] * padded[1] + columns[None, :, None, :]
    return flat.reshape(math.prod(windows), -1), padded


@op.define
def depth_to_space(x: Array, block_size: int, data_format: str = "channels_last") -> Array:
    """Return images in which the channels of an entry form a square block of entries."""
    if data_format_of("depth_to_space", data_format) == "channels_first":
        x = jnp.moveaxis(x, 1, -1)
        return jnp.moveaxis(_to_space(x, block_size, channels_first=True), -1, 1)
    return _to_space(x, block_size, channels_first=False)


@op.define
def space_to_depth(x: Array, block_size: int, data_format: str = "channels_last") -> Array:
    """Return images in which a square block of entries forms the channels of one entry."""
    if data_format_of("space_to_depth", data_format) == "channels_first":
        x = jnp.moveaxis(x, 1, -1)
        return jnp.moveaxis(_to_depth(x, block_size, channels_first=True), -1, 1)
    return _to_depth(x, block_size, channels_first=False)


def _to_space(x: Array, block: int, channels_first: bool) -> Array:
    batch, height, width, channels = x.shape
    order = (-1, block, block) if channels_first else (block, block, -1)
    x = x.reshape(batch, height, width, *order)
    if channels_first:
        x = jnp.moveaxis(x, 3, -1)
    x = jnp.swapaxes(x, 2, 3)
    return x.reshape(batch, height * block, width * block, channels // block**2)


def _to_depth(x: Array, block: int, channels_first: bool) -> Array:
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height // block, block, width // block, block, channels)
    x = jnp.swapaxes(x, 2, 3)
    if channels_first:
        x = jnp.moveaxis(x, -1, 3)
    return x.reshape(batch, height // block, width // block, channels * block**2)


__all__ = op.names
