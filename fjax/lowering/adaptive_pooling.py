"""Pooling over windows whose number is given, and not their size."""

from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np

from fjax.lowering.windows import spatial_axes
from fjax.typing import Array


def adaptive_pooling(
    inputs: Array, output_size: Sequence[int], *, mean: bool, data_format: str = "channels_last"
) -> Array:
    """Return the means or the maxima of windows that divide each spatial axis into so many parts.

    Windows may overlap: part i of n begins at `floor(i * length / n)` and ends before
    `ceil((i + 1) * length / n)`.

    Args:
        inputs: `(batch, *space, channels)`, or `(batch, channels, *space)` for "channels_first".
        output_size: The number of windows along each spatial axis.
        mean: Whether to return means instead of maxima.
        data_format: "channels_last" or "channels_first", for inputs and outputs.

    >>> values = jnp.arange(5.0).reshape(1, 5, 1)
    >>> adaptive_pooling(values, [2], mean=True).ravel().tolist()
    [1.0, 3.0]
    """
    for axis, parts in zip(spatial_axes(len(output_size), data_format), output_size, strict=True):
        length = inputs.shape[axis]
        starts = np.arange(parts) * length // parts
        ends = -(-np.arange(1, parts + 1) * length // parts)
        width = int((ends - starts).max())
        # A window that is shorter than the longest one repeats its last entry.
        places = np.minimum(starts[:, None] + np.arange(width), ends[:, None] - 1)
        windows = jnp.take(inputs, places, axis=axis)
        if mean:
            counts = (starts[:, None] + np.arange(width) < ends[:, None]) / (ends - starts)[:, None]
            weights = jnp.asarray(counts, inputs.dtype)
            shape = [1] * windows.ndim
            shape[axis : axis + 2] = weights.shape
            inputs = jnp.sum(windows * weights.reshape(shape), axis=axis + 1)
        else:
            inputs = jnp.max(windows, axis=axis + 1)
    return inputs
