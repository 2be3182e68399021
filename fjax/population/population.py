"""Populations: many runs side by side, with one compiled program for each architecture."""

import copy
import math
from collections.abc import Callable, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

import jax
import numpy as np

from fjax.callbacks import Callback, CallbackList
from fjax.callbacks.lazy_logs import to_number
from fjax.core.specs import spec_of
from fjax.data.shuffling import order_of_pass, shuffle_seed
from fjax.errors import integer_at_least
from fjax.population.callbacks import MemberView
from fjax.population.concurrency import call_concurrently
from fjax.population.member import Measurements, Member, check_members
from fjax.population.memory import check_memory
from fjax.population.program_groups import (
    OPTIMIZER,
    Group,
    SharedArchitecture,
    group_by_architecture,
)
from fjax.population.vmap_runner import VmapRunner
from fjax.population.widths import pad, unpad
from fjax.training import Batch, TrainState, create_train_state, finalized, initialize
from fjax.training.accumulators import init_accumulators
from fjax.training.batch import rows
from fjax.training.filled_batches import can_be_filled
from fjax.training.placement import DEFAULT, Placement
from fjax.typing import AveragingOptimizer, Key, PyTree

# On a CPU more members at once are not faster, and do not fit in the cache.
MEMBERS_AT_ONCE, MEMBERS_AT_ONCE_ON_CPU = 256, 16

# The logs of one member for one epoch.
MemberLogs = dict[str, float]


