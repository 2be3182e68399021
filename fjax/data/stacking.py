"""Windows of the batches of a stream."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from fjax.core.specs import spec_of
from fjax.data.conversion import require_numbers
from fjax.data.reading import Entry, Reader
from fjax.data.windows import Check, gather
from fjax.training.batch import Batch, Window, batches_in_window, rows
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
        self._check, self._placement = check, placement
        self._spec: Batch | None = None
        self._taken: list[Entry] = []

    def spec(self, first: Callable[[], Batch]) -> Batch:
        """Return the shapes and dtypes of the first batch, checked."""
        if self._spec is None:
            batch = self._check(first())
            self._placement.check_batch_size(rows(batch))
            self._spec = jax.tree.map(spec_of, batch)
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
