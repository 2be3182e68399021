"""`Batch`, the data of a step, and `Source`, the protocol of everything that yields batches."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np

from fjax.typing import Array, PyTree


class Batch(NamedTuple):
    """The data of one step; every leaf has the batch axis first.

    Attributes:
        inputs: The network's inputs, a tuple even for one input.
        targets: The targets, which the loss compares with the outputs.
        sample_weight: One weight per sample, or None; for several outputs, also a tree of weights
            with the structure of the outputs.
        valid: 1 for each row that counts and 0 for each row of padding, float32; None if all rows
            count. Layers that mix rows, such as batch normalization, do not
            read it.
    """

    inputs: tuple[PyTree, ...]
    targets: PyTree = None
    sample_weight: Array | np.ndarray | PyTree | None = None
    valid: Array | None = None


# A window has at most this many bytes, unless one batch has more, and this many batches.
WINDOW_BYTES = 2**22
WINDOW_BATCHES = 1024


class Window(NamedTuple):
    """Some batches on the device, and the range of them to use next.

    The data has a fixed capacity, so that one program serves any number of batches.

    Attributes:
        data: The batches: leaves of shape (batches, batch size, ...); rows past the last batch have
            no meaning.
        first: The first batch to use.
        last: One past the last batch to use.
        rows: The rows of `data` that count.
        start: The rows of the epoch before `data`.
        is_filled: Whether the last batch may have rows that do not count, so that each batch tells
            which of its rows are `valid`.
    """

    data: Batch
    first: int
    last: int
    rows: int
    start: int = 0
    is_filled: bool = False

    @property
    def batch_size(self) -> int:
        """Rows in a batch."""
        return int(jax.tree.leaves(self.data)[0].shape[1])

    def bounds(self, first: int, last: int) -> np.ndarray:
        """Return what a program reads besides the data, to use the batches `first` to `last`."""
        # Only a key is derived from the start, which may exceed 32 bits.
        return np.array([first, last, self.rows, self.start & 0x7FFFFFFF], np.int32)


class Source(Protocol):
    """A source of batches.

    Attributes:
        steps: Steps in an epoch; None if the epoch lasts until the data ends.
    """

    steps: int | None

    @property
    def spec(self) -> Batch:
        """The shapes and dtypes of one full batch, from which a model is built."""
        ...

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """The numbers of rows that a batch can have, as far as they are known."""
        ...

    def windows(
        self, epoch: int, step: int = 0, fill: bool = False, most: int | None = None
    ) -> Iterator[Window]:
        """Return windows of batches on the device.

        Args:
            epoch: The epoch.
            step: The first step of the epoch to use.
            fill: Whether a batch with fewer rows may be filled with rows that do not count;
                otherwise it has a window of its own.
            most: The largest number of batches to read for a window; None for any number.
        """
        ...

    def put_back(self, steps: int) -> None:
        """Take back the last steps of a window, which were not used."""
        ...

    def state(self) -> Mapping[str, Any]:
        """Return the state for a checkpoint, besides what `restore` gets anyway, as plain data."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue where a run stands.

        Args:
            state: What `state` returned, and the run's `steps`, `epoch` and `shuffle_seed`.
        """
        ...

    def fingerprint(self) -> Mapping[str, Any]:
        """Return plain data that identifies the data of this source."""
        ...

    def close(self) -> None:
        """Release threads and files."""
        ...


def take(batch: Batch, start: int, stop: int) -> Batch:
    """Return the rows from `start` to `stop` of each array."""
    return jax.tree.map(lambda array: array[start:stop], batch)


def rows(tree: PyTree) -> int:
    """Return the number of rows: the first axis of the first array."""
    return int(jax.tree.leaves(tree)[0].shape[0])


def batches_in_window(tree: PyTree, batch_size: int) -> int:
    """Return how many batches of rows like these a window holds.

    >>> batches_in_window(np.zeros((1, 2**10), np.float32), batch_size=32)
    32
    """
    leaves = jax.tree.leaves(tree)
    row_bytes = sum(math.prod(a.shape[1:]) * np.dtype(a.dtype).itemsize for a in leaves)
    return min(WINDOW_BATCHES, max(1, WINDOW_BYTES // max(1, row_bytes * batch_size)))
