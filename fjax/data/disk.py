"""Memory-mapped arrays as a source of batches."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from fjax.core.specs import spec_of
from fjax.data.conversion import require_numbers
from fjax.data.passes import Passes, RowRange
from fjax.data.reading import Reader
from fjax.data.rows_on_disk import RowsOnDisk
from fjax.data.shuffling import PassOrder
from fjax.data.windows import Check, gather
from fjax.training.batch import Batch, Window, batches_in_window, rows
from fjax.training.placement import DEFAULT, Placement

# The rows whose contents identify the data of a run.
IDENTIFYING_ROWS = 1024


class _ReadRows(NamedTuple):
    """The rows of a window, in memory.

    Attributes:
        range: Which rows of the pass they are.
        batch: The rows that this process has.
        batch_size: How many of each batch these are.
    """

    range: RowRange
    batch: Batch
    batch_size: int


class DiskSource:
    """Arrays of which some are on disk: a thread reads the rows of the next windows.

    The batches are those of an `ArraySource` of the same arrays in memory, to the bit. What a model
    expects of its data is checked of each window.

    A `fjax.training.batch.Source`.

    Args:
        batch: All data: numpy arrays, and `RowsOnDisk`.
        batch_size: Rows in a batch; the last batch of a pass has the remaining rows.
        shuffle_seed: The seed for the order of each pass; None does not shuffle.
        steps_per_epoch: Steps in an epoch; None for one pass.
        check: Returns rows in the structure that a model expects, or raises.
        placement: The devices for the windows. Of several processes, each reads its own rows.
    """

    def __init__(
        self,
        batch: Batch,
        batch_size: int,
        shuffle_seed: int | None = None,
        steps_per_epoch: int | None = None,
        check: Check = require_numbers,
        placement: Placement = DEFAULT,
    ) -> None:
        placement.check_batch_size(batch_size)
        self._batch, self._check, self._placement = batch, check, placement
        self._passes = Passes(rows(batch), batch_size, shuffle_seed, steps_per_epoch)
        self._order: tuple[int, PassOrder] | None = None
        self._reader: Reader[RowRange, _ReadRows] | None = None
        self.steps: int | None = self._passes.steps
        first = check(read_rows(batch, slice(0, self._passes.batch_size)))
        self.spec = jax.tree.map(spec_of, first)
        self.batch_sizes, self.state = self._passes.batch_sizes, self._passes.state

    def windows(
        self, epoch: int, step: int = 0, fill: bool = False, most: int | None = None
    ) -> Iterator[Window]:
        """Return windows of batches; see `fjax.training.batch.Source`.

        `most` is not used, since no batch of an array is read too early.
        """
        self.close()
        self._reader = reader = Reader(self._ranges(epoch, step, fill), self._read)
        reader.allow(None)
        try:
            for read in reader:
                yield self._window(read)
        finally:
            reader.close()

    def put_back(self, steps: int) -> None:
        """Do nothing, since the batches of an epoch follow from its number."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue as a source with this state would."""
        self._passes.restore(state)
        self._order = None

    def fingerprint(self) -> dict[str, Any]:
        """Return the shapes and dtypes of the arrays, and a digest of some of their rows."""
        passes = self._passes
        count = min(passes.count, IDENTIFYING_ROWS)
        chosen = np.linspace(0, passes.count - 1, count).astype(np.int64)
        arrays = {}
        for path, leaf in jax.tree_util.tree_leaves_with_path(read_rows(self._batch, chosen)):
            values = np.ascontiguousarray(leaf)
            arrays[jax.tree_util.keystr(path, simple=True, separator=".")] = {
                "dtype": values.dtype.name,
                "shape": [passes.count, *values.shape[1:]],
                "sha256_of_some_rows": hashlib.sha256(values.tobytes()).hexdigest(),
            }
        return {
            "batch_size": passes.batch_size, "steps": passes.steps,
            "shuffled": passes.is_shuffled, "arrays": arrays,
        }  # fmt: skip

    def sample_rows(self) -> Any:
        """Return plain data that differs for other arrays: the number of rows, and digests."""
        return self._passes.count, self.fingerprint()["arrays"]

    def close(self) -> None:
        """End the thread."""
        if self._reader is not None:
            self._reader.close()

    def _ranges(self, epoch: int, step: int, fill: bool) -> Iterator[RowRange]:
        for part in self._passes.parts(epoch, step):
            yield from self._passes.ranges(part, self.spec, fill)

    def _read(self, range_: RowRange) -> _ReadRows:
        """Read the rows of a window that this process has; called in the thread."""
        size = range_.batch_size
        own = self._placement.own_rows(size)
        taken = self._taken(range_)
        if own is None or len(own) == size:
            return _ReadRows(range_, read_rows(self._batch, taken), size)
        if isinstance(taken, slice):
            taken = np.arange(taken.start, taken.stop)
        whole = np.pad(taken, (0, -len(taken) % size), mode="edge").reshape(-1, size)
        return _ReadRows(range_, read_rows(self._batch, whole[:, own].reshape(-1)), len(own))

    def _taken(self, range_: RowRange) -> slice | np.ndarray:
        """Return which rows of the data are those of a window."""
        passes, number = self._passes, range_.number
        if passes.seed is None:
            return slice(range_.first, range_.last)
        if self._order is None or self._order[0] != number:
            self._order = None
            order = PassOrder(passes.seed, number, passes.count, passes.rule)
            self._order = (number, order)
        return self._order[1].take(range_.first, range_.last)

    def _window(self, read: _ReadRows) -> Window:
        range_, count = read.range, rows(read.batch)
        batch = require_numbers(self._check(read.batch))
        capacity = batches_in_window(self.spec, range_.batch_size)
        data = gather(batch, slice(0, count), count, read.batch_size, capacity)
        is_divided = read.batch_size != range_.batch_size
        put = self._placement.put_own_window if is_divided else self._placement.put_window
        batches = math.ceil(range_.size / range_.batch_size)
        return Window(put(data), 0, batches, range_.size, range_.first, range_.is_filled)


def is_on_disk(batch: Batch) -> bool:
    """Return whether some of the arrays are on disk."""
    return any(isinstance(leaf, RowsOnDisk) for leaf in jax.tree.leaves(batch))


def read_rows(batch: Batch, taken: slice | np.ndarray) -> Batch:
    """Return some rows of arrays, of which some may be on disk, in memory."""
    return jax.tree.map(
        lambda leaf: leaf.read(taken) if isinstance(leaf, RowsOnDisk) else leaf[taken], batch
    )
