"""Arrays as a source of batches."""

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from fjax.core.specs import spec_of
from fjax.data.shuffling import RULE, order_of_pass
from fjax.data.windows import as_batches, filled_size, gather
from fjax.errors import integer_at_least, number_between, warn_user
from fjax.training.batch import Batch, Source, Window, batches_in_window, rows, take
from fjax.training.placement import DEFAULT, Placement

# Returns a batch in the structure that a model expects, or raises.
Check = Callable[[Batch], Batch]


class Arrays(NamedTuple):
    """A user's arrays, converted, but not yet matched to a model; see `fjax.data.source.read`."""

    owner: str
    batch: Batch
    batch_size: Any
    steps: int | None
    repeats: bool

    def first(self) -> Batch:
        """Return rows from which a model can be built."""
        return self.batch

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


class _Pass(NamedTuple):
    """A part of one pass through the rows: the batches `first` to `last`."""

    number: int
    first: int
    last: int


class _Passes:
    """The endless sequence of passes through the rows, divided into epochs.

    The order of a pass depends only on the seed and the number of the pass. An epoch is one pass,
    or `steps_per_epoch` steps of the sequence.
    """

    def __init__(
        self, batch: Batch, batch_size: int, seed: int | None, steps_per_epoch: int | None
    ) -> None:
        # Rows of a column-major array are slow to gather.
        self.batch = jax.tree.map(np.ascontiguousarray, batch)
        self.count = rows(batch)
        self.batch_size = min(batch_size, self.count)
        self.length = math.ceil(self.count / self.batch_size)
        self.steps = steps_per_epoch or self.length
        self._seed, self._rule = seed, RULE

    @property
    def is_shuffled(self) -> bool:
        """Whether each pass has an order of its own."""
        return self._seed is not None

    @property
    def spec(self) -> Batch:
        return jax.tree.map(spec_of, take(self.batch, 0, self.batch_size))

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        full, rest = divmod(self.count, self.batch_size)
        return tuple(size for size in (self.batch_size * min(full, 1), rest) if size)

    def parts(self, epoch: int, step: int) -> Iterator[_Pass]:
        """Return the parts of passes that an epoch consists of, from a step on."""
        position, end = epoch * self.steps + step, (epoch + 1) * self.steps
        while position < end:
            number, first = divmod(position, self.length)
            last = min(self.length, first + end - position)
            yield _Pass(number, first, last)
            position += last - first

    def order(self, number: int) -> np.ndarray | None:
        """Return the order of the rows in a pass; None if they are not shuffled."""
        if self._seed is None:
            return None
        return order_of_pass(self._seed, number, self.count, self._rule)

    def state(self) -> dict[str, Any]:
        return {"order_rule": self._rule}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore the seed and the rule of the orders; the step is an argument of `parts`."""
        if self._seed is not None:
            self._seed, self._rule = state["shuffle_seed"], state["order_rule"]

    def fingerprint(self) -> dict[str, Any]:
        arrays = {}
        for path, leaf in jax.tree_util.tree_leaves_with_path(self.batch):
            values = np.ascontiguousarray(leaf)
            arrays[jax.tree_util.keystr(path, simple=True, separator=".")] = {
                "dtype": values.dtype.name,
                "shape": list(values.shape),
                "sha256": hashlib.sha256(values.reshape(-1).view(np.uint8).data).hexdigest(),
            }
        return {
            "batch_size": self.batch_size, "steps": self.steps, "shuffled": self._seed is not None,
            "arrays": arrays,
        }  # fmt: skip


class ArraySource:
    """Arrays as a source: windows of gathered rows.

    On a CPU the windows are gathered on the host while the device computes. On an accelerator,
    arrays that fit into its memory are transferred once, and the windows are gathered there.

    A `fjax.training.batch.Source`.

    Args:
        batch: All data, numpy arrays, which may be memory-mapped.
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
        self._passes = _Passes(batch, batch_size, shuffle_seed, steps_per_epoch)
        self._placement = placement
        self._batch_size = batch_size
        self._resident = placement.put(batch) if self._stays_on_device() else None
        self._order: tuple[int, np.ndarray | None] | None = None
        self._last: tuple[Any, Window] | None = None
        self.steps: int | None = self._passes.steps
        self.spec = self._passes.spec
        self.batch_sizes = self._passes.batch_sizes
        self.state, self.fingerprint = self._passes.state, self._passes.fingerprint

    def windows(
        self, epoch: int, step: int = 0, fill: bool = False, most: int | None = None
    ) -> Iterator[Window]:
        """Return windows of batches; see `fjax.training.batch.Source`.

        `most` is not used, since no batch of an array is read too early.
        """
        for part in self._passes.parts(epoch, step):
            for first, last, size in self._ranges(part, fill):
                yield self._window(part.number, first, last, size, fill)
        if self._passes.is_shuffled:
            # The first window of the next epoch is gathered while the device computes.
            part = next(self._passes.parts(epoch + 1, 0))
            first, last, size = next(self._ranges(part, fill))
            self._window(part.number, first, last, size, fill)

    def put_back(self, steps: int) -> None:
        """Do nothing, since the batches of an epoch follow from its number."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue as a source with this state would."""
        self._passes.restore(state)
        self._order = self._last = None

    def sample_rows(self) -> Any:
        """Return plain data that differs for other arrays: the number of rows, and a checksum."""
        from fjax.processes.checksums import sample_rows

        return sample_rows(self._passes.batch, self._passes.count)

    def close(self) -> None:
        """Do nothing, since no thread and no file is open."""

    def _stays_on_device(self) -> bool:
        """Return whether the arrays are transferred once; a single window is cheap to transfer."""
        if self._placement.is_cpu:
            return False
        passes, capacity = self._passes, self._placement.capacity()
        size = sum(leaf.nbytes for leaf in jax.tree.leaves(passes.batch))
        is_large = passes.length > batches_in_window(passes.batch, passes.batch_size)
        return is_large and (capacity is None or size <= capacity)

    def _ranges(self, part: _Pass, fill: bool) -> Iterator[tuple[int, int, int]]:
        """Return the first and last row of each window of a part of a pass, and its batch size."""
        passes = self._passes
        size = filled_size(passes.count, self._batch_size) if fill else passes.batch_size
        capacity = batches_in_window(passes.batch, size) * size
        stop = min(passes.count, part.last * size)
        full = stop if fill else stop - stop % size
        for first in range(part.first * size, full, capacity):
            yield first, min(full, first + capacity), size
        if full < stop:
            first = max(full, part.first * size)
            yield first, stop, stop - full

    def _window(self, number: int, first: int, last: int, size: int, fill: bool) -> Window:
        """Return the window of the rows `first` to `last` of a pass; the last one is kept."""
        key = (number if self._passes.is_shuffled else 0, first, last, size, fill)
        if self._last is None or self._last[0] != key:
            self._last = None
            order = self._order_of(number)
            rows = slice(first, last) if order is None else order[first:last]
            is_filled = fill and self._passes.count % size != 0
            data = self._gather(rows, last - first, size)
            batches = math.ceil((last - first) / size)
            window = Window(data, 0, batches, last - first, first, is_filled)
            self._last = (key, window)
        return self._last[1]

    def _gather(self, rows: slice | np.ndarray, count: int, size: int) -> Batch:
        own = self._placement.own_rows(size) if self._resident is None else None
        if own is not None:
            # Of each batch, only the rows of this process are read.
            index = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
            batches = as_batches(np.pad(index, (0, -count % size), mode="edge"), size)
            index = batches[:, own].ravel()
            most = batches_in_window(self._passes.batch, size)
            window = gather(self._passes.batch, index, len(index), len(own), most)
            return self._placement.put_own_window(window)
        if self._resident is None:
            return self._placement.put_window(gather(self._passes.batch, rows, count, size))
        index = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
        capacity = batches_in_window(self._passes.batch, size) * size
        padded = np.pad(index, (0, capacity - count), mode="edge").astype(np.int32)
        return self._placement.take(self._resident, as_batches(padded, size))

    def _order_of(self, number: int) -> np.ndarray | None:
        if self._order is None or self._order[0] != number:
            self._order = (number, self._passes.order(number))
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
