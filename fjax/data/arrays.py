"""Arrays as a source of batches."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from fjax.core.specs import spec_of
from fjax.data.disk import DiskSource, is_on_disk, read_rows
from fjax.data.passes import Passes, RowRange
from fjax.data.shuffling import order_of_pass
from fjax.data.windows import Check, as_batches, gather
from fjax.errors import integer_at_least, number_between, warn_user
from fjax.training.batch import Batch, Source, Window, batches_in_window, rows, take
from fjax.training.placement import DEFAULT, Placement

# A model is built from so many rows of arrays that stay on disk.
FIRST_ROWS = 32


class Arrays(NamedTuple):
    """A user's arrays, converted, but not yet matched to a model; see `fjax.data.source.read`."""

    owner: str
    batch: Batch
    batch_size: Any
    steps: int | None
    repeats: bool

    def first(self) -> Batch:
        """Return rows from which a model can be built."""
        return read_rows(self.batch, slice(0, FIRST_ROWS)) if self.is_on_disk else self.batch

    @property
    def is_on_disk(self) -> bool:
        """Whether some of the arrays stay on disk."""
        return is_on_disk(self.batch)

    def in_memory(self) -> Batch:
        """Return all arrays in memory."""
        return read_rows(self.batch, slice(0, rows(self.batch))) if self.is_on_disk else self.batch

    def split(self, share: Any) -> "tuple[Arrays, Arrays | None]":
        """Return the data without its last share, and that share."""
        training, held_out = split(self.owner, self.batch, share)
        if held_out is None:
            return self, None
        return self._replace(batch=training), self._replace(batch=held_out)

    def checked(
        self, check: Check, shuffle_seed: int | None = None, placement: Placement = DEFAULT
    ) -> Source:
        """Return the source of these arrays, matched to a model by `check`."""
        size, steps = self._steps()
        if self.is_on_disk:
            return DiskSource(self.batch, size, shuffle_seed, steps, check, placement)
        return ArraySource(check(self.batch), size, shuffle_seed, steps, placement)

    def _steps(self) -> tuple[int, int | None]:
        """Return the batch size, and the steps in an epoch; None for one pass."""
        count, steps = rows(self.batch), self.steps
        if self.batch_size is None:
            # As in Keras: steps without a batch size are one pass through the data.
            return (32 if steps is None else math.ceil(count / steps)), None
        size = integer_at_least(self.owner, "batch_size", self.batch_size, 1)
        available = math.ceil(count / size)
        if steps is not None and steps > available and not self.repeats:
            warn_user(
                f"`{self.owner}`: {steps} steps were requested, but the data has {available}: all "
                "of it is used, once."
            )
            steps = None
        return size, steps


