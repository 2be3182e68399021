"""`grain.MapDataset`: batches by number, so that a run resumes at any of them."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from fjax.data.conversion import require_numbers
from fjax.data.indexed import iterate_indexed
from fjax.data.items import batch_of, unbatched_hint
from fjax.data.reading import Reader
from fjax.data.stacking import StackedBatches
from fjax.data.streams import describe_stream
from fjax.data.windows import Check, shapes_of
from fjax.errors import warn_user
from fjax.training.batch import Batch, Window, rows
from fjax.training.placement import DEFAULT, Placement

# At most so many threads read batches, and so many batches are read before they are converted.
WORKERS = 4

# `repeat()` returns a data set of `sys.maxsize` elements.
ENDLESS = 2**48


class MapDatasetSource:
    """The batches of a `grain.MapDataset`, or batches of its elements.

    Epoch `e` has the elements of Grain's epoch `e`, so that a `shuffle` in the data set has another
    order in each. A run resumes by the number of its next batch, without reading the ones before.

    A `fjax.training.batch.Source`.

    Args:
        dataset: The data set.
        batch_size: The elements in a batch; None if the elements are batches.
        steps_per_epoch: Steps in an epoch; None for all elements once.
        restarts: Whether the data set is repeated if it has fewer steps.
        check: Returns batches in the structure that a model expects.
        placement: The devices for the batches.

    Attributes:
        is_indexable: Whether a batch can be read by its index; always True.
    """

    is_indexable = True

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = None,
        steps_per_epoch: int | None = None,
        restarts: bool = True,
        check: Check = require_numbers,
        placement: Placement = DEFAULT,
    ) -> None:
        self._batches = _Batches(dataset, batch_size)
        self.steps: int | None = _steps(self._batches, steps_per_epoch, restarts)
        self._stacked = StackedBatches(check, placement)
        self._reader: Reader[Any, Batch] | None = None
        self._first: Batch | None = None

    @property
    def spec(self) -> Batch:
        """Shapes and dtypes of the first batch."""
        return self._stacked.spec(self.first)

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """The number of rows of the first batch; later batches may differ."""
        return (rows(self.spec),)

    def first(self) -> Batch:
        """Return the first batch, converted but not checked."""
        if self._first is None:
            with unbatched_hint():
                self._first = batch_of(self._batches[0])
        return self._first

    def checked(
        self, check: Check, shuffle_seed: int | None = None, placement: Placement = DEFAULT
    ) -> "MapDatasetSource":
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
        assert self.steps is not None
        spec, start = self.spec, 0
        self.close()
        numbers = np.arange(epoch * self.steps + step, (epoch + 1) * self.steps)
        read = iterate_indexed(self._batches, numbers)
        self._reader = reader = Reader(read, batch_of, kind=shapes_of)
        reader.allow(len(numbers))
        try:
            while window := self._stacked.window(reader, spec, start, fill, most):
                start += window.rows
                yield window
        finally:
            reader.close()

    def put_back(self, steps: int) -> None:
        """Do nothing, since the batches of an epoch follow from its number."""

    def state(self) -> dict[str, Any]:
        """Return nothing, since the position follows from the number of steps."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Do nothing, since the step is an argument of `windows`."""

    def fingerprint(self) -> dict[str, Any]:
        """Return the shapes and dtypes of a batch, and the number of batches."""
        return {**describe_stream(self.spec, self.steps), "batches": len(self._batches)}

    def close(self) -> None:
        """End the thread."""
        if self._reader is not None:
            self._reader.close()


class _Batches:
    """The batches of a data set by number, without end.

    Attributes:
        workers: The number of threads that read.
        max_queue_size: The number of batches that they read ahead.
    """

    def __init__(self, dataset: Any, batch_size: int | None) -> None:
        self._dataset, self._batch_size = dataset, batch_size
        self.workers = self.max_queue_size = min(WORKERS, os.cpu_count() or 1)
        if not len(dataset):
            raise ValueError("`x` yielded no batch: the data set of Grain is empty.")

    @property
    def is_endless(self) -> bool:
        return len(self._dataset) >= ENDLESS

    def __len__(self) -> int:
        return -(-len(self._dataset) // (self._batch_size or 1))

    def __getitem__(self, number: int) -> Any:
        size, count = self._batch_size, len(self._dataset)
        if size is None:
            return self._element(number)
        epoch, batch = divmod(number, len(self))
        first, last = batch * size, min(count, (batch + 1) * size)
        return _stacked([self._element(epoch * count + index) for index in range(first, last)])

    def _element(self, index: int) -> Any:
        element = self._dataset[index]
        if element is None:
            raise ValueError(
                f"The data set of Grain has no element {index}: a `filter` has removed it, so that "
                "elements have no numbers any more. Pass `dataset.to_iter_dataset()`, with "
                "`.batch(…)` behind it."
            )
        return element


def _stacked(elements: Sequence[Any]) -> Any:
    """Return elements of one structure as a batch."""
    try:
        return jax.tree.map(
            lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *elements
        )
    except ValueError as error:
        shapes = {
            str(jax.tree.map(np.shape, element)): index for index, element in enumerate(elements)
        }
        raise ValueError(
            f"The elements of the data set of Grain cannot be stacked to a batch ({error}): those "
            f"of a batch have the shapes {', '.join(shapes)}. Give them one shape, for example by "
            "`dataset.map(…)`."
        ) from error


def _steps(batches: _Batches, steps_per_epoch: int | None, restarts: bool) -> int:
    if steps_per_epoch is None:
        if batches.is_endless:
            raise ValueError(
                "The data set of Grain is endless (`repeat()`): pass the number of steps of an "
                "epoch, as `steps_per_epoch` of `fit` or `steps` of `evaluate` and `predict`."
            )
        return len(batches)
    if steps_per_epoch > len(batches) and not restarts:
        warn_user(
            f"{steps_per_epoch} steps were requested, but `x` has {len(batches)}: all of it is "
            "used, once."
        )
        return len(batches)
    return steps_per_epoch
