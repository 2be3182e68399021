"""`grain.IterDataset`, `grain.DataLoader` and their iterators: resumed by the iterator's state."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fjax.data.conversion import require_numbers
from fjax.data.items import batch_of, unbatched_hint
from fjax.data.reading import Reader, stream_of
from fjax.data.stacking import StackedBatches
from fjax.data.streams import EMPTY, check_end, describe_stream
from fjax.data.windows import Check, shapes_of
from fjax.training.batch import Batch, Window, rows
from fjax.training.placement import DEFAULT, Placement

# The state of an iterator is taken once for so many batches: a `DataLoader` takes 0.1 ms for it.
STATE_INTERVAL = 16


class _Item(NamedTuple):
    """A batch, and how to read it again.

    Attributes:
        state: A state of the iterator, or the error that it raised instead of returning one.
        later: How many batches after this state the batch is.
        batch: The batch.
    """

    state: Any
    later: int
    batch: Any


class _Position(NamedTuple):
    """Where the iterator is: a state, taken before the run's batch of this number.

    Attributes:
        state: As in `_Item`; None for the beginning of a pass.
        batch: The number of the batch.
    """

    state: Any
    batch: int


class IterDatasetSource:
    """Batches of a data set whose iterators can tell and set where they are.

    An epoch is one pass; with `steps_per_epoch` it continues where the last one stopped, and a new
    pass begins at the end of the data set. An iterator continues from epoch to epoch.

    A checkpoint has the state of the iterator before one of the last batches. A run that resumes
    sets this state, and reads the few batches that were used after it once more.

    A `fjax.training.batch.Source`.

    Args:
        dataset: A `grain.IterDataset`, a `grain.DataLoader`, or an iterator of one.
        steps_per_epoch: Steps in an epoch; None for one pass.
        restarts: Whether the data set is repeated if it has fewer steps.
        check: Returns batches in the structure that a model expects.
        placement: The devices for the batches.

    Attributes:
        is_indexable: Whether a batch can be read by its index; always False.
    """

    is_indexable = False

    def __init__(
        self,
        dataset: Any,
        steps_per_epoch: int | None = None,
        restarts: bool = True,
        check: Check = require_numbers,
        placement: Placement = DEFAULT,
    ) -> None:
        self.steps = steps_per_epoch
        self._dataset, self._is_iterator = dataset, isinstance(dataset, Iterator)
        self._restarts = restarts and steps_per_epoch is not None and not self._is_iterator
        self._stacked = StackedBatches(check, placement)
        self._iterator: _Items | None = None
        self._reader: Reader[_Item, Batch] | None = None
        self._position, self._used = _Position(None, 0), 0
        self._is_new = True

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
        reader = self._open()
        try:
            item = reader.peek()
        except StopIteration:
            raise ValueError(EMPTY) from None
        try:
            with unbatched_hint():
                return batch_of(item.batch)
        except Exception:
            reader.drop()
            raise

    def checked(
        self, check: Check, shuffle_seed: int | None = None, placement: Placement = DEFAULT
    ) -> "IterDatasetSource":
        """Return this source, with a check and a placement for its batches.

        Args:
            check: Returns a batch in the structure that a model expects, or raises.
            shuffle_seed: Not used: the order is that of the data set.
            placement: The devices for the batches.
        """
        self._stacked.use(check, placement)
        return self

    def windows(
        self, epoch: int, step: int = 0, fill: bool = False, most: int | None = None
    ) -> Iterator[Window]:
        """Return windows of batches; see `fjax.training.batch.Source`."""
        spec, done, start, is_fresh = self.spec, step, 0, self._reader is None
        self._is_new = False
        while self.steps is None or done < self.steps:
            reader = self._open()
            reader.allow(None if self.steps is None else self.steps - done)
            window = self._stacked.window(reader, spec, start, fill, most)
            if window is not None:
                item = self._stacked.first_item
                self._position = _Position(item.state, self._used - item.later)
                self._used += window.last
                done, start, is_fresh = done + window.last, start + window.rows, False
                yield window
                continue
            if not self._is_iterator:
                self._restart()
            if not self._restarts or is_fresh:
                check_end(epoch, done, done == step, self.steps)
                return
            is_fresh = True
        if not self._restarts and not self._is_iterator:
            self._restart()

    def put_back(self, steps: int) -> None:
        """Give the last batches back to the reader."""
        if self._reader is not None:
            self._used -= steps
            self._stacked.put_back(self._reader, steps)

    def state(self) -> dict[str, Any]:
        """Return the state of the iterator before one of the last batches, as JSON.

        Raises:
            ValueError: The iterator has no state, or one that is not plain data.
        """
        state, batch = self._position
        if self._is_new:
            # The iterator may have been used before.
            item = self._open().peek()
            state, batch = item.state, -item.later
        return {"batch": batch, "iterator": None if state is None else _to_json(state)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Set the state of a new iterator, and skip the batches that were used after it."""
        self._is_new, self._used = False, state.get("batch", 0)
        self._restart()
        reader = self._open()
        if state.get("iterator") is not None:
            assert self._iterator is not None
            reader.forget()
            self._iterator.set_state(state["iterator"])
            self._position = _Position(state["iterator"], self._used)
        while self._used < state["steps"]:
            if next(self._open(), None) is None:
                self._restart()
                if next(self._open(), None) is None:
                    return
            self._used += 1

    def fingerprint(self) -> dict[str, Any]:
        """Return the shapes and dtypes of a batch, since later batches are unknown."""
        return describe_stream(self.spec, self.steps)

    def close(self) -> None:
        """End the thread; an iterator of the user stays open."""
        if self._reader is not None:
            self._reader.close()

    def _open(self) -> "Reader[_Item, Batch]":
        if self._reader is None:
            iterator = self._dataset if self._is_iterator else iter(self._dataset)
            self._iterator = _Items(iterator)
            stream = stream_of(iterator) if self._is_iterator else None
            self._reader = Reader(
                self._iterator, lambda item: batch_of(item.batch), stream, kind=shapes_of
            )
        return self._reader

    def _restart(self) -> None:
        self.close()
        self._reader, self._position = None, _Position(None, self._used)