class Population:
    """Runs that advance side by side.

    Members of one architecture are one compiled program under `vmap`. They may differ in their
    seed, their rows, the hyperparameters of optimizer, dropout and regularizers, and in hidden
    widths (see `fjax.population.widths`). Each member becomes what it would be alone, except for
    the rounding of sums. A member whose loss is not finite is trained no further; the others are.

    Args:
        members: The members.
        data: The data of all members, as the models take it.
        measurements: What is measured of every member.
        batch_size: The number of samples in a step.
        shuffle: Whether each epoch takes the rows of a member in another order.
        at_once: How many members run in one program; by default 16 a CPU and 256 another device.
        callbacks: Callbacks such as `EarlyStopping`, of which each member has a copy.
        first_epoch: The number of the first epoch.
        placement: The devices, among which the members are divided, by the mesh axes that divide
            batches; a device has all rows of the data.
        like: Another population and the index of a member there. The members of this population
            differ from that one in seed and rows only, and run by its compiled programs.

    Attributes:
        history: For each member its logs, with one value for each epoch that it was trained.
        failed: The members whose loss was not finite, each with the number of the epoch.
        epochs: The number of the next epoch.

    Raises:
        MemoryError: The members do not fit in memory.
        ValueError: There are no members; a member has no rows, or rows that the data does not have;
            some members have validation rows and others do not; or `at_once` is not positive.
    """

    def __init__(
        self,
        members: Sequence[Member],
        data: Batch,
        measurements: Measurements,
        batch_size: int,
        shuffle: bool = True,
        at_once: int | None = None,
        callbacks: Sequence[Callback] = (),
        first_epoch: int = 0,
        placement: Placement = DEFAULT,
        like: tuple["Population", int] | None = None,
    ) -> None:
        self.members = list(members)
        self.history: list[dict[str, list[float]]] = [{} for _ in members]
        self.failed: dict[int, int] = {}
        self.epochs = self._first_epoch = first_epoch
        check_members(members, rows(data))
        if at_once is not None:
            integer_at_least(type(self).__name__, "at_once", at_once, 1)
        self._measurements = measurements
        self._batch_size, self._shuffle = batch_size, shuffle
        default = MEMBERS_AT_ONCE_ON_CPU if DEFAULT.is_cpu else MEMBERS_AT_ONCE
        self._placement = placement
        self._at_once = at_once or default * placement.batch_shards
        # The room of the programs: members that are regrouped run by the programs that exist.
        self._slots: dict[SharedArchitecture, int] = {}
        if like is None:
            self._groups = group_by_architecture([member.parts for member in members])
        else:
            other, index = like
            group = next(group for group in other._groups if index in group.indices)
            self._groups = [group.subset([group.indices.index(index)])._replace(indices=[0])]
            self._slots[group.architecture] = other._locate(index)[0].slots
        self._padded_specs = {
            group.architecture: _widest_specs(group.architecture, members[group.indices[0]].specs)
            for group in self._groups
        }
        sizes = [
            (len(group.indices), self._padded_specs[group.architecture]) for group in self._groups
        ]
        row_count = sum(len(member.rows) for member in members)
        check_memory(sizes, data, row_count, placement)
        states = [_first_state(member) for member in members]
        self._specs = [jax.tree.map(spec_of, state) for state in states]
        self._seeds = [shuffle_seed(state.key) for state in states]
        # Counted from the beginning of each run: a run that is resumed goes on with its orders.
        self._epochs_done = [int(state.epoch) for state in states]
        # By member and epoch.
        self._next_orders: dict[tuple[int, int], np.ndarray] = {}
        self._is_active = [True] * len(self.members)
        self._data = placement.put(data)
        self._runners = self._make_runners(states)
        self._callbacks = [self._copies(callbacks, index) for index in range(len(members))]

    @property
    def is_training(self) -> bool:
        """Whether there are members that are still trained."""
        return any(self._is_active)

    @property
    def architectures(self) -> int:
        """The number of architectures; each is compiled once."""
        return len(self._groups)

    def train(
        self, epochs: int, on_epoch: Callable[[int, list[MemberLogs]], Any] | None = None
    ) -> None:
        """Train all members that are active, up to this epoch.

        Args:
            epochs: One past the last epoch.
            on_epoch: Called after each epoch with its number and the logs of each member, which are
                empty for a member that is not active. A true result ends the training.
        """
        if self.epochs == self._first_epoch:
            self._call("on_train_begin", {})
        while self.epochs < epochs and self.is_training:
            epoch = self.epochs
            logs = self._run_epoch(epoch)
            self.epochs += 1
            if on_epoch is not None and on_epoch(epoch, logs):
                break

    def end(self) -> None:
        """End the training: averaged weights replace the weights, best weights are restored."""
        for index, member in enumerate(self.members):
            network, _, optimizer = member.parts
            if isinstance(optimizer, AveragingOptimizer) and optimizer.use_ema:
                self._write(index, finalized(network, optimizer, self.train_state(index)))
        self._call("on_train_end", {})

    def deactivate(self, indices: Sequence[int]) -> None:
        """Train these members no further."""
        for index in indices:
            self._is_active[index] = False
        self._compact()

    def train_state(self, index: int) -> TrainState:
        """Return the train state of one member, as its model has it."""
        state = unpad(self._read_padded(index), self._specs[index])
        epoch = np.int32(self._epochs_done[index])
        return state._replace(epoch=epoch, batch=np.int32(0), accumulators=init_accumulators())

    def predict(self, rows: Sequence[np.ndarray]) -> list[PyTree]:
        """Return the outputs of each member for rows of the data, as numpy arrays.

        Args:
            rows: The rows for each member. The outputs of a member without rows may be None.
        """
        outputs: list[Any] = [None] * len(self.members)
        rows_of = {runner: [rows[index] for index in runner.indices] for runner in self._runners}
        runners = [runner for runner in self._runners if any(map(len, rows_of[runner]))]
        predicted = call_concurrently(
            [partial(runner.predict, self._data.inputs, rows_of[runner]) for runner in runners]
        )
        for runner, outputs_of_runner in zip(runners, predicted, strict=True):
            for index, values in zip(runner.indices, outputs_of_runner, strict=True):
                outputs[index] = values
        return outputs

    def _run_epoch(self, epoch: int) -> list[MemberLogs]:
        """Train for one epoch, and return the logs of the active members."""
        self._call("on_epoch_begin", epoch, {})
        # All programs are dispatched before a number is read: the device does not wait.
        runners = _alternate(self._active_runners())
        advances: list[Callable[[], Any]] = [partial(self._advance, runner) for runner in runners]
        *results, _ = call_concurrently([*advances, self._draw_next_orders])
        logs: list[MemberLogs] = [{} for _ in self.members]
        for runner, on_device in zip(runners, results, strict=True):
            values = {name: np.asarray(value) for name, value in on_device.items()}
            for position, index in enumerate(runner.indices):
                if self._is_active[index]:
                    logs[index] = {
                        name: to_number(value[position]) for name, value in values.items()
                    }
        for index, member_logs in enumerate(logs):
            if member_logs:
                self._record(index, epoch, member_logs)
        self._compact()
        return logs

    def _active_runners(self) -> list[VmapRunner]:
        return [
            runner
            for runner in self._runners
            if any(self._is_active[index] for index in runner.indices)
        ]

    def _advance(self, runner: VmapRunner) -> dict[str, Any]:
        orders = [self._epoch_order(index) for index in runner.indices]
        active = [self._is_active[index] for index in runner.indices]
        logs = runner.advance(self._data, orders, active, self._batch_size)
        held_out = [self.members[index].validation_rows for index in runner.indices]
        validation_rows = [index for index in held_out if index is not None]
        if not validation_rows:
            return logs
        validation = runner.measure(self._data, validation_rows, self._batch_size)
        return logs | {f"val_{name}": value for name, value in validation.items()}

    def _record(self, index: int, epoch: int, logs: MemberLogs) -> None:
        """Record the logs of a member, which end its training if its loss is not finite."""
        self._epochs_done[index] += 1
        if not math.isfinite(logs["loss"]):
            self.failed[index] = epoch
            self._is_active[index] = False
        else:
            for callback in self._callbacks[index]:
                callback.on_epoch_end(epoch, logs)
                if callback.model.stop_training:
                    self._is_active[index] = False
        for name, value in logs.items():
            self.history[index].setdefault(name, []).append(value)

    def _call(self, hook: str, *args: Any) -> None:
        for index, callbacks in enumerate(self._callbacks):
            if self._is_active[index] or hook == "on_train_end":
                for callback in callbacks:
                    getattr(callback, hook)(*args)

    def _epoch_order(self, index: int) -> np.ndarray:
        """Return the rows of a member in the order of its next epoch."""
        if not self._shuffle:
            return self.members[index].rows
        epoch = self._epochs_done[index]
        order = self._next_orders.pop((index, epoch), None)
        return self._order_of(index, epoch) if order is None else order

    def _draw_next_orders(self) -> None:
        """Draw the orders of the next epoch while the device computes this one."""
        for index, active in enumerate(self._is_active):
            if active and self._shuffle:
                epoch = self._epochs_done[index] + 1
                self._next_orders[index, epoch] = self._order_of(index, epoch)

    def _order_of(self, index: int, epoch: int) -> np.ndarray:
        rows = self.members[index].rows
        return rows[order_of_pass(self._seeds[index], epoch, len(rows))]

    def _copies(self, callbacks: Sequence[Callback], index: int) -> list[Callback]:
        """Return the copies of the callbacks for a member; their model is a view of it."""
        view = MemberView(
            self.members[index].parts[OPTIMIZER],
            lambda: self.train_state(index),
            lambda state: self._write(index, state),
        )
        copies = [copy.deepcopy(callback) for callback in callbacks]
        directions = dict(self._measurements.directions)
        if self.members[index].validation_rows is None:
            directions = self._measurements.without_validation()
        CallbackList(copies, view).check_monitors(directions)
        return copies

    def _locate(self, index: int) -> tuple[VmapRunner, int]:
        """Return the runner of a member, and the position of the member there."""
        runner = next(runner for runner in self._runners if index in runner.indices)
        return runner, runner.indices.index(index)

    def _read_padded(self, index: int) -> TrainState:
        runner, position = self._locate(index)
        return runner.read(position)

    def _write(self, index: int, state: TrainState) -> None:
        runner, position = self._locate(index)
        runner.write(position, pad(state._replace(accumulators=()), runner.read(position)))

    def _compact(self) -> None:
        """Put the active members together once half of the members of the runners are inactive."""
        running = self._active_runners()
        members = sum(len(runner.indices) for runner in running)
        if len(running) > 1 and 2 * sum(self._is_active) <= members:
            states = [self.train_state(index) for index in range(len(self.members))]
            self._runners = self._make_runners(states)

    def _make_runners(self, states: Sequence[TrainState]) -> list[VmapRunner]:
        """Return the runners of all members; active and inactive members are kept apart."""
        runners = []
        for group in self._groups:
            specs, parts = self._padded_specs[group.architecture], self._split(group)
            longest = max(len(part.indices) for part in parts)
            slots = self._slots.setdefault(group.architecture, longest)
            for part in parts:
                padded = [
                    pad(states[index]._replace(accumulators=()), specs) for index in part.indices
                ]
                runner = VmapRunner(
                    part, padded, self._measurements, rows(self._data), slots, self._placement
                )
                runners.append(runner)
        return runners

    def _split(self, group: Group) -> list[Group]:
        """Return a group in parts of similar sizes, whose members can run together."""
        pads_batches = can_be_filled(*group.architecture.parts[:2], self._measurements.metrics)
        alike: dict[Any, list[int]] = {}
        for position, index in enumerate(group.indices):
            member = self.members[index]
            held_out = member.validation_rows
            counts = (len(member.rows), None if held_out is None else len(held_out))
            kind = (self._is_active[index], None if pads_batches else counts)
            alike.setdefault(kind, []).append(position)
        most = self._slots.get(group.architecture, self._at_once)
        parts = []
        for positions in alike.values():
            size = math.ceil(len(positions) / math.ceil(len(positions) / most))
            parts += [positions[first : first + size] for first in range(0, len(positions), size)]
        return [group.subset(positions) for positions in parts]


def _alternate(runners: Sequence[VmapRunner]) -> list[VmapRunner]:
    """Return the runners with those of different architectures next to each other.

    Threads that begin with different architectures compile different programs.
    """
    earlier: dict[SharedArchitecture, int] = {}
    places = []
    for runner in runners:
        places.append(earlier.setdefault(runner.architecture, 0))
        earlier[runner.architecture] += 1
    return [runner for _, runner in sorted(zip(places, runners, strict=True), key=itemgetter(0))]


def _first_state(member: Member) -> TrainState:
    state = member.train_state
    if state is None:
        network, _, optimizer = member.parts
        state = initialize(network, optimizer, member.seed, *member.specs)
    return state._replace(accumulators=())


def _widest_specs(architecture: SharedArchitecture, specs: tuple[PyTree, ...]) -> TrainState:
    """Return the shapes of the train state of the widest network."""
    network, _, optimizer = architecture.parts

    def make(key: Key) -> TrainState:
        return create_train_state(network, optimizer, key, *specs)._replace(accumulators=())

    return jax.eval_shape(make, jax.random.key(0))
