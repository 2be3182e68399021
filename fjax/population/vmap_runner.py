"""The programs of an architecture, run for some members whose arrays are stacked on the device."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from fjax.population.member import Measurements
from fjax.population.program_groups import Group, Hyperparameters
from fjax.population.programs import RowTable, population_programs
from fjax.population.stacking import replace_member, stack_members, take_member
from fjax.training import Batch, TrainState
from fjax.training.accumulators import Logs
from fjax.training.filled_batches import can_be_filled
from fjax.training.placement import DEFAULT, Placement
from fjax.typing import PyTree

# How many rows of each member a call of the prediction program takes.
PREDICTION_BATCH_SIZE = 512


class VmapRunner:
    """Some members of one architecture, which run side by side.

    Args:
        group: The members.
        states: Their train states, in the shapes of the architecture.
        measurements: What is measured of each member.
        row_count: The number of rows of the data, which bounds the rows of a member.
        slots: How many members the program has room for; by default as many as there are.
        placement: The devices, among which the members are divided.

    Attributes:
        architecture: What the members share.
        indices: The indices of the members in the population.
        slots: How many members the program has room for.
    """

    def __init__(
        self,
        group: Group,
        states: Sequence[TrainState],
        measurements: Measurements,
        row_count: int,
        slots: int | None = None,
        placement: Placement = DEFAULT,
    ) -> None:
        self.architecture, self.indices, hyperparameters = group
        # As many on each device: slots that are left have copies that do not count.
        devices = placement.batch_shards
        self.slots = -(-max(slots or 0, len(self.indices)) // devices) * devices
        self._placement = placement
        self._programs = population_programs(self.architecture, measurements.metrics, placement)
        self._sums, self._row_count = measurements.sums, row_count
        bare = [state._replace(accumulators=()) for state in states]
        self._states = stack_members(self._fill_slots(bare), placement)
        self._hyperparameters = stack_members(
            self._fill_slots(_as_arrays(hyperparameters)), placement
        )
        self._pads_batches = can_be_filled(*self.architecture.parts[:2], measurements.metrics)

    def read(self, position: int) -> TrainState:
        """Return the train state of the member at this position."""
        return take_member(self._states, position)

    def write(self, position: int, state: TrainState) -> None:
        """Replace the train state of the member at this position."""
        self._states = replace_member(
            self._states, position, state._replace(accumulators=()), self._placement
        )

    def advance(
        self, data: Batch, orders: Sequence[np.ndarray], active: Sequence[bool], batch_size: int
    ) -> Logs:
        """Train the active members for an epoch, each on its rows in their order."""
        sums = jax.tree.map(
            lambda leaf: np.broadcast_to(leaf, (self.slots, *leaf.shape)), self._sums
        )
        is_active = np.zeros(self.slots, bool)
        is_active[: len(active)] = active
        states, logs = self._programs.advance(
            self._states._replace(accumulators=sums), self._hyperparameters, data,
            self._row_table(orders, batch_size), is_active,
        )  # fmt: skip
        self._states = states._replace(accumulators=())
        return logs

    def measure(self, data: Batch, rows: Sequence[np.ndarray], batch_size: int) -> Logs:
        """Return the loss and metrics of each member on its rows."""
        table = self._row_table(rows, batch_size)
        return self._programs.measure(self._states, self._hyperparameters, self._sums, data, table)

    def predict(self, inputs: tuple[PyTree, ...], rows: Sequence[np.ndarray]) -> list[PyTree]:
        """Return the outputs of each member for its rows, as numpy arrays."""
        longest = max(map(len, rows))
        size = min(PREDICTION_BATCH_SIZE, longest)
        table = _pad_rows(self._fill_slots(rows), size, longest)
        batches = [
            self._programs.predict(
                self._states, self._hyperparameters, inputs, table[:, first : first + size]
            )
            for first in range(0, table.shape[1], size)
        ]
        outputs = jax.tree.map(lambda *arrays: np.concatenate(arrays, axis=1), *batches)
        return [_output_rows(outputs, index, len(line)) for index, line in enumerate(rows)]

    def _row_table(self, rows: Sequence[np.ndarray], batch_size: int) -> RowTable:
        size = min(batch_size, max(map(len, rows)))
        rows = self._fill_slots(rows)
        counts = np.array([len(line) for line in rows], np.int32)
        exactly = None if self._pads_batches else int(counts[0])
        return RowTable(_pad_rows(rows, size, self._row_count), counts, size, exactly)

    def _fill_slots(self, values: Sequence[Any]) -> list[Any]:
        """Return one value for each slot; empty slots have copies of the last value."""
        return [*values, *[values[-1]] * (self.slots - len(values))]


def _output_rows(outputs: PyTree, index: int, count: int) -> PyTree:
    return jax.tree.map(lambda array: array[index, :count], outputs)


def _pad_rows(rows: Sequence[np.ndarray], batch_size: int, longest: int) -> np.ndarray:
    """Return rows as one array, each line padded to whole batches of the longest.

    A line is padded with its last row: where that row is not finite, the batch is not finite
    anyway.
    """
    width = -(-longest // batch_size) * batch_size
    table = np.zeros((len(rows), width), np.int32)
    for padded, line in zip(table, rows, strict=True):
        padded[: len(line)] = line
        padded[len(line) :] = line[-1] if len(line) else 0
    return table


def _as_arrays(hyperparameters: Sequence[Hyperparameters]) -> list[Hyperparameters]:
    return [
        Hyperparameters(tuple(map(np.float32, values)), tuple(map(np.int32, widths)))
        for values, widths in hyperparameters
    ]
