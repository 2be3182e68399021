"""Transposed convolution: the gradient of a convolution by its inputs, as an operation."""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from fjax.compiler import compile_function
from fjax.lowering.convolution import MOST_PLACES
from fjax.lowering.linear import linear
from fjax.lowering.windows import covered
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
    """Return the transposed convolution of the inputs with a kernel.

    Each input puts a copy of the kernel, multiplied by its value, into the outputs, `strides` apart
    from the next; where copies overlap they add up.

    Args:
        inputs: `(batch, *space, channels)`, or `(batch, channels, *space)` by `data_format`.
        kernel: `(*window, filters, channels)`.
        strides: The steps between the copies, one for each spatial axis.
        padding: "valid" keeps all outputs, "same" cuts both ends; see `output_range`.
        output_padding: How much longer the outputs are than the shortest that a convolution of
            these strides would turn into the inputs' size; None decides by `padding`.
        dilation: The steps between the places of a window, one for each spatial axis.
        data_format: "channels_last" or "channels_first"; the outputs have it too.

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
        output_range(covered(w, d), stride, padding, more)
        for w, d, stride, more in zip(window, dilation, strides, extra, strict=True)
    ]
    return _transposed_convolution(
        inputs,
        kernel,
        strides=tuple(strides),
        ranges=tuple(ranges),
        dilation=tuple(dilation),
        data_format=data_format,
    )


def output_range(
    covers: int, stride: int, padding: str, output_padding: int | None
) -> tuple[int, int]:
    """Return what is cut off before, and added after, the copies of a kernel along an axis.

    The copies reach over `(size - 1) * stride + covers` values. "valid" without an
    `output_padding` adds up to the stride, so that no input has less room than it; "same" makes of
    it `size * stride` values, or `(size - 1) * stride + covers % 2 + output_padding`.

    >>> output_range(3, 2, "valid", None), output_range(3, 2, "same", None)
    ((0, 0), (0, -1))
    """
    if padding == "valid":
        return 0, max(stride - covers, 0) if output_padding is None else output_padding
    if output_padding is None:
        reach = stride + covers - 2
    else:
        reach = covers + covers % 2 - 2 + output_padding
    before = min(reach // 2 + reach % 2, covers - 1)
    return covers - 1 - before, reach - before - (covers - 1)


# One program also where nobody compiles around it, and traced once for equal layers of a network.
@functools.partial(
    compile_function, static_argnames=("strides", "ranges", "dilation", "data_format")
)
def _transposed_convolution(inputs: Array, kernel: Array, **options: Any) -> Array:
    by_library: Callable[..., Array] = functools.partial(_by_library, **options)
    if math.prod(kernel.shape[:-2]) > MOST_PLACES:
        return by_library(inputs, kernel)
    by_copies = functools.partial(_by_copies, **options)
    return lax.platform_dependent(inputs, kernel, cpu=by_copies, default=by_library)


def _by_library(
    inputs: Array,
    kernel: Array,
    *,
    strides: Sequence[int],
    ranges: Sequence[tuple[int, int]],
    dilation: Sequence[int],
    data_format: str,
) -> Array:
    """Call the platform's own convolution."""
    space = "DHW"[-(kernel.ndim - 2) :]
    layout = f"N{space}C" if data_format == "channels_last" else f"NC{space}"
    covers = [covered(w, d) for w, d in zip(kernel.shape[:-2], dilation, strict=True)]
    around = [
        (cover - 1 - cut, cover - 1 + added)
        for cover, (cut, added) in zip(covers, ranges, strict=True)
    ]
    return lax.conv_transpose(
        inputs,
        kernel,
        strides,
        around,
        rhs_dilation=dilation,
        dimension_numbers=(layout, f"{space}IO", layout),
        transpose_kernel=True,
    )


def _by_copies(
    inputs: Array,
    kernel: Array,
    *,
    strides: Sequence[int],
    ranges: Sequence[tuple[int, int]],
    dilation: Sequence[int],
    data_format: str,
) -> Array:
    """Multiply by the whole kernel at once, and add up each place's part where it belongs."""
    if data_format == "channels_first":
        inputs = jnp.moveaxis(inputs, 1, -1)
    window, (filters, channels) = kernel.shape[:-2], kernel.shape[-2:]
    products = linear(inputs, kernel.reshape(-1, channels).T)
    zero = jnp.zeros((), products.dtype)
    outputs = []
    for index, place in enumerate(np.ndindex(*window)):
        part = lax.slice_in_dim(products, index * filters, (index + 1) * filters, axis=-1)
        amounts = [
            (at * d - cut, (w - 1 - at) * d + added, stride - 1)
            for at, w, d, stride, (cut, added) in zip(
                place, window, dilation, strides, ranges, strict=True
            )
        ]
        outputs.append(lax.pad(part, zero, [(0, 0, 0), *amounts, (0, 0, 0)]))
    result = functools.reduce(jnp.add, outputs)
    return jnp.moveaxis(result, -1, 1) if data_format == "channels_first" else result
