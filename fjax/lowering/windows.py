"""Windows that slide over an axis: how much padding they need, and the slices they read."""

from collections.abc import Sequence

from jax import lax

from fjax.typing import Array


def covered(window: int, dilation: int) -> int:
    """Return the length that a window covers, its gaps included.

    >>> covered(3, 1), covered(3, 2)
    (3, 5)
    """
    return (window - 1) * dilation + 1


def window_padding(size: int, covers: int, stride: int, padding: str) -> tuple[int, int]:
    """Return what is added before and after an axis.

    Args:
        size: The axis's length.
        covers: The length that the window covers.
        stride: The step from one window to the next.
        padding: "valid" adds nothing, "same" as much as gives `ceil(size / stride)` windows, half
            of it (rounded down) before, "causal" all of it before, so that a window ends where its
            output stands.

    >>> window_padding(5, 4, 2, "same"), window_padding(5, 4, 1, "causal")
    ((1, 2), (3, 0))
    """
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return covers - 1, 0
    windows = -(-size // stride)
    missing = max((windows - 1) * stride + covers - size, 0)
    return missing // 2, missing - missing // 2


def window_count(size: int, covers: int, stride: int, padding: str) -> int:
    """Return how many windows fit on an axis: the length of the output, 0 if none fits.

    >>> [window_count(5, 3, 2, padding) for padding in ("valid", "same")]
    [2, 3]
    >>> window_count(2, 3, 1, "valid")
    0
    """
    padded = size + sum(window_padding(size, covers, stride, padding))
    return max((padded - covers) // stride + 1, 0)


def spatial_axes(rank: int, data_format: str) -> range:
    """Return the axes that windows slide over.

    >>> list(spatial_axes(2, "channels_last")), list(spatial_axes(2, "channels_first"))
    ([1, 2], [2, 3])
    """
    return range(1, rank + 1) if data_format == "channels_last" else range(2, rank + 2)


def read_place(
    values: Array, place: Sequence[int], counts: Sequence[int], strides: Sequence[int]
) -> Array:
    """Return what all windows read at one place within them; the spatial axes are 1, 2, ….

    >>> import jax.numpy as jnp
    >>> read_place(jnp.arange(6).reshape(1, 6, 1), [1], [3], [2]).ravel().tolist()
    [1, 3, 5]
    """
    ends = [at + (n - 1) * step + 1 for at, n, step in zip(place, counts, strides, strict=True)]
    return lax.slice(
        values,
        (0, *place, 0),
        (values.shape[0], *ends, values.shape[-1]),
        (1, *strides, 1),
    )
