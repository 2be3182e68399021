"""Populations: many trainings side by side, one compiled program for each architecture."""

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from fjax.callbacks import Callback, CallbackList
from fjax.core.specs import spec_of
from fjax.data.shuffling import order_of_pass, shuffle_seed
from fjax.errors import integer_at_least
from fjax.population.architecture import OPTIMIZER, Architecture, Group, architectures
from fjax.population.fleet import VmapRunner
from fjax.population.member import Member, MemberView, check_members
from fjax.population.memory import check_memory
from fjax.population.widths import padded, unpadded
from fjax.training import Batch, TrainState, create_train_state, finalized, initialize
from fjax.training.accumulators import Metrics, init_accumulators
from fjax.training.batch import rows
from fjax.training.filled_batches import can_be_filled
from fjax.typing import Key, PyTree

# On the CPU more members at once do not go faster, and fall out of the cache.
AT_ONCE = {"cpu": 16}
MOST_AT_ONCE = 256


class Population:
    """Trainings that run side by side.

    Members of one architecture are one compiled program under `vmap`: they may differ in their
    seed, their rows, the numbers of optimizer, dropout and regularizers, and in hidden widths
    (see `fjax.population.widths`). Each becomes what it would be alone, but for the rounding of
    sums. A member whose loss is not finite is trained no further; the others go on.

    Args:
        members: The members.
        data: All data, held against the models.
        metrics: What is measured beside the loss.
        sums: The empty sums of an epoch.
        batch_size: Samples a step.
        shuffle: Whether each epoch goes through a member's rows in another order.
        at_once: How many members run in one program; by default as many as the device likes.
        callbacks: Callbacks that steer a training, such as `EarlyStopping`; each member has a copy.
        directions: For each log where it is better, as of `Prepared`.
        first_epoch: The number of the first epoch.
        like: A member of another population, and its place there, for one that is alike but for
            its seed and rows: it runs by the programs of that one.

    Attributes:
        history: For each member its logs, one value for each epoch that it was trained.
        failed: The members whose loss was not finite, each with the epoch, from 0.

    Raises:
        MemoryError: The members do not fit in memory.
        ValueError: There are no members, one has no rows or rows that the data has not, or some
            are validated and others are not; `at_once` is not positive.
    """

    def __init__(
        self,
        members: Sequence[Member],
        data: Batch,
        metrics: Metrics,
        sums: PyTree,
        batch_size: int,
        shuffle: bool = True,
        at_once: int | None = None,
        callbacks: Sequence[Callback] = (),
        directions: Mapping[str, str | None] | None = None,
        first_epoch: int = 0,
        like: tuple["Population", int] | None = None,
    ) -> None:
        self.members = list(members)
        self.history: list[dict[str, list[float]]] = [{} for _ in members]
        self.failed: dict[int, int] = {}
        self.epochs = first_epoch
        self._first_epoch = first_epoch
        check_members(members, len(jax.tree.leaves(data.inputs)[0]))
        if at_once is not None:
            integer_at_least(type(self).__name__, "at_once", at_once, 1)
        self._groups = architectures([own.parts for own in members])
        self._slots = None
        self._room: dict[Architecture, int] = {}
        if like is not None:
            other, place = like
            self._groups, self._slots = [other._group_like(place)], other._fleet_of(place).slots
        self._metrics, self._sums = metrics, sums
        self._batch_size, self._shuffle = batch_size, shuffle
        self._rows = rows(data)
        self._at_once = at_once or AT_ONCE.get(jax.default_backend(), MOST_AT_ONCE)
        trained = sum(len(own.rows) for own in members)
        check_memory([_shapes_in(group, members) for group in self._groups], data, trained)
        first = [_first_state(own) for own in members]
        self._shapes = [jax.tree.map(spec_of, state) for state in first]
        self._wide = {
            group.architecture: _widest([self._shapes[index] for index in group.indices])
            for group in self._groups
        }
        if like is not None:
            self._wide |= like[0]._wide
        self._seeds = [shuffle_seed(state.key) for state in first]
        # Of the whole life of each run, as in a train state: the orders go on where they ended.
        self._made = [int(state.epoch) for state in first]
        self._orders: dict[int, tuple[int, np.ndarray]] = {}
        self._active = [True] * len(self.members)
        self._data = jax.device_put(data)
        self._fleets = self._gathered(first)
        known = dict(directions or {})
        if members[0].validation_rows is None:
            known = {name: way for name, way in known.items() if not name.startswith("val_")}
        self._callbacks = [self._own(callbacks, index, known) for index in range(len(members))]

    @property
    def is_training(self) -> bool:
        """Whether there are members that are still trained."""
        return any(self._active)

    @property
    def architectures(self) -> int:
        """How many architectures the members have: each is compiled once."""
        return len(self._groups)

    def train(
        self, epochs: int, on_epoch: Callable[[int, list[dict[str, float]]], Any] | None = None
    ) -> None:
        """Train all members that are still trained, up to this epoch.

        Args:
            epochs: One past the last epoch.
            on_epoch: Hears each epoch, with the logs of each member, empty for those that rest;
                it ends the training by returning what is true.
        """
        if self.epochs == self._first_epoch:
            self._call("on_train_begin", {})
        while self.epochs < epochs and self.is_training:
            epoch = self.epochs
            logs = self._epoch(epoch)
            self.epochs += 1
            if on_epoch is not None and on_epoch(epoch, logs):
                break

    def end(self) -> None:
        """End the training: averages take the place of weights, best weights are put back."""
        for index, own in enumerate(self.members):
            network, _, optimizer = own.parts
            if getattr(optimizer, "use_ema", False):
                self._write(index, finalized(network, optimizer, self.train_state(index)))
        self._call("on_train_end", {})

    def rest(self, indices: Sequence[int]) -> None:
        """Train these members no further."""
        for index in indices:
            self._active[index] = False
        self._regather()

    def train_state(self, index: int) -> TrainState:
        """Return the train state of one member, as a model of its own has it."""
        held = unpadded(self._read(index), self._shapes[index])
        made = np.int32(self._made[index])
        return held._replace(epoch=made, batch=np.int32(0), accumulators=init_accumulators())

    def predict(self, rows: Sequence[np.ndarray]) -> list[PyTree]:
        """Return the outputs of each member for rows of the data, as numpy arrays.

        Args:
            rows: The rows for each member; one without any may have None as outputs.
        """
        outputs: list[Any] = [None] * len(self.members)
        for fleet in self._fleets:
            own = [rows[index] for index in fleet.indices]
            if any(map(len, own)):
                for index, found in zip(
                    fleet.indices, fleet.predict(self._data.inputs, own), strict=True
                ):
                    outputs[index] = found
        return outputs

    def _epoch(self, epoch: int) -> list[dict[str, float]]:
        """Make one epoch, and return the logs of the members that made it."""
        self._call("on_epoch_begin", epoch, {})
        # Numbers are fetched when all is sent off: the device need not wait for the host.
        made = [(fleet, self._advance(fleet)) for fleet in self._awake()]
        logs: list[dict[str, float]] = [{} for _ in self.members]
        # While the device is at work.
        self._prepare_orders()
        for fleet, found in made:
            values = {name: np.asarray(value) for name, value in found.items()}
            for place, index in enumerate(fleet.indices):
                if self._active[index]:
                    logs[index] = {name: _number(value[place]) for name, value in values.items()}
        for index, own in enumerate(logs):
            if own:
                self._hear(index, epoch, own)
        self._regather()
        return logs

    def _awake(self) -> list[VmapRunner]:
        return [
            fleet for fleet in self._fleets if any(self._active[index] for index in fleet.indices)
        ]

    def _advance(self, fleet: VmapRunner) -> dict[str, Any]:
        orders = [self._order(index) for index in fleet.indices]
        active = [self._active[index] for index in fleet.indices]
        logs = fleet.advance(self._data, orders, active, self._batch_size)
        held_out = [self.members[index].validation_rows for index in fleet.indices]
        validation = [own for own in held_out if own is not None]
        if not validation:
            return logs
        validated = fleet.measure(self._data, validation, self._batch_size)
        return logs | {f"val_{name}": value for name, value in validated.items()}

    def _hear(self, index: int, epoch: int, logs: dict[str, float]) -> None:
        self._made[index] += 1
        if not math.isfinite(logs["loss"]):
            self.failed[index] = epoch
            self._active[index] = False
        else:
            for callback in self._callbacks[index]:
                callback.on_epoch_end(epoch, logs)
                if callback.model.stop_training:
                    self._active[index] = False
        for name, value in logs.items():
            self.history[index].setdefault(name, []).append(value)

    def _call(self, hook: str, *args: Any) -> None:
        for index, own in enumerate(self._callbacks):
            if self._active[index] or hook == "on_train_end":
                for callback in own:
                    getattr(callback, hook)(*args)

    def _order(self, index: int) -> np.ndarray:
        own = self.members[index].rows
        if not self._shuffle:
            return own
        number = self._made[index]
        known = self._orders.pop(index, None)
        if known is not None and known[0] == number:
            return known[1]
        return own[order_of_pass(self._seeds[index], number, len(own))]

    def _prepare_orders(self) -> None:
        """Draw the orders of the next epoch, before it is known who makes it."""
        for index, active in enumerate(self._active):
            if active and self._shuffle:
                rows, number = self.members[index].rows, self._made[index] + 1
                order = rows[order_of_pass(self._seeds[index], number, len(rows))]
                self._orders[index] = (number, order)

    def _own(
        self, callbacks: Sequence[Callback], index: int, directions: Mapping[str, str | None]
    ) -> list[Callback]:
        """Return a member's own copies of the callbacks, which find a view of it as their model."""
        view = MemberView(
            self.members[index].parts[OPTIMIZER],
            lambda: self.train_state(index),
            lambda state: self._write(index, state),
        )
        own = [copy.deepcopy(callback) for callback in callbacks]
        CallbackList(own, view).check_monitors(directions)
        return own

    def _read(self, index: int) -> TrainState:
        fleet = self._fleet_of(index)
        return fleet.read(fleet.indices.index(index))

    def _write(self, index: int, state: TrainState) -> None:
        fleet = self._fleet_of(index)
        place = fleet.indices.index(index)
        fleet.write(place, padded(state._replace(accumulators=()), fleet.read(place)))

    def _group_like(self, index: int) -> Group:
        """Return a group of one whose numbers are those of this member."""
        group = next(own for own in self._groups if index in own.indices)
        return group._replace(indices=[0], numbers=[group.numbers[group.indices.index(index)]])

    def _fleet_of(self, index: int) -> VmapRunner:
        return next(fleet for fleet in self._fleets if index in fleet.indices)

    def _regather(self) -> None:
        """Put those that are still trained together, where half of a fleet or more rest."""
        awake = self._awake()
        slots = sum(len(fleet.indices) for fleet in awake)
        if len(awake) > 1 and 2 * sum(self._active) <= slots:
            self._fleets = self._gathered(
                [
                    self.train_state(index)._replace(accumulators=())
                    for index in range(len(self.members))
                ]
            )

    def _gathered(self, states: Sequence[TrainState]) -> list[VmapRunner]:
        """Return the members in fleets, those that are trained first."""
        fleets = []
        for group in self._groups:
            wide = self._wide[group.architecture]
            places_of_fleets = self._places(group)
            # Members that are put together anew run by the programs that are compiled already.
            longest = max(map(len, places_of_fleets))
            slots = self._slots or self._room.setdefault(group.architecture, longest)
            for places in places_of_fleets:
                fleets.append(
                    VmapRunner(
                        group.architecture,
                        [group.indices[place] for place in places],
                        [padded(states[group.indices[place]], wide) for place in places],
                        [group.numbers[place] for place in places],
                        self._metrics,
                        self._sums,
                        self._rows,
                        slots,
                    )
                )
        return fleets

    def _places(self, group: Group) -> list[list[int]]:
        """Return the places of a group in lists of like lengths, of at most `at_once`."""
        filled = can_be_filled(*group.architecture.parts[:2], self._metrics)
        kinds: dict[Any, list[int]] = {}
        for place, index in enumerate(group.indices):
            kinds.setdefault(self._kind(index, filled), []).append(place)
        found = []
        room = self._room.get(group.architecture, self._at_once)
        for places in kinds.values():
            parts = math.ceil(len(places) / room)
            size = math.ceil(len(places) / parts)
            found += [places[first : first + size] for first in range(0, len(places), size)]
        return found

    def _kind(self, index: int, filled: bool) -> Any:
        """Return what members that run together have in common; those that rest come last."""
        own = self.members[index]
        held_out = own.validation_rows
        counts = (len(own.rows), None if held_out is None else len(held_out))
        return (not self._active[index], None if filled else counts)


def _first_state(own: Member) -> TrainState:
    if own.train_state is not None:
        return own.train_state._replace(accumulators=())
    network, _, optimizer = own.parts
    return initialize(network, optimizer, own.seed, *own.specs)._replace(accumulators=())


def _number(value: np.ndarray) -> Any:
    """Return a log as a float; one of several numbers, as of an F1 score per class, stays so."""
    return value if value.ndim else float(value)


def _shapes_in(group: Group, members: Sequence[Member]) -> tuple[int, PyTree]:
    """Return how many members a group has, and the shapes of the widest train state."""
    network, _, optimizer = group.architecture.parts
    specs = members[group.indices[0]].specs

    def make(key: Key) -> TrainState:
        return create_train_state(network, optimizer, key, *specs)

    return len(group.indices), jax.eval_shape(make, jax.random.key(0))


def _widest(shapes: Sequence[PyTree]) -> PyTree:
    """Return for each array the largest size of each axis."""

    def widest(*leaves: Any) -> jax.ShapeDtypeStruct:
        sizes = zip(*(leaf.shape for leaf in leaves), strict=True)
        return jax.ShapeDtypeStruct(tuple(map(max, sizes)), leaves[0].dtype)

    return jax.tree.map(widest, *shapes)
