"""Windows of the batches of a stream."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np

from fjax.core.specs import spec_of
from fjax.data.conversion import require_numbers
from fjax.data.reading import Entry, Reader
from fjax.data.windows import Check, gather
from fjax.training.batch import Batch, Window, batches_in_window, rows, take
from fjax.training.placement import Placement


class StackedBatches:
    """Makes windows of the batches that a reader has converted: stacks, checks and transfers them.

    What a model expects of its data it expects of each row, so that a whole window is checked at
    once.
    """

    def __init__(self, check: Check, placement: Placement) -> None:
        self.use(check, placement)

    def use(self, check: Check, placement: Placement) -> None:
        """Set the check and the placement, before the first batch is loaded."""
        placement.check_streams()
        self._check, self._placement = check, placement
        self._spec: Batch | None = None
        self._taken: list[Entry] = []

    def spec(self, first: Callable[[], Batch]) -> Batch:
        """Return the shapes and dtypes of the first batch of all processes, checked."""
        if self._spec is None:
            batch = self._check(first())
            parts = self._placement.row_part.count
            self._placement.check_batch_size(rows(batch) * parts)
            self._spec = jax.tree.map(partial(_spec_of_all, parts), batch)
        return self._spec

    def window(
        self,
        reader: Reader[Any, Batch],
        spec: Batch,
        start: int,
        fill: bool,
        most: int | None,
    ) -> Window | None:
        """Return the batches that are ready as a window; wait for the first one; None at the end.

        Args:
            reader: The reader of the batches.
            spec: The shapes and dtypes of the first batch of all.
            start: The rows of the epoch before this window.
            fill: Whether a batch with fewer rows than the first batch may be filled.
            most: The largest number of batches; None for any number.
        """
        if self._placement.is_shared:
            return self._joint_window(reader, spec, start, fill, most)
        full_size = rows(spec)
        capacity = batches_in_window(spec, full_size)
        reader.ahead = 2 if most == 1 else max(2, capacity)
        taken = reader.take(capacity if most is None else min(most, capacity))
        if not taken:
            return None
        size = rows(taken[0].result)
        is_filled = fill and size < full_size
        batch = self._checked([entry.result for entry in taken[: 1 if is_filled else None]])
        # Batches of other shapes have windows of another capacity.
        used = min(rows(batch) // size, batches_in_window(batch, size))
        reader.put_back(taken[used:])
        self._taken = taken[:used]
        batch_size = full_size if is_filled else size
        data = gather(batch, slice(0, used * size), used * size, batch_size)
        return Window(self._placement.put_window(data), 0, used, used * size, start, is_filled)

    @property
    def first_item(self) -> Any:
        """The item from which the first batch of the last window was made."""
        return self._taken[0].items[0]

    def _joint_window(
        self, reader: Reader[Any, Batch], spec: Batch, start: int, fill: bool, most: int | None
    ) -> Window | None:
        """Return the batches that are ready in all processes, each of which has its own rows."""
        from fjax.data.joint_batches import agree_on_batches

        parts, full_size = self._placement.row_part.count, rows(spec)
        capacity = batches_in_window(spec, full_size)
        reader.ahead = 2 if most == 1 else max(2, capacity)
        batch: Batch | None = None
        with agree_on_batches(start) as agreement:
            taken = reader.take(capacity if most is None else min(most, capacity))
            if taken:
                own_size = rows(taken[0].result)
                is_whole = own_size * parts < full_size
                batch = self._checked([entry.result for entry in taken[: 1 if is_whole else None]])
                agreement.offer(batch, own_size)
        if batch is None:
            return None
        size, used = own_size * parts, agreement.count
        reader.put_back(taken[used:])
        self._taken = taken[:used]
        is_filled = fill and size < full_size
        if is_filled or size % self._placement.batch_shards:
            # Few rows, which each process gets as a whole.
            used, whole = 1, self._placement.gather_rows(take(batch, 0, own_size))
            batch_size = full_size if is_filled else size
            data = self._placement.put_window(gather(whole, slice(0, size), size, batch_size))
        else:
            room = batches_in_window(spec, size)
            own = gather(batch, slice(0, used * own_size), used * own_size, own_size, room)
            data = self._placement.put_own_window(own)
        return Window(data, 0, used, used * size, start, is_filled)

    def put_back(self, reader: Reader[Any, Batch], steps: int) -> None:
        """Give the last batches of the last window back to its reader."""
        reader.put_back(self._taken[len(self._taken) - steps :])

    def _checked(self, batches: list[Batch]) -> Batch:
        """Return the batches as one, checked; only the first one if a later one is invalid."""
        try:
            whole = jax.tree.map(lambda *arrays: np.concatenate(arrays), *batches)
            return require_numbers(self._check(whole))
        except Exception:
            if len(batches) == 1:
                raise
            # The batches before the invalid one are used, and its own error is raised in its turn.
            return require_numbers(self._check(batches[0]))


def _spec_of_all(parts: int, array: Any) -> jax.ShapeDtypeStruct:
    """Return the shape and dtype of the parts of an array that all processes have."""
    spec = spec_of(array)
    return jax.ShapeDtypeStruct((spec.shape[0] * parts, *spec.shape[1:]), spec.dtype)