class ArraySource:
    """Arrays as a source: windows of gathered rows.

    On a CPU the windows are gathered on the host while the device computes. On an accelerator,
    arrays that fit into its memory are transferred once, and the windows are gathered there.

    A `fjax.training.batch.Source`.

    Args:
        batch: All data, numpy arrays.
        batch_size: Rows in a batch; the last batch of a pass has the remaining rows.
        shuffle_seed: The seed for the order of each pass; None does not shuffle.
        steps_per_epoch: Steps in an epoch; None for one pass.
        placement: The devices for the windows.

    >>> from fjax.data import to_batch
    >>> source = ArraySource(to_batch(np.arange(10.0)[:, None]), batch_size=4)
    >>> [(window.last, window.batch_size) for window in source.windows(0)]
    [(2, 4), (1, 2)]
    >>> [(window.last, window.rows) for window in source.windows(0, fill=True)]
    [(3, 10)]
    """

    def __init__(
        self,
        batch: Batch,
        batch_size: int,
        shuffle_seed: int | None = None,
        steps_per_epoch: int | None = None,
        placement: Placement = DEFAULT,
    ) -> None:
        placement.check_batch_size(batch_size)
        self._passes = Passes(rows(batch), batch_size, shuffle_seed, steps_per_epoch)
        # Rows of a column-major array are slow to gather.
        self._batch = jax.tree.map(np.ascontiguousarray, batch)
        self._placement = placement
        self._resident = placement.put(batch) if self._stays_on_device() else None
        self._order: tuple[int, np.ndarray | None] | None = None
        self._last: tuple[Any, Window] | None = None
        self.steps: int | None = self._passes.steps
        self.spec = jax.tree.map(spec_of, take(self._batch, 0, self._passes.batch_size))
        self.batch_sizes, self.state = self._passes.batch_sizes, self._passes.state

    def windows(
        self, epoch: int, step: int = 0, fill: bool = False, most: int | None = None
    ) -> Iterator[Window]:
        """Return windows of batches; see `fjax.training.batch.Source`.

        `most` is not used, since no batch of an array is read too early.
        """
        for part in self._passes.parts(epoch, step):
            for range_ in self._passes.ranges(part, self.spec, fill):
                yield self._window(range_)
        if self._passes.is_shuffled:
            # The first window of the next epoch is gathered while the device computes.
            part = next(self._passes.parts(epoch + 1, 0))
            self._window(next(self._passes.ranges(part, self.spec, fill)))

    def put_back(self, steps: int) -> None:
        """Do nothing, since the batches of an epoch follow from its number."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue as a source with this state would."""
        self._passes.restore(state)
        self._order = self._last = None

    def fingerprint(self) -> dict[str, Any]:
        """Return the shapes, dtypes and digests of the arrays."""
        arrays = {}
        for path, leaf in jax.tree_util.tree_leaves_with_path(self._batch):
            values = np.ascontiguousarray(leaf)
            arrays[jax.tree_util.keystr(path, simple=True, separator=".")] = {
                "dtype": values.dtype.name,
                "shape": list(values.shape),
                "sha256": hashlib.sha256(values.reshape(-1).view(np.uint8).data).hexdigest(),
            }
        passes = self._passes
        return {
            "batch_size": passes.batch_size, "steps": passes.steps,
            "shuffled": passes.is_shuffled, "arrays": arrays,
        }  # fmt: skip

    def sample_rows(self) -> Any:
        """Return plain data that differs for other arrays: the number of rows, and a checksum."""
        from fjax.processes.checksums import sample_rows

        return sample_rows(self._batch, self._passes.count)

    def close(self) -> None:
        """Do nothing, since no thread and no file is open."""

    def _stays_on_device(self) -> bool:
        """Return whether the arrays are transferred once; a single window is cheap to transfer."""
        if self._placement.is_cpu:
            return False
        passes, capacity = self._passes, self._placement.capacity()
        size = sum(leaf.nbytes for leaf in jax.tree.leaves(self._batch))
        is_large = passes.length > batches_in_window(self._batch, passes.batch_size)
        return is_large and (capacity is None or size <= capacity)

    def _window(self, range_: RowRange) -> Window:
        """Return the window of some rows; the last one is kept."""
        key = range_ if self._passes.is_shuffled else range_._replace(number=0)
        if self._last is None or self._last[0] != key:
            self._last = None
            batches = math.ceil(range_.size / range_.batch_size)
            data = self._gather(range_)
            window = Window(data, 0, batches, range_.size, range_.first, range_.is_filled)
            self._last = (key, window)
        return self._last[1]

    def _gather(self, range_: RowRange) -> Batch:
        size, order = range_.batch_size, self._order_of(range_.number)
        taken = slice(range_.first, range_.last)
        own = self._placement.own_rows(size) if self._resident is None else None
        if own is not None:
            # Of each batch, only the rows of this process are read.
            index = np.arange(taken.start, taken.stop) if order is None else order[taken]
            batches = as_batches(np.pad(index, (0, -range_.size % size), mode="edge"), size)
            index = batches[:, own].ravel()
            capacity = batches_in_window(self._batch, size)
            window = gather(self._batch, index, len(index), len(own), capacity)
            return self._placement.put_own_window(window)
        if self._resident is None:
            chosen = taken if order is None else order[taken]
            return self._placement.put_window(gather(self._batch, chosen, range_.size, size))
        index = np.arange(taken.start, taken.stop) if order is None else order[taken]
        capacity = batches_in_window(self._batch, size) * size
        padded = np.pad(index, (0, capacity - range_.size), mode="edge").astype(np.int32)
        return self._placement.take(self._resident, as_batches(padded, size))

    def _order_of(self, number: int) -> np.ndarray | None:
        if self._order is None or self._order[0] != number:
            passes, self._order = self._passes, None
            seed = passes.seed
            self._order = (
                number,
                None if seed is None else order_of_pass(seed, number, passes.count, passes.rule),
            )
        return self._order[1]


def split(owner: str, batch: Batch, validation_split: Any) -> tuple[Batch, Batch | None]:
    """Return the rows without their last share, and that share, split as in Keras.

    >>> from fjax.data import to_batch
    >>> training, held_out = split("fit", to_batch(np.arange(10.0)), 0.2)
    >>> training.inputs[0].shape, held_out.inputs[0].tolist()
    ((8,), [8.0, 9.0])
    """
    share = number_between(owner, "validation_split", validation_split, 0.0, 1.0, open_high=True)
    if share == 0.0:
        return batch, None
    count = rows(batch)
    cut = math.floor(count * (1.0 - share))
    if cut == 0 or cut == count:
        raise ValueError(
            f"`{owner}`: `validation_split={validation_split}` of {count} samples leaves {cut} to "
            f"train on and {count - cut} to validate on: both need at least one."
        )
    return take(batch, 0, cut), take(batch, cut, count)
