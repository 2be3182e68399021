"""Sliding windows: their sizes, padding and number, and the slices that they read."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from jax import lax

from fjax.typing import Array


class Windows(NamedTuple):
    """How the windows of a convolution slide, for each spatial axis; hashable.

    Attributes:
        strides: The step from one window to the next.
        dilation: The step between entries of a window.
        ends: What is added before and after the axis of the inputs; for a transposed convolution,
            what is trimmed before and added after the axis of the outputs.
        data_format: "channels_last" or "channels_first".
        groups: The number of groups that channels are split into.
        row_shards: The number of devices among which the rows are divided.
    """

    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    ends: tuple[tuple[int, int], ...]
    data_format: str
    groups: int = 1
    row_shards: int = 1


def dilated_size(size: int, dilation: int) -> int:
    """Return the length that a dilated window spans, gaps included.

    >>> dilated_size(3, 1), dilated_size(3, 2)
    (3, 5)
    """
    return (size - 1) * dilation + 1


def window_padding(length: int, window: int, stride: int, padding: str) -> tuple[int, int]:
    """Return how many entries to add before and after an axis.

    Args:
        length: The length of the axis.
        window: The size of the window, gaps included.
        stride: The step from one window to the next.
        padding: "valid" adds nothing. "same" adds enough for `ceil(length / stride)` windows, half
            of it (rounded down) before the axis. "causal" adds everything before the axis, so that
            each window ends at the position of its output.

    >>> window_padding(5, 4, 2, "same"), window_padding(5, 4, 1, "causal")
    ((1, 2), (3, 0))
    """
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return window - 1, 0
    windows = -(-length // stride)
    total = max((windows - 1) * stride + window - length, 0)
    return total // 2, total - total // 2


def window_count(length: int, window: int, stride: int, padding: str) -> int:
    """Return how many windows fit on an axis, which is the length of the output; 0 if none fits.

    The arguments are those of `window_padding`.

    >>> [window_count(5, 3, 2, padding) for padding in ("valid", "same")]
    [2, 3]
    >>> window_count(2, 3, 1, "valid")
    0
    """
    padded = length + sum(window_padding(length, window, stride, padding))
    return max((padded - window) // stride + 1, 0)


def spatial_axes(rank: int, data_format: str) -> range:
    """Return the axes that a window slides over.

    >>> list(spatial_axes(2, "channels_last")), list(spatial_axes(2, "channels_first"))
    ([1, 2], [2, 3])
    """
    return range(1, rank + 1) if data_format == "channels_last" else range(2, rank + 2)


def dimension_numbers(rank: int, data_format: str) -> tuple[str, str, str]:
    """Return the layouts of inputs, kernel and outputs, as XLA's convolutions spell them.

    >>> dimension_numbers(2, "channels_last"), dimension_numbers(1, "channels_first")
    (('NHWC', 'HWIO', 'NHWC'), ('NCW', 'WIO', 'NCW'))
    """
    space = "DHW"[-rank:]
    layout = f"N{space}C" if data_format == "channels_last" else f"NC{space}"
    return layout, f"{space}IO", layout


def slice_at_offset(
    values: Array, offset: Sequence[int], counts: Sequence[int], strides: Sequence[int]
) -> Array:
    """Return the entry at one offset of every window, `(batch, *counts, channels)`.

    Args:
        values: Padded inputs, `(batch, *space, channels)`.
        offset: The offset within the window, one index for each spatial axis.
        counts: The number of windows along each spatial axis.
        strides: The step from one window to the next along each spatial axis.

    >>> import jax.numpy as jnp
    >>> slice_at_offset(jnp.arange(6).reshape(1, 6, 1), [1], [3], [2]).ravel().tolist()
    [1, 3, 5]
    """
    ends = [
        start + (count - 1) * stride + 1
        for start, count, stride in zip(offset, counts, strides, strict=True)
    ]
    return lax.slice(
        values,
        (0, *offset, 0),
        (values.shape[0], *ends, values.shape[-1]),
        (1, *strides, 1),
    )


def has_symbolic_size(shape: Sequence[Any]) -> bool:
    """Return whether a size in a shape is unknown, as in exported programs for any batch size.

    >>> import jax
    >>> has_symbolic_size(jax.export.symbolic_shape("batch, 3"))
    True
    """
    return not all(isinstance(size, int) for size in shape)
