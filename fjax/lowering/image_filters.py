"""Filters of images: each channel convolved with one kernel."""

from typing import Any

import jax.numpy as jnp

from fjax.lowering.convolution import convolution
from fjax.typing import Array


def gaussian(size: int, sigma: Any, dtype: Any) -> Array:
    """Return a Gaussian window with sum 1.

    >>> [round(weight, 3) for weight in gaussian(3, 1.0, "float32").tolist()]
    [0.274, 0.452, 0.274]
    """
    places = jnp.arange(size, dtype=dtype) - (size - 1) / 2
    weights = jnp.exp(-0.5 * jnp.square(places / sigma))
    return weights / jnp.sum(weights)


def filter_channels(images: Array, kernel: Array, padding: str = "same") -> Array:
    """Return each channel convolved with a kernel.

    Args:
        images: `(batch, height, width, channels)`.
        kernel: `(height, width)`.
        padding: "same" or "valid".
    """
    channels = images.shape[-1]
    kernels = jnp.broadcast_to(kernel[..., None, None], (*kernel.shape, 1, channels))
    return convolution(
        images, kernels.astype(images.dtype), strides=(1, 1), padding=padding, dilation=(1, 1),
        groups=channels, data_format="channels_last",
    )  # fmt: skip
