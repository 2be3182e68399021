"""Transposed convolution: the gradient of a convolution with respect to its inputs, as a layer."""

import functools
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
from jax import lax

from fjax.lowering.convolution import by_platform
from fjax.lowering.linear import linear
from fjax.lowering.windows import Windows, dilated_size, dimension_numbers
from fjax.typing import Array


def transposed_convolution(
    inputs: Array,
    kernel: Array,
    *,
    strides: Sequence[int],
    padding: str,
    output_padding: Sequence[int] | None,
    dilation: Sequence[int],
    data_format: str = "channels_last",
) -> Array:
    """Return the transposed convolution of inputs with a kernel.

    Each input entry adds a copy of the kernel, multiplied by its value, to the outputs. Copies of
    neighboring entries are `strides` apart and may overlap.

    Args:
        inputs: `(batch, *space, channels)`, or `(batch, channels, *space)` for "channels_first".
        kernel: `(*window, filters, channels)`.
        strides: The step from one copy to the next, for each spatial axis.
        padding: "valid" keeps all outputs, "same" trims both ends; see `output_range`.
        output_padding: How many entries longer the outputs are than the shortest outputs that a
            convolution with these strides maps to the size of the inputs; None derives it from
            `padding`.
        dilation: The step between entries of a window, for each spatial axis.
        data_format: "channels_last" or "channels_first", for inputs and outputs.

    >>> outputs = transposed_convolution(jnp.ones((1, 4, 4, 8)), jnp.ones((3, 3, 5, 8)),
    ...     strides=(2, 2), padding="same", output_padding=None, dilation=(1, 1))
    >>> outputs.shape
    (1, 8, 8, 5)
    """
    dtype = jnp.result_type(inputs, kernel)
    inputs, kernel = inputs.astype(dtype), kernel.astype(dtype)
    window = kernel.shape[:-2]
    extra = output_padding if output_padding is not None else [None] * len(window)
    ranges = [
        output_range(dilated_size(w, d), stride, padding, more)
        for w, d, stride, more in zip(window, dilation, strides, extra, strict=True)
    ]
    windows = Windows(tuple(strides), tuple(dilation), tuple(ranges), data_format)
    return _transposed_convolution(inputs, kernel, windows)


def output_range(
    window: int, stride: int, padding: str, output_padding: int | None
) -> tuple[int, int]:
    """Return how many outputs to trim at the start of an axis, and to add (or trim) at its end.

    Untrimmed, the copies of the kernel span `(length - 1) * stride + window` outputs. "valid"
    without `output_padding` extends this to at least one stride for each input. "same" makes it
    `length * stride`, or with `output_padding`
    `(length - 1) * stride + window % 2 + output_padding`.

    Args:
        window: The size of the window, gaps included.
        stride: The step from one copy to the next.
        padding: "valid" or "same".
        output_padding: As in `transposed_convolution`, for this axis.

    >>> output_range(3, 2, "valid", None), output_range(3, 2, "same", None)
    ((0, 0), (0, -1))
    """
    if padding == "valid":
        return 0, max(stride - window, 0) if output_padding is None else output_padding
    if output_padding is None:
        reach = stride + window - 2
    else:
        reach = window + window % 2 - 2 + output_padding
    before = min(reach // 2 + reach % 2, window - 1)
    return window - 1 - before, reach - before - (window - 1)


def transpose_by_xla(inputs: Array, kernel: Array, windows: Windows) -> Array:
    """Call the transposed convolution that XLA has for the platform."""
    axes = zip(kernel.shape[:-2], windows.dilation, windows.ends, strict=True)
    sizes = [(dilated_size(w, d), ends) for w, d, ends in axes]
    pads = [(size - 1 - trimmed, size - 1 + added) for size, (trimmed, added) in sizes]
    return lax.conv_transpose(
        inputs,
        kernel,
        windows.strides,
        pads,
        rhs_dilation=windows.dilation,
        dimension_numbers=dimension_numbers(kernel.ndim - 2, windows.data_format),
        transpose_kernel=True,
    )


def _transpose_by_copies(inputs: Array, kernel: Array, windows: Windows) -> Array:
    """Multiply by the whole kernel at once, then add each kernel entry's part at its offset."""
    if windows.data_format == "channels_first":
        inputs = jnp.moveaxis(inputs, 1, -1)
    window, (filters, channels) = kernel.shape[:-2], kernel.shape[-2:]
    products = linear(inputs, kernel.reshape(-1, channels).T)
    zero = jnp.zeros((), products.dtype)
    terms = []
    for number, index in enumerate(np.ndindex(*window)):
        part = lax.slice_in_dim(products, number * filters, (number + 1) * filters, axis=-1)
        pads = [
            (i * d - trimmed, (w - 1 - i) * d + added, stride - 1)
            for i, w, d, stride, (trimmed, added) in zip(
                index, window, windows.dilation, windows.strides, windows.ends, strict=True
            )
        ]
        terms.append(lax.pad(part, zero, [(0, 0, 0), *pads, (0, 0, 0)]))
    outputs = functools.reduce(jnp.add, terms)
    return jnp.moveaxis(outputs, -1, 1) if windows.data_format == "channels_first" else outputs


_transposed_convolution = by_platform(_transpose_by_copies, transpose_by_xla)
