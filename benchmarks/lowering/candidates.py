"""The candidates: one operation computed in several ways; what fjax chose is called "fjax"."""

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
from fjax.lowering.windows import read_place, window_count, window_padding

Operation = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """One operation on one shape.

    Attributes:
        title: What it is, and where one meets it.
        shapes: Of its arguments.
        candidates: The ways to compute it, by name.
    """

    title: str
    shapes: tuple[tuple[int, ...], ...]
    candidates: Mapping[str, Operation]


def _convolution(
    title: str, inputs: tuple[int, ...], kernel: tuple[int, ...], **given: Any
) -> Case:
    rank = len(kernel) - 2
    options: dict[str, Any] = {"strides": (1,) * rank, "padding": "same", "groups": 1} | given
    candidates: dict[str, Operation] = {
        "fjax": functools.partial(lowering.convolution, dilation=(1,) * rank, **options),
        "XLA's convolution": functools.partial(_by_library, **options),
    }
    if options["groups"] == 1 and math.prod(kernel[:-2]) > 1:
        candidates["a product a place"] = functools.partial(_by_places, **options)
        candidates["XLA's patches"] = functools.partial(_by_library_patches, **options)
    return Case(title, (inputs, kernel), candidates)


def _by_library(inputs: Any, kernel: Any, strides: Any, padding: str, groups: int) -> Any:
    space = "DHW"[-len(strides) :]
    layout = f"N{space}C"
    return lax.conv_general_dilated(
        inputs, kernel, strides, padding.upper(),
        dimension_numbers=(layout, f"{space}IO", layout), feature_group_count=groups,
    )  # fmt: skip


def _by_library_patches(inputs: Any, kernel: Any, strides: Any, padding: str, groups: int) -> Any:
    space = "DHW"[-len(strides) :]
    layout = f"N{space}C"
    window = kernel.shape[:-2]
    patches = lax.conv_general_dilated_patches(
        inputs, window, strides, padding.upper(), dimension_numbers=(layout, f"{space}IO", layout)
    )
    # Its channels come first, the places of the window behind.
    flat = jnp.moveaxis(kernel, -2, 0).reshape(-1, kernel.shape[-1])
    return patches @ flat


def _by_places(inputs: Any, kernel: Any, strides: Any, padding: str, groups: int) -> Any:
    window = kernel.shape[:-2]
    along = list(zip(inputs.shape[1:-1], window, strides, strict=True))
    around = [window_padding(size, w, stride, padding) for size, w, stride in along]
    counts = [window_count(size, w, stride, padding) for size, w, stride in along]
    padded = jnp.pad(inputs, ((0, 0), *around, (0, 0)))
    return sum(
        read_place(padded, place, counts, strides) @ kernel[place] for place in np.ndindex(*window)
    )


def _transposed(title: str, inputs: tuple[int, ...], kernel: tuple[int, ...], stride: int) -> Case:
    options: dict[str, Any] = {"strides": (stride, stride), "padding": "same"}

    def by_library(inputs: Any, kernel: Any) -> Any:
        numbers = ("NHWC", "HWIO", "NHWC")
        return lax.conv_transpose(
            inputs, kernel, options["strides"], "SAME", dimension_numbers=numbers,
            transpose_kernel=True,
        )  # fmt: skip

    own = functools.partial(
        lowering.transposed_convolution, output_padding=None, dilation=(1, 1), **options
    )
    return Case(title, (inputs, kernel), {"fjax": own, "XLA's convolution": by_library})


def _pooling(title: str, inputs: tuple[int, ...], size: int, stride: int, kind: str) -> Case:
    rank = len(inputs) - 2
    window, strides = (size,) * rank, (stride,) * rank
    own = lowering.max_pooling if kind == "max" else lowering.average_pooling
    initial, combine = (-jnp.inf, lax.max) if kind == "max" else (0.0, lax.add)
    factor = 1.0 if kind == "max" else 1 / math.prod(window)

    def by_library(inputs: Any) -> Any:
        sizes, steps = (1, *window, 1), (1, *strides, 1)
        return lax.reduce_window(inputs, initial, combine, sizes, steps, "VALID") * factor

    return Case(
        title,
        (inputs,),
        {
            "fjax": functools.partial(own, window=window, strides=strides, padding="valid"),
            "XLA's windows": by_library,
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
    _pooling("maximum, side by side", (128, 26, 26, 32), 2, 2, "max"),
    _pooling("maximum, overlapping", (64, 32, 32, 32), 3, 2, "max"),
    _pooling("average, side by side", (128, 26, 26, 32), 2, 2, "average"),
]


def training(operation: Operation) -> Operation:
    """Return the operation with the gradients by all its arguments: what a training step does."""

    def step(*arguments: Any) -> Any:
        outputs, pull = jax.vjp(operation, *arguments)
        return pull(outputs)

    return step
