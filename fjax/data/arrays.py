"""Arrays as a source of batches: on the device as a whole, or in windows if they are too large."""

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from fjax.core.specs import spec_of
from fjax.data.reading import read_ahead
from fjax.data.shuffling import RULE, order_of_pass
from fjax.errors import integer_at_least, number_between, warn_user
from fjax.training.batch import Batch, Source, Window, rows, take
from fjax.training.placement import DEFAULT, Placement
from fjax.typing import Array

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
        return array_source(check(self.batch), size, shuffle_seed, steps, placement)

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


def array_source(
    batch: Batch,
    batch_size: int,
    shuffle_seed: int | None = None,
    steps_per_epoch: int | None = None,
    placement: Placement = DEFAULT,
) -> Source:
    """Return the source of arrays: on the device if they fit, else in windows.

    Args:
        batch: All data, numpy arrays.
        batch_size: Rows in a batch; the last batch of a pass has the remaining rows.
        shuffle_seed: The seed for the order of each pass; None does not shuffle.
        steps_per_epoch: Steps in an epoch; None for one pass.
        placement: The devices for the arrays.

    >>> from fjax.data import to_batch
    >>> source = array_source(to_batch(np.arange(10.0)[:, None]), batch_size=4)
    >>> source.steps, [(window.first, window.last) for window in source.windows(0)]
    (3, [(0, 3)])
    """
    size, capacity = sum(leaf.nbytes for leaf in jax.tree.leaves(batch)), placement.capacity()
    if capacity is None or size <= capacity:
        return ArraySource(batch, batch_size, shuffle_seed, steps_per_epoch, placement)
    return LargeArraySource(batch, batch_size, capacity, shuffle_seed, steps_per_epoch, placement)


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
        self.batch = batch
        self.count = rows(batch)
        self.batch_size = min(batch_size, self.count)
        self.length = math.ceil(self.count / self.batch_size)
        self.steps = steps_per_epoch or self.length
        self._seed, self._rule = seed, RULE

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

    def first_pass(self, epoch: int) -> int:
        """Return the number of the pass in which an epoch begins."""
        return epoch * self.steps // self.length

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
    """Arrays on the device, as one window. See `array_source` for the arguments.

    A `fjax.training.batch.Source`.
    """

    def __init__(
        self,
        batch: Batch,
        batch_size: int,
        shuffle_seed: int | None = None,
        steps_per_epoch: int | None = None,
        placement: Placement = DEFAULT,
    ) -> None:
        self._passes = _Passes(batch, batch_size, shuffle_seed, steps_per_epoch)
        self._placement = placement
        self._data = placement.put(batch)
        self._order: tuple[int, Array] | None = None
        self.steps: int | None = self._passes.steps
        self.spec = self._passes.spec
        self.batch_sizes = self._passes.batch_sizes
        self.state, self.fingerprint = self._passes.state, self._passes.fingerprint

    def windows(self, epoch: int, step: int = 0) -> Iterator[Window]:
        """Return the data as one window for each pass that overlaps the epoch."""
        for number, first, last in self._passes.parts(epoch, step):
            yield Window(
                self._data, self._device_order(number), first, last, self._passes.batch_size
            )
        # The order of the next epoch is drawn and transferred while the device computes.
        self._device_order(self._passes.first_pass(epoch + 1))

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue as a source with this state would."""
        self._passes.restore(state)
        self._order = None

    def close(self) -> None:
        """Do nothing, since no thread and no file is open."""

    def _device_order(self, number: int) -> Array | None:
        if self._order is None or self._order[0] != number:
            order = self._passes.order(number)
            if order is None:
                return None
            self._order = (number, self._placement.put(order))
        return self._order[1]


class LargeArraySource:
    """Arrays that do not fit on the device, as windows that a thread gathers.

    A `fjax.training.batch.Source`; the batches are those of `ArraySource`.

    Args:
        batch: All data, numpy arrays, which may be memory-mapped.
        batch_size: Rows in a batch.
        window_bytes: The largest size of a window, which has at least one batch.
        shuffle_seed: As in `array_source`.
        steps_per_epoch: As in `array_source`.
        placement: The devices for the windows.
    """

    def __init__(
        self,
        batch: Batch,
        batch_size: int,
        window_bytes: int,
        shuffle_seed: int | None = None,
        steps_per_epoch: int | None = None,
        placement: Placement = DEFAULT,
    ) -> None:
        self._passes = _Passes(batch, batch_size, shuffle_seed, steps_per_epoch)
        self._placement = placement
        row_bytes = max(1, sum(a.nbytes for a in jax.tree.leaves(batch)) // self._passes.count)
        self._batches = max(1, window_bytes // row_bytes // self._passes.batch_size)
        self.steps: int | None = self._passes.steps
        self.spec = self._passes.spec
        self.batch_sizes = self._passes.batch_sizes
        self.state, self.restore = self._passes.state, self._passes.restore
        self.fingerprint = self._passes.fingerprint

    def windows(self, epoch: int, step: int = 0) -> Iterator[Window]:
        """Return windows of several batches, read ahead by a thread."""
        for part in self._passes.parts(epoch, step):
            yield from read_ahead(self._windows_of(part))

    def close(self) -> None:
        """Do nothing, since the reading thread ends with each pass."""

    def _windows_of(self, part: _Pass) -> Iterator[Window]:
        passes, order = self._passes, self._passes.order(part.number)
        for start in range(part.first, part.last, self._batches):
            stop = min(part.last, start + self._batches)
            low, high = start * passes.batch_size, min(passes.count, stop * passes.batch_size)
            index = slice(low, high) if order is None else order[low:high]
            data = jax.tree.map(lambda array, index=index: array[index], passes.batch)
            yield Window(self._placement.put(data), None, 0, stop - start, passes.batch_size)


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
