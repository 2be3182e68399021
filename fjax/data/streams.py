"""Iterables of batches as sources: a thread reads ahead while the device computes."""

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np

from fjax.data.conversion import require_numbers
from fjax.data.indexed import call_hook, is_indexed, iterate_indexed
from fjax.data.items import batch_of
from fjax.data.reading import Reader, stream_of
from fjax.data.shuffling import order_of_pass
from fjax.data.stacking import StackedBatches
from fjax.data.windows import Check, shapes_of
from fjax.errors import warn_user
from fjax.training.batch import Batch, Window, rows
from fjax.training.placement import DEFAULT, Placement
from fjax.typing import IteratesPasses

EMPTY = "`x` yielded no batch: the iterable is empty."


def stream_source(
    batches: Any,
    steps_per_epoch: int | None = None,
    restarts: bool = True,
    check: Check = require_numbers,
    placement: Placement = DEFAULT,
) -> "IteratorSource | LoaderSource":
    """Return the source of an iterable of batches `x`, `(x, y)` or `(x, y, sample_weight)`.

    Args:
        batches: An iterator, such as a generator, which continues from epoch to epoch; or an
            iterable, or an object with `__getitem__` and `__len__`, which restarts.
        steps_per_epoch: Steps in an epoch; with None, an epoch lasts until the iterable ends.
        restarts: Whether an iterable that ends within `steps_per_epoch` is restarted.
        check: Returns batches in the structure that a model expects.
        placement: The devices for the batches.
    """
    if not isinstance(batches, Iterator):
        return LoaderSource(batches, steps_per_epoch, restarts, check, placement)
    return IteratorSource(batches, steps_per_epoch, check, placement)


class IteratorSource:
    """Batches of an iterator, which continues from epoch to epoch and cannot restart.

    The thread reads only as many batches as the steps of an epoch need. If a training is stopped,
    the next one uses the batches that were read: no batch of a generator is lost.

    A `fjax.training.batch.Source`; see `stream_source` for the arguments.

    Attributes:
        is_indexable: Whether a batch can be read by its index; always False.
    """

    def __init__(
        self,
        batches: Iterator[Any],
        steps_per_epoch: int | None = None,
        check: Check = require_numbers,
        placement: Placement = DEFAULT,
    ) -> None:
        self.steps = _steps(batches, steps_per_epoch)
        self.is_indexable = False
        self._stacked = StackedBatches(check, placement)
        # The unused items of an iterator are shared by all its readers.
        self._reader = Reader(batches, batch_of, stream_of(batches), kind=shapes_of)

    @property
    def spec(self) -> Batch:
        """Shapes and dtypes of the first batch."""
        try:
            return self._stacked.spec(self.first)
        except Exception:
            self._reader.drop()
            raise

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """The number of rows of the first batch; later batches may differ."""
        return (rows(self.spec),)

    def first(self) -> Batch:
        """Return the first batch, converted but not checked, without using it up."""
        return _peek(self._reader)

    def checked(
        self, check: Check, shuffle_seed: int | None = None, placement: Placement = DEFAULT
    ) -> "IteratorSource":
        """Return this source, with a check and a placement for its batches.

        Args:
            check: Returns a batch in the structure that a model expects, or raises.
            shuffle_seed: Not used: the batches keep their order.
            placement: The devices for the batches.
        """
        self._stacked.use(check, placement)
        return self

    def windows(
        self, epoch: int, step: int = 0, fill: bool = False, most: int | None = None
    ) -> Iterator[Window]:
        """Return windows of batches; see `fjax.training.batch.Source`."""
        spec, done, start = self.spec, step, 0
        while self.steps is None or done < self.steps:
            self._reader.allow(None if self.steps is None else self.steps - done)
            window = self._stacked.window(self._reader, spec, start, fill, most)
            if window is None:
                check_end(epoch, done, done == step, self.steps)
                return
            done, start = done + window.last, start + window.rows
            yield window

    def put_back(self, steps: int) -> None:
        """Give the last batches back to the reader."""
        self._stacked.put_back(self._reader, steps)

    def state(self) -> dict[str, Any]:
        """Return nothing, since the position of an iterator is unknown."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Skip the batches that the completed steps have used."""
        for _ in range(state["steps"]):
            next(self._reader, None)

    def fingerprint(self) -> dict[str, Any]:
        """Return the shapes and dtypes of a batch, since later batches are unknown."""
        return describe_stream(self.spec, self.steps)

    def close(self) -> None:
        """End the thread; the iterator itself stays open."""
        self._reader.close()


