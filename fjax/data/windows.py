"""Windows on the host: a fixed number of batches, whose first rows are gathered."""

import math
from typing import Any

import jax
import numpy as np

from fjax.training.batch import Batch, batches_in_window
from fjax.typing import PyTree

# XLA reads a host's array in place, without a copy, if it begins at a multiple of this address.
ALIGNMENT = 64

# A batch of fewer rows is filled to this size, so that few programs serve small data.
SMALLEST_FILLED = 32


def filled_size(count: int, batch_size: int) -> int:
    """Return the rows of the batches of a data set whose batches may be filled.

    It is the batch size, unless there are fewer rows: then it is the next power of two from 32 on.
    One row is not filled, since models often predict row by row.

    >>> [filled_size(count, 100) for count in (1, 2, 33, 65, 100, 101)]
    [1, 32, 64, 100, 100, 100]
    """
    if count in (1, batch_size):
        return count
    return min(batch_size, max(SMALLEST_FILLED, 1 << (count - 1).bit_length()))


def gather(
    arrays: Batch,
    rows: slice | np.ndarray,
    count: int,
    batch_size: int,
    most: int | None = None,
) -> Batch:
    """Return a window of the given rows of arrays: leaves of shape (batches, batch size, ...).

    Args:
        arrays: The arrays.
        rows: The rows, as a slice or by index.
        count: The number of rows.
        batch_size: Rows in a batch; the last batch is filled with copies of the last row.
        most: The batches for which the window has room; None follows from their size.
    """
    capacity = (most or batches_in_window(arrays, batch_size)) * batch_size

    def gathered(array: np.ndarray) -> np.ndarray:
        window = _aligned(array, capacity)
        if isinstance(rows, slice):
            window[:count] = array[rows]
        else:
            # Rows of an order are never out of bounds, and this mode needs no buffer.
            np.take(array, rows, axis=0, out=window[:count], mode="clip")
        _fill(window, count, batch_size)
        return as_batches(window, batch_size)

    return jax.tree.map(gathered, arrays)


def as_batches(rows: np.ndarray, batch_size: int) -> np.ndarray:
    """Return rows as batches: the first axis becomes two, without a copy.

    >>> as_batches(np.arange(6), 2).tolist()
    [[0, 1], [2, 3], [4, 5]]
    """
    return rows.reshape(-1, batch_size, *rows.shape[1:])


def shapes_of(tree: PyTree) -> Any:
    """Return the structure, shapes and dtypes of a tree, to compare."""
    leaves, structure = jax.tree.flatten(tree)
    return structure, tuple((leaf.shape, leaf.dtype) for leaf in leaves)


def _aligned(array: Any, count: int) -> np.ndarray:
    """Return an aligned array of this many rows, whose memory is taken when it is written to."""
    shape, dtype = (count, *array.shape[1:]), np.dtype(array.dtype)
    size = math.prod(shape) * dtype.itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)


def _fill(window: np.ndarray, count: int, batch_size: int) -> None:
    """Fill the last batch with copies of the last row, whose outputs are finite if its own are."""
    missing = -count % batch_size
    if missing:
        window[count : count + missing] = window[count - 1]
