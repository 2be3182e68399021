"""The candidates: several ways to compute one operation; the one in fjax is named "fjax"."""

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from fjax import lowering
from fjax.lowering.windows import (
    dimension_numbers,
    slice_at_offset,
    window_count,
    window_padding,
)

Operation = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """One operation on arrays of one shape.

    Attributes:
        title: A short description.
        shapes: The shapes of the arguments.
        candidates: The ways to compute the operation, by name.
    """

    title: str
    shapes: tuple[tuple[int, ...], ...]
    candidates: Mapping[str, Operation]


def _convolution(
    title: str, inputs: tuple[int, ...], kernel: tuple[int, ...], **changes: Any
) -> Case:
    rank = len(kernel) - 2
    options: dict[str, Any] = {"strides": (1,) * rank, "padding": "same", "groups": 1} | changes
    candidates: dict[str, Operation] = {
        "fjax": functools.partial(lowering.convolution, dilation=(1,) * rank, **options),
        "XLA's convolution": functools.partial(_by_xla, **options),
    }
    if options["groups"] == 1 and math.prod(kernel[:-2]) > 1:
        candidates["a product per window entry"] = functools.partial(_by_products, **options)
        candidates["XLA's patches"] = functools.partial(_by_xla_patches, **options)
    return Case(title, (inputs, kernel), candidates)


def _by_xla(inputs: Any, kernel: Any, strides: Any, padding: str, groups: int) -> Any:
    return lax.conv_general_dilated(
        inputs, kernel, strides, padding.upper(),
        dimension_numbers=dimension_numbers(len(strides), "channels_last"),
        feature_group_count=groups,
    )  # fmt: skip


def _by_xla_patches(inputs: Any, kernel: Any, strides: Any, padding: str, groups: int) -> Any:
    patches = lax.conv_general_dilated_patches(
        inputs, kernel.shape[:-2], strides, padding.upper(),
        dimension_numbers=dimension_numbers(len(strides), "channels_last"),
    )  # fmt: skip
    # The last axis of the patches holds the window entries of channel 0, then those of channel 1.
    flat = jnp.moveaxis(kernel, -2, 0).reshape(-1, kernel.shape[-1])
    return patches @ flat


def _by_products(inputs: Any, kernel: Any, strides: Any, padding: str, groups: int) -> Any:
    window = kernel.shape[:-2]
    axes = list(zip(inputs.shape[1:-1], window, strides, strict=True))
    pads = [window_padding(length, w, stride, padding) for length, w, stride in axes]
    counts = [window_count(length, w, stride, padding) for length, w, stride in axes]
    padded = jnp.pad(inputs, ((0, 0), *pads, (0, 0)))
    return sum(
        slice_at_offset(padded, offset, counts, strides) @ kernel[offset]
        for offset in np.ndindex(*window)
    )


def _transposed(title: str, inputs: tuple[int, ...], kernel: tuple[int, ...], stride: int) -> Case:
    options: dict[str, Any] = {"strides": (stride, stride), "padding": "same"}

    def by_xla(inputs: Any, kernel: Any) -> Any:
        return lax.conv_transpose(
            inputs, kernel, options["strides"], "SAME",
            dimension_numbers=dimension_numbers(2, "channels_last"), transpose_kernel=True,
        )  # fmt: skip

    ours = functools.partial(
        lowering.transposed_convolution, output_padding=None, dilation=(1, 1), **options
    )
    return Case(title, (inputs, kernel), {"fjax": ours, "XLA's convolution": by_xla})


def _pooling(title: str, inputs: tuple[int, ...], size: int, stride: int, kind: str) -> Case:
    rank = len(inputs) - 2
    window, strides = (size,) * rank, (stride,) * rank
    ours = lowering.max_pooling if kind == "max" else lowering.average_pooling
    initial, combine = (-jnp.inf, lax.max) if kind == "max" else (0.0, lax.add)
    factor = 1.0 if kind == "max" else 1 / math.prod(window)

    def by_xla(inputs: Any) -> Any:
        sizes, steps = (1, *window, 1), (1, *strides, 1)
        return lax.reduce_window(inputs, initial, combine, sizes, steps, "VALID") * factor

    return Case(
        title,
        (inputs,),
        {
            "fjax": functools.partial(ours, window=window, strides=strides, padding="valid"),
            "XLA's windows": by_xla,
        },
    )


CASES = [
    _convolution("first layer, one channel", (128, 28, 28, 1), (3, 3, 1, 32), padding="valid"),
    _convolution("second layer", (128, 13, 13, 32), (3, 3, 32, 64), padding="valid"),
    _convolution("residual block, wide", (64, 32, 32, 16), (3, 3, 16, 16)),
    _convolution("residual block, deep", (64, 8, 8, 64), (3, 3, 64, 64)),
    _convolution("strides of 2", (64, 32, 32, 16), (3, 3, 16, 32), strides=(2, 2)),
    _convolution("1 x 1", (64, 16, 16, 64), (1, 1, 64, 128)),
    _convolution("7 x 7, three channels", (8, 64, 64, 3), (7, 7, 3, 32), strides=(2, 2)),
    _convolution("text", (32, 200, 64), (5, 64, 128)),
    _convolution("volume", (4, 16, 16, 16, 8), (3, 3, 3, 8, 16)),
    _convolution("depthwise", (32, 16, 16, 64), (3, 3, 1, 64), groups=64),
    _convolution("four groups", (32, 16, 16, 64), (3, 3, 16, 64), groups=4),
    _transposed("transposed, strides of 2", (64, 14, 14, 32), (3, 3, 16, 32), 2),
    _pooling("maximum of tiles", (128, 26, 26, 32), 2, 2, "max"),
    _pooling("maximum, overlapping", (64, 32, 32, 32), 3, 2, "max"),
    _pooling("average of tiles", (128, 26, 26, 32), 2, 2, "average"),
]


def training_step(operation: Operation) -> Operation:
    """Return a function that computes the operation and the gradients by all its arguments."""

    def step(*arguments: Any) -> Any:
        outputs, vjp = jax.vjp(operation, *arguments)
        return vjp(outputs)

    return step