class LoaderSource:
    """Batches of an iterable that can restart: a list, a PyTorch `DataLoader`, a `PyDataset`.

    Each epoch is one iteration; with `restarts`, an epoch of `steps_per_epoch` steps continues
    where the last epoch stopped, and the iterable is restarted at its end.

    A `fjax.training.batch.Source`; see `stream_source` for the arguments.

    Attributes:
        is_indexable: Whether a batch can be read by its index.
    """

    def __init__(
        self,
        batches: Any,
        steps_per_epoch: int | None = None,
        restarts: bool = True,
        check: Check = require_numbers,
        placement: Placement = DEFAULT,
    ) -> None:
        self.steps = _steps(batches, steps_per_epoch)
        self.is_indexable = hasattr(batches, "__getitem__")
        self._is_indexed = is_indexed(batches)
        self._restarts = restarts and steps_per_epoch is not None
        self._shuffle_seed: int | None = None
        self._pass = 0
        self._first: Batch | None = None
        self._batches = batches
        self._stacked = StackedBatches(check, placement)
        self._reader: Reader[Any, Batch] | None = None

    @property
    def spec(self) -> Batch:
        """Shapes and dtypes of the first batch."""
        return self._stacked.spec(self.first)

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """The number of rows of the first batch; later batches may differ."""
        return (rows(self.spec),)

    def first(self) -> Batch:
        """Return the first batch, converted but not checked, without using it up."""
        if self._first is None:
            # Where a pass has an order, reading begins later, when the pass is known.
            if self._is_indexed and len(self._batches):
                self._first = batch_of(self._batches[0])
            elif isinstance(self._batches, IteratesPasses):
                self._first = _first_of(self._batches.iterate_pass(0))
            else:
                return _peek(self._open())
        return self._first

    def checked(
        self, check: Check, shuffle_seed: int | None = None, placement: Placement = DEFAULT
    ) -> "LoaderSource":
        """Return this source, with a check and a placement for its batches.

        Args:
            check: Returns a batch in the structure that a model expects, or raises.
            shuffle_seed: The seed for the order of the batches of a `PyDataset` in each pass, as
                Keras shuffles them; other batches keep their order.
            placement: The devices for the batches.
        """
        self._stacked.use(check, placement)
        self._shuffle_seed = shuffle_seed if self._is_indexed else None
        return self

    def windows(
        self, epoch: int, step: int = 0, fill: bool = False, most: int | None = None
    ) -> Iterator[Window]:
        """Return windows of batches; see `fjax.training.batch.Source`."""
        spec, done, start, is_fresh = self.spec, step, 0, self._reader is None
        if is_fresh and not self._restarts:
            self._pass = epoch
        while self.steps is None or done < self.steps:
            reader = self._open()
            reader.allow(None if self.steps is None else self.steps - done)
            window = self._stacked.window(reader, spec, start, fill, most)
            if window is not None:
                done, start, is_fresh = done + window.last, start + window.rows, False
                yield window
                continue
            self._restart()
            if not self._restarts or is_fresh:
                check_end(epoch, done, done == step, self.steps)
                return
            is_fresh = True
        if not self._restarts:
            self._restart()

    def put_back(self, steps: int) -> None:
        """Give the last batches back to the reader."""
        if self._reader is not None:
            self._stacked.put_back(self._reader, steps)

    def state(self) -> dict[str, Any]:
        """Return nothing, since the position follows from the number of steps."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Skip the used batches of the unfinished epoch; with restarts, of all epochs."""
        steps = state["steps"]
        if self._shuffle_seed is not None:
            self._shuffle_seed = state["shuffle_seed"]
        if not self._restarts and self.steps is not None:
            self._pass, steps = state["epoch"], steps % self.steps
        for _ in range(steps):
            if next(self._open(), None) is None:
                self._restart()
                next(self._open(), None)

    def fingerprint(self) -> dict[str, Any]:
        """Return the shapes and dtypes of a batch, since later batches are unknown."""
        return describe_stream(self.spec, self.steps)

    def close(self) -> None:
        """End the thread."""
        if self._reader is not None:
            self._reader.close()

    def _open(self) -> "Reader[Any, Batch]":
        if self._reader is None:
            if self._is_indexed:
                call_hook(self._batches, "on_epoch_begin")
            self._reader = Reader(self._iterated(), batch_of, kind=shapes_of)
        return self._reader

    def _iterated(self) -> Any:
        """Return what one pass iterates over."""
        if isinstance(self._batches, IteratesPasses):
            return self._batches.iterate_pass(self._pass)
        if not self._is_indexed:
            return self._batches
        order = None
        if self._shuffle_seed is not None:
            order = order_of_pass(self._shuffle_seed, self._pass, len(self._batches))
        return iterate_indexed(self._batches, order)

    def _restart(self) -> None:
        self.close()
        self._reader, self._pass = None, self._pass + 1
        if self._is_indexed:
            call_hook(self._batches, "on_epoch_end")


def _first_of(batches: Iterator[Any]) -> Batch:
    for item in batches:
        return batch_of(item)
    raise ValueError(EMPTY)


def _peek(reader: Reader[Any, Batch]) -> Batch:
    """Return a reader's next batch without using it up; drop it if it cannot be converted."""
    try:
        item = reader.peek()
    except StopIteration:
        raise ValueError(EMPTY) from None
    try:
        return batch_of(item)
    except Exception:
        reader.drop()
        raise


def _steps(batches: Any, steps_per_epoch: int | None) -> int | None:
    if steps_per_epoch is None and hasattr(batches, "__len__"):
        return len(batches)
    return steps_per_epoch


def check_end(epoch: int, done: int, is_empty: bool, steps: int | None) -> None:
    """Raise ValueError or warn if an epoch ends before its number of steps.

    Args:
        epoch: The number of the epoch.
        done: The steps that it had.
        is_empty: Whether it had none.
        steps: The steps that it should have; None if any number is right.
    """
    if is_empty:
        raise ValueError(
            f"`x` yielded no batch in epoch {epoch + 1}: the generator is exhausted. Pass "
            "an iterable that can be iterated again, or `steps_per_epoch` and an "
            "endless generator."
        )
    if steps is not None:
        warn_user(
            f"{steps} steps were requested, but `x` yielded {done}: all of it was used, once."
        )


def describe_stream(spec: Batch, steps: int | None) -> dict[str, Any]:
    """Return what identifies a stream: the steps of an epoch, and the shapes of a batch."""
    arrays = {
        jax.tree_util.keystr(path, simple=True, separator="."): {
            "dtype": np.dtype(leaf.dtype).name,
            "shape": list(leaf.shape[1:]),
        }
        for path, leaf in jax.tree_util.tree_leaves_with_path(spec)
    }
    return {"steps": steps, "arrays": arrays}
