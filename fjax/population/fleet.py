"""Members of one architecture, their arrays stacked on the device, and the programs that run."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from fjax.population.architecture import Architecture, Numbers
from fjax.training import Batch, TrainState
from fjax.training.accumulators import Logs, Metrics
from fjax.training.filled_batches import can_be_filled
from fjax.training.population import member, population_programs, stacked, with_member
from fjax.typing import PyTree

# Rows of one member in a step of prediction.
ROWS_AT_ONCE = 512


class VmapRunner:
    """Some members of one architecture.

    Args:
        architecture: What they share.
        indices: Their places in the population.
        states: Their train states, in the architecture's shapes.
        numbers: What the architecture is called with for each.
        metrics: What is measured beside the loss.
        sums: The empty sums of an epoch.
        rows: How many rows of data there are: of so many a member may have any.
        slots: How many members the program has room for; by default as many as there are.
    """

    def __init__(
        self,
        architecture: Architecture,
        indices: Sequence[int],
        states: Sequence[TrainState],
        numbers: Sequence[Numbers],
        metrics: Metrics,
        sums: PyTree,
        rows: int,
        slots: int | None = None,
    ) -> None:
        self.indices = list(indices)
        self._programs = population_programs(architecture, metrics)
        self._rows, self.slots = rows, max(slots or 0, len(self.indices))
        self._states = stacked(self._filled([state._replace(accumulators=()) for state in states]))
        self._numbers = stacked(self._filled([_as_inputs(own) for own in numbers]))
        self._sums = sums
        self._fills = can_be_filled(*architecture.parts[:2], metrics)

    def read(self, place: int) -> TrainState:
        """Return the train state of one of them."""
        return member(self._states._replace(accumulators=()), place)

    def write(self, place: int, state: TrainState) -> None:
        """Put a train state in the place of one."""
        bare = self._states._replace(accumulators=())
        self._states = with_member(bare, place, state._replace(accumulators=()))

    def advance(
        self,
        data: Batch,
        orders: Sequence[np.ndarray],
        active: Sequence[bool],
        batch_size: int,
    ) -> Logs:
        """Train those that are active for an epoch, each on its rows in their order."""
        count = self.slots
        sums = jax.tree.map(lambda leaf: np.broadcast_to(leaf, (count, *leaf.shape)), self._sums)
        states = self._states._replace(accumulators=sums)
        table, counts, exactly, size = self._batches(orders, batch_size)
        awake = np.zeros(count, bool)
        awake[: len(active)] = active
        self._states, logs = self._programs.advance(
            states, self._numbers, data, table, counts, awake,
            batch_size=size, exactly=exactly,
        )  # fmt: skip
        return logs

    def measure(self, data: Batch, rows: Sequence[np.ndarray], batch_size: int) -> Logs:
        """Return loss and metrics of each on rows of its own."""
        table, counts, exactly, size = self._batches(rows, batch_size)
        states = self._states._replace(accumulators=())
        return self._programs.measure(
            states, self._numbers, self._sums, data, table, counts,
            batch_size=size, exactly=exactly,
        )  # fmt: skip

    def predict(self, inputs: tuple[PyTree, ...], rows: Sequence[np.ndarray]) -> list[PyTree]:
        """Return the outputs of each for rows of its own, as numpy arrays."""
        size = min(ROWS_AT_ONCE, max(map(len, rows)))
        table = _table(self._filled(rows), size, max(map(len, rows)))
        states = self._states._replace(accumulators=())
        parts = [
            self._programs.predict(states, self._numbers, inputs, table[:, first : first + size])
            for first in range(0, table.shape[1], size)
        ]
        whole = jax.tree.map(lambda *arrays: np.concatenate(arrays, axis=1), *parts)
        return [_own_rows(whole, place, len(own)) for place, own in enumerate(rows)]

    def _batches(
        self, rows: Sequence[np.ndarray], batch_size: int
    ) -> tuple[np.ndarray, np.ndarray, int | None, int]:
        """Return the rows as a table, how many count, and what is static of them."""
        size = min(batch_size, max(map(len, rows)))
        filled = self._filled(rows)
        counts = np.array([len(own) for own in filled], np.int32)
        exactly = None if self._fills else int(counts[0])
        return _table(filled, size, self._rows), counts, exactly, size

    def _filled(self, own: Sequence[Any]) -> list[Any]:
        """Return what belongs to the members, with copies of the last for slots without one."""
        return [*own, *[own[-1]] * (self.slots - len(own))]


def _own_rows(outputs: PyTree, place: int, count: int) -> PyTree:
    return jax.tree.map(lambda array: array[place, :count], outputs)


def _table(rows: Sequence[np.ndarray], batch_size: int, longest: int) -> np.ndarray:
    """Return rows as one array, each filled up to whole batches of the longest.

    What fills up is a row of the last batch: where it is not finite, the batch is not either.
    """
    width = -(-longest // batch_size) * batch_size
    table = np.zeros((len(rows), width), np.int32)
    for place, own in enumerate(rows):
        table[place, : len(own)] = own
        table[place, len(own) :] = own[-1] if len(own) else 0
    return table


def _as_inputs(numbers: Numbers) -> PyTree:
    values, widths = numbers
    return tuple(map(np.float32, values)), tuple(map(np.int32, widths))
