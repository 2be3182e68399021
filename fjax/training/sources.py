"""Where batches come from: arrays that lie on the device, or an iterable read ahead by a thread."""

import hashlib
import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from fjax.training.arrays import require_numbers, rows, take, to_batch
from fjax.training.reading import Reader, stream_of
from fjax.training.shuffling import RULE, order_of_pass
from fjax.training.step import Batch
from fjax.typing import Array


class Window(NamedTuple):
    """Data on the device, and which of its batches come next.

    Attributes:
        data: Rows on the device.
        order: The order to take the rows in; None is as they lie.
        first: The first batch to take.
        last: One past the last batch to take.
        batch_size: Rows in a batch.
    """

    data: Batch
    order: Array | None
    first: int
    last: int
    batch_size: int


class ArraySource:
    """Batches of arrays.

    The rows pass by again and again, each pass in an order drawn from (seed, pass) alone; an epoch
    is one pass, or `steps_per_epoch` steps of the endless stream of passes.

    Args:
        batch: The data, numpy arrays.
        batch_size: Rows in a batch; the last of a pass holds what is left.
        shuffle_seed: Draws the orders; None leaves the rows as they lie.
        steps_per_epoch: Steps in an epoch; None is one pass.
        resident_bytes: Data larger than this stays on the host, and comes in windows of this size
            at most; None asks the device for half its memory.

    >>> batch = to_batch(np.arange(10.0)[:, None])
    >>> source = ArraySource(batch, batch_size=4)
    >>> source.steps, [(w.first, w.last) for w in source.windows(0)]
    (3, [(0, 3)])
    """

    def __init__(
        self,
        batch: Batch,
        batch_size: int,
        shuffle_seed: int | None = None,
        steps_per_epoch: int | None = None,
        resident_bytes: int | None = None,
    ) -> None:
        self.count = rows(batch)
        self.batch_size = min(batch_size, self.count)
        self.steps_in_pass = math.ceil(self.count / self.batch_size)
        self.steps: int | None = steps_per_epoch or self.steps_in_pass
        self.example = take(batch, 0, 1)
        self._seed, self._rule = shuffle_seed, RULE
        self._order: tuple[int, Array] | None = None
        size = sum(leaf.nbytes for leaf in jax.tree.leaves(batch))
        limit = resident_bytes or _half_of_device_memory()
        self._window_batches = None
        if limit is not None and size > limit:
            self._window_batches = max(1, limit // max(1, size // self.count) // self.batch_size)
        self._data = batch if self._window_batches else jax.device_put(batch)

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """The numbers of rows that a batch can have."""
        full, rest = divmod(self.count, self.batch_size)
        return tuple(size for size in (self.batch_size * min(full, 1), rest) if size)

    def windows(self, epoch: int, start: int = 0) -> Iterator[Window]:
        """Return the windows of an epoch from one of its steps on."""
        steps = self.steps or self.steps_in_pass
        step, end = epoch * steps + start, (epoch + 1) * steps
        while step < end:
            number, first = divmod(step, self.steps_in_pass)
            last = min(self.steps_in_pass, first + end - step)
            if self._window_batches:
                yield from _read_ahead(self._host_windows(number, first, last))
            else:
                yield Window(self._data, self._device_order(number), first, last, self.batch_size)
            step += last - first

    def prepare(self, epoch: int) -> None:
        """Draw the order of an epoch to come and send it off, while the device is at work."""
        if self._window_batches is None:
            self._device_order(epoch * (self.steps or self.steps_in_pass) // self.steps_in_pass)

    def close(self) -> None:
        """Release what the source holds open: nothing."""

    def fingerprint(self) -> dict[str, Any]:
        """Return what tells this data from other data: shapes, types and a digest of the values."""
        arrays = {}
        for path, leaf in jax.tree_util.tree_leaves_with_path(self._data):
            values = np.ascontiguousarray(leaf)
            arrays[jax.tree_util.keystr(path, simple=True, separator=".")] = {
                "dtype": values.dtype.name,
                "shape": list(values.shape),
                "sha256": hashlib.sha256(values.reshape(-1).view(np.uint8).data).hexdigest(),
            }
        shuffled = self._seed is not None
        return {
            "batch_size": self.batch_size, "steps": self.steps, "shuffled": shuffled,
            "arrays": arrays,
        }  # fmt: skip

    def go_on(self, shuffle_seed: int, steps: int, rule: str = RULE) -> None:
        """Go on as another source of the same data would after so many steps.

        Args:
            shuffle_seed: The seed of that one.
            steps: How many it made; an order is drawn from the seed and the pass alone.
            rule: By which rule it draws its orders.
        """
        if self._seed is not None:
            self._seed, self._rule, self._order = shuffle_seed, rule, None

    def _device_order(self, number: int) -> Array | None:
        if self._seed is None:
            return None
        if self._order is None or self._order[0] != number:
            self._order = (number, jax.device_put(self._host_order(number)))
        return self._order[1]

    def _host_order(self, number: int) -> np.ndarray | None:
        if self._seed is None:
            return None
        return order_of_pass(self._seed, number, self.count, self._rule)

    def _host_windows(self, number: int, first: int, last: int) -> Iterator[Window]:
        order = self._host_order(number)
        for start in range(first, last, self._window_batches or 1):
            stop = min(last, start + (self._window_batches or 1))
            low, high = start * self.batch_size, min(self.count, stop * self.batch_size)
            index = slice(low, high) if order is None else order[low:high]
            data = jax.device_put(jax.tree.map(lambda array, i=index: array[i], self._data))
            yield Window(data, None, 0, stop - start, self.batch_size)


class IterableSource:
    """Batches from an iterable, a generator, or an object with `__getitem__` and `__len__`.

    A thread reads ahead by two batches, so memory stays bounded and the device is not kept waiting.
    It reads no further than the steps of an epoch need, and what it has read when a training is
    stopped is there for the next one: no batch of a generator is lost.

    Args:
        batches: Gives `x`, `(x, y)` or `(x, y, sample_weight)`.
        steps_per_epoch: Steps in an epoch; None is until the iterable ends.
        convert: Checks each batch; the facade holds it against the model here.
        endless: Whether an iterable that ends before `steps_per_epoch` begins again.
    """

    def __init__(
        self,
        batches: Any,
        steps_per_epoch: int | None = None,
        convert: Callable[[Batch], Batch] = lambda batch: batch,
        endless: bool = True,
    ) -> None:
        self.steps: int | None = steps_per_epoch
        if steps_per_epoch is None and hasattr(batches, "__len__"):
            self.steps = len(batches)
        self._again = not isinstance(batches, Iterator)
        self._batches = batches
        self._endless = endless and steps_per_epoch is not None
        self._convert = convert
        self._reader: Reader[Any, Window] | None = None
        self._first: Window | None = None
        self._example: Batch | None = None
        self._first_rows = 0

    @property
    def example(self) -> Batch:
        """One row of the first batch."""
        if self._example is None:
            self._first = next(self._open(), None)
            if self._first is None:
                raise ValueError("`x` gave no batch: the iterable is empty.")
            self._example = take(self._first.data, 0, 1)
            self._first_rows = rows(self._first.data)
        return self._example

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """The number of rows of the first batch; more is not known before."""
        assert self.example is not None
        return (self._first_rows,)

    def windows(self, epoch: int, start: int = 0) -> Iterator[Window]:
        """Return the batches of an epoch, each as a window of its own."""
        made, untouched = start, self._reader is None
        while self.steps is None or made < self.steps:
            window, self._first = self._first, None
            left = None if self.steps is None else self.steps - made
            if window is None:
                reader = self._open()
                reader.allow(left)
                window = next(reader, None)
            elif left is None or left > 1:
                # The first batch, which was looked at, is one of them.
                self._open().allow(None if left is None else left - 1)
            if window is not None:
                made, untouched = made + 1, False
                yield window
                continue
            self._begin_again()
            if self._again and self._endless and not untouched:
                untouched = True
                continue
            if made == start:
                raise ValueError(
                    f"`x` gave no batch in epoch {epoch + 1}: the generator is used up. Give "
                    "an iterable that can be iterated again, or `steps_per_epoch` and a "
                    "generator that goes on."
                )
            if self.steps is not None:
                warnings.warn(
                    f"{self.steps} steps were asked for and `x` gave {made}: all of it was "
                    "used, once.",
                    stacklevel=2,
                )
            return
        if not self._endless:
            self._begin_again()

    def prepare(self, epoch: int) -> None:
        """Do nothing: the thread reads ahead by itself."""

    def close(self) -> None:
        """End the reading thread; a user's own generator stays open."""
        if self._reader is not None:
            self._reader.close()

    def fingerprint(self) -> dict[str, Any]:
        """Return the shapes and types of a batch: what an iterable will give is not known."""
        example = jax.tree_util.tree_leaves_with_path(self.example)
        arrays = {
            jax.tree_util.keystr(path, simple=True, separator="."): {
                "dtype": np.dtype(leaf.dtype).name,
                "shape": list(leaf.shape[1:]),
            }
            for path, leaf in example
        }
        return {"steps": self.steps, "arrays": arrays}

    def go_on(self, shuffle_seed: int, steps: int, rule: str = RULE) -> None:
        """Go on as another source would after so many steps: leave out what it has used.

        An iterable that begins again in each epoch is left out for the epoch that it was in; a
        stream, which goes on from epoch to epoch, for all of them.
        """
        streams = self._endless or not self._again
        for _ in range(steps if streams or self.steps is None else steps % self.steps):
            window, self._first = self._first, None
            if window is None and next(self._open(), None) is None:
                self._begin_again()
                next(self._open(), None)

    def _begin_again(self) -> None:
        if self._again:
            self.close()
            self._reader = None

    def _open(self) -> "Reader[Any, Window]":
        if self._reader is None:
            # What is left of a generator belongs to it; of an iterable each pass is another.
            stream = None if self._again else stream_of(self._batches)
            self._reader = Reader(_iterate(self._batches), self._window, stream)
        return self._reader

    def _window(self, item: Any) -> Window:
        parts = _parts_of(item)
        if len(parts) > 3:
            raise ValueError(
                "A batch must be `x`, `(x, y)` or `(x, y, sample_weight)`, received a "
                f"{type(item).__name__} of {len(parts)}. Several inputs go in a tuple of their "
                "own: `((x1, x2), y)`."
            )
        x, y, weight = (*parts, None, None)[:3]
        batch = require_numbers(self._convert(to_batch(x, y, weight, text=True)))
        return Window(jax.device_put(batch), None, 0, 1, rows(batch))


def _parts_of(item: Any) -> tuple[Any, ...]:
    """Return the inputs, targets and weights of a batch.

    A list of arrays is taken for a tuple of them, as Keras takes it: a PyTorch `DataLoader` gives
    `[x, y]`.
    """
    if isinstance(item, tuple):
        return item
    is_list_of_arrays = isinstance(item, list) and any(
        hasattr(part, "shape") or isinstance(part, tuple | Mapping) for part in item
    )
    if not is_list_of_arrays:
        return (item,)
    if len(item) == 3:
        warnings.warn(
            "`x` gives batches that are lists of three, which are taken for `x`, `y` and "
            "`sample_weight`, as in Keras. Are they two inputs and targets, give "
            "`((x1, x2), y)`; else give tuples to say so.",
            # Always from this line, so that it is shown once.
            stacklevel=1,
        )
    return tuple(item)


def _read_ahead(windows: Iterator[Window]) -> Iterator[Window]:
    reader = Reader(windows, lambda window: window)
    reader.allow(None)
    try:
        yield from reader
    finally:
        reader.close()


def _iterate(batches: Any) -> Iterator[Any]:
    if hasattr(batches, "__iter__"):
        # Not `yield from`, which would close a user's generator together with this one.
        for batch in batches:  # noqa: UP028
            yield batch
    else:
        for index in range(len(batches)):
            yield batches[index]


def _half_of_device_memory() -> int | None:
    statistics = jax.local_devices()[0].memory_stats()
    return statistics["bytes_limit"] // 2 if statistics and "bytes_limit" in statistics else None
