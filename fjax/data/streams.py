"""Iterables of batches as sources: a thread reads ahead while the device computes."""

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import numpy as np

from fjax.core.specs import spec_of
from fjax.data.arrays import Check
from fjax.data.conversion import require_numbers, to_batch
from fjax.data.reading import Reader
from fjax.errors import warn_user
from fjax.training.batch import Batch, Window, rows
from fjax.training.placement import DEFAULT, Placement


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
        check: Returns each batch in the structure that a model expects; called in the thread.
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
        self._loading = _Loading(check, placement)
        # The unused items of an iterator are shared by all its readers.
        self._reader = Reader(batches, self._loading, is_shared=True)

    @property
    def spec(self) -> Batch:
        """Shapes and dtypes of the first batch."""
        return self._loading.spec(self._reader)

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
        self._loading.use(check, placement)
        return self

    def windows(self, epoch: int, step: int = 0) -> Iterator[Window]:
        """Return the batches of an epoch, each as one window."""
        done = step
        while self.steps is None or done < self.steps:
            self._reader.allow(None if self.steps is None else self.steps - done)
            batch = next(self._reader, None)
            if batch is None:
                _check_end(epoch, done, done == step, self.steps)
                return
            done += 1
            yield _window(batch)

    def state(self) -> dict[str, Any]:
        """Return nothing, since the position of an iterator is unknown."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Skip the batches that the completed steps have used."""
        for _ in range(state["steps"]):
            next(self._reader, None)

    def fingerprint(self) -> dict[str, Any]:
        """Return the shapes and dtypes of a batch, since later batches are unknown."""
        return _fingerprint(self.spec, self.steps)

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
        self._restarts = restarts and steps_per_epoch is not None
        self._batches = batches
        self._loading = _Loading(check, placement)
        self._reader: Reader[Any, Batch] | None = None

    @property
    def spec(self) -> Batch:
        """Shapes and dtypes of the first batch."""
        return self._loading.spec(self._open())

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """The number of rows of the first batch; later batches may differ."""
        return (rows(self.spec),)

    def first(self) -> Batch:
        """Return the first batch, converted but not checked, without using it up."""
        return _peek(self._open())

    def checked(
        self, check: Check, shuffle_seed: int | None = None, placement: Placement = DEFAULT
    ) -> "LoaderSource":
        """Return this source, with a check and a placement for its batches.

        Args:
            check: Returns a batch in the structure that a model expects, or raises.
            shuffle_seed: Not used: the batches keep their order.
            placement: The devices for the batches.
        """
        self._loading.use(check, placement)
        return self

    def windows(self, epoch: int, step: int = 0) -> Iterator[Window]:
        """Return the batches of an epoch, each as one window."""
        done, is_fresh = step, self._reader is None
        while self.steps is None or done < self.steps:
            reader = self._open()
            reader.allow(None if self.steps is None else self.steps - done)
            batch = next(reader, None)
            if batch is not None:
                done, is_fresh = done + 1, False
                yield _window(batch)
                continue
            self._restart()
            if not self._restarts or is_fresh:
                _check_end(epoch, done, done == step, self.steps)
                return
            is_fresh = True
        if not self._restarts:
            self._restart()

    def state(self) -> dict[str, Any]:
        """Return nothing, since the position follows from the number of steps."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Skip the used batches of the unfinished epoch; with restarts, of all epochs."""
        steps = state["steps"]
        for _ in range(steps if self._restarts or self.steps is None else steps % self.steps):
            if next(self._open(), None) is None:
                self._restart()
                next(self._open(), None)

    def fingerprint(self) -> dict[str, Any]:
        """Return the shapes and dtypes of a batch, since later batches are unknown."""
        return _fingerprint(self.spec, self.steps)

    def close(self) -> None:
        """End the thread."""
        if self._reader is not None:
            self._reader.close()

    def _open(self) -> "Reader[Any, Batch]":
        if self._reader is None:
            self._reader = Reader(self._batches, self._loading)
        return self._reader

    def _restart(self) -> None:
        self.close()
        self._reader = None


class _Loading:
    """Converts an item to a batch, checks it and transfers it to the device."""

    def __init__(self, check: Check, placement: Placement) -> None:
        self.use(check, placement)

    def use(self, check: Check, placement: Placement) -> None:
        """Set the check and the placement, before the first batch is loaded."""
        self._check, self._placement = check, placement
        self._spec: Batch | None = None

    def __call__(self, item: Any) -> Batch:
        return self._placement.put(require_numbers(self._check(batch_of(item))))

    def spec(self, reader: Reader[Any, Batch]) -> Batch:
        """Return the shapes and dtypes of a reader's next batch."""
        if self._spec is None:
            batch = _peek(reader)
            try:
                self._spec = jax.tree.map(spec_of, self._check(batch))
            except Exception:
                reader.drop()
                raise
        return self._spec


def batch_of(item: Any) -> Batch:
    """Return an item of an iterable as a batch.

    As in Keras, a list of arrays is interpreted as a tuple: a PyTorch `DataLoader` yields `[x, y]`.

    Raises:
        ValueError: The item has more than three parts.
    """
    parts = _parts(item)
    if len(parts) > 3:
        raise ValueError(
            "A batch must be `x`, `(x, y)` or `(x, y, sample_weight)`, received a "
            f"{type(item).__name__} of {len(parts)}. Put several inputs in a tuple: "
            "`((x1, x2), y)`."
        )
    x, y, weight = (*parts, None, None)[:3]
    return to_batch(x, y, weight, text=True)


def _parts(item: Any) -> tuple[Any, ...]:
    if isinstance(item, tuple):
        return item
    is_list_of_arrays = isinstance(item, list) and any(
        hasattr(part, "shape") or isinstance(part, tuple | Mapping) for part in item
    )
    if not is_list_of_arrays:
        return (item,)
    if len(item) == 3:
        warnings.warn(
            "`x` yields batches that are lists of three, which are interpreted as `x`, `y` and "
            "`sample_weight`, as in Keras. If they are two inputs and targets, yield "
            "`((x1, x2), y)`; else yield tuples.",
            # The same line each time, so that the warning is shown once.
            stacklevel=1,
        )
    return tuple(item)


def _peek(reader: Reader[Any, Batch]) -> Batch:
    """Return a reader's next batch without using it up; drop it if it cannot be converted."""
    try:
        item = reader.peek()
    except StopIteration:
        raise ValueError("`x` yielded no batch: the iterable is empty.") from None
    try:
        return batch_of(item)
    except Exception:
        reader.drop()
        raise


def _window(batch: Batch) -> Window:
    return Window(batch, None, 0, 1, rows(batch))


def _steps(batches: Any, steps_per_epoch: int | None) -> int | None:
    if steps_per_epoch is None and hasattr(batches, "__len__"):
        return len(batches)
    return steps_per_epoch


def _check_end(epoch: int, done: int, is_empty: bool, steps: int | None) -> None:
    """Raise or warn if an epoch ends before its number of steps."""
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


def _fingerprint(spec: Batch, steps: int | None) -> dict[str, Any]:
    arrays = {
        jax.tree_util.keystr(path, simple=True, separator="."): {
            "dtype": np.dtype(leaf.dtype).name,
            "shape": list(leaf.shape[1:]),
        }
        for path, leaf in jax.tree_util.tree_leaves_with_path(spec)
    }
    return {"steps": steps, "arrays": arrays}