class _Items(Iterator[_Item]):
    """The batches of an iterator, with its states."""

    def __init__(self, iterator: Any) -> None:
        self._iterator = iterator
        self._state: Any = None
        self._later = STATE_INTERVAL

    def __next__(self) -> _Item:
        if self._later == STATE_INTERVAL:
            self._state, self._later = _state_of(self._iterator), 0
        batch = next(self._iterator)
        self._later += 1
        return _Item(self._state, self._later - 1, batch)

    def set_state(self, text: str) -> None:
        """Set the state that `_to_json` has returned."""
        fresh, self._later = _state_of(self._iterator), STATE_INTERVAL
        if isinstance(fresh, bytes):
            self._iterator.set_state(_with_addresses(text, fresh.decode()).encode())
        else:
            self._iterator.set_state(json.loads(text))


def _state_of(iterator: Any) -> Any:
    """Return the state of an iterator, or the error that it raises; only a checkpoint needs it."""
    try:
        return iterator.get_state()
    except Exception as error:
        return error


def _to_json(state: Any) -> str:
    """Return a state as JSON; Grain's `DataLoader` returns it as JSON already."""
    if isinstance(state, str):
        return state
    if isinstance(state, bytes):
        return state.decode()
    hint = (
        "A run can only be resumed if it has one: let `get_state` of the iterator return plain "
        "data and `set_state` take it, or train without `resume` and `BackupAndRestore`."
    )
    if isinstance(state, Exception):
        raise ValueError(
            f"The iterator of the data set of Grain has no state: `get_state` raised "
            f"{type(state).__name__}: {state}. {hint}"
        ) from state
    try:
        return json.dumps(state)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The state of the iterator of the data set of Grain is not plain data: {error}. {hint}"
        ) from error


def _with_addresses(text: str, fresh: str) -> str:
    """Return the JSON of a `DataLoader` with the addresses of the objects of this process.

    Grain compares `repr(data_source)`, in which Python writes the address of an object that has no
    `__repr__`.
    """
    saved, current = json.loads(text), json.loads(fresh)
    for key, value in current.items():
        if isinstance(value, str) and _ADDRESS.sub("", value) == _ADDRESS.sub("", str(saved[key])):
            saved[key] = value
    return json.dumps(saved)


_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
