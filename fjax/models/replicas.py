"""Replicas: one model trained from several seeds side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from fjax.callbacks import Callback, CallbackList, History
from fjax.callbacks.callback_list import defines, list_callbacks
from fjax.callbacks.lazy_logs import to_number
from fjax.data.arrays import Arrays
from fjax.data.source import Data
from fjax.errors import integer_at_least
from fjax.models import arguments
from fjax.models.membership import (
    MemberTemplate,
    TrainingData,
    member_template,
    training_data,
)
from fjax.population import Measurements, Member, Population
from fjax.population.callbacks import PER_MEMBER
from fjax.population.memory import check_memory
from fjax.population.program_groups import Parts, group_by_architecture
from fjax.population.vmap_runner import VmapRunner
from fjax.training import TrainState
from fjax.training.batch import rows
from fjax.training.initialization import initialize
from fjax.training.placement import DEFAULT, Placement
from fjax.training.state import run_key
from fjax.typing import PyTree

SEED_COUNT = 2**32

STEP_HOOKS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")


class Replicas:
    """The ensemble of models that `fit(replicas=…)` has trained.

    Attributes:
        train_states: The train state of each replica; the first belongs to the model itself.
    """

    def __init__(
        self, parts: Parts, train_states: Sequence[TrainState], placement: Placement = DEFAULT
    ) -> None:
        self.train_states = list(train_states)
        count = len(self.train_states)
        (group,) = group_by_architecture([parts])
        group = group._replace(
            indices=list(range(count)), hyperparameters=group.hyperparameters * count
        )
        self._placement = placement
        self._runner = VmapRunner(
            group, self.train_states, Measurements((), {}, {}), 0, placement=placement
        )

    def __len__(self) -> int:
        return len(self.train_states)

    def predict(self, inputs: tuple[PyTree, ...]) -> PyTree:
        """Return the outputs of all replicas, along a new first axis."""
        index = np.arange(rows(inputs))
        outputs = self._runner.predict(self._placement.put(inputs), [index] * len(self))
        return jax.tree.map(lambda *arrays: np.stack(arrays), *outputs)

    def mean_and_std(self, inputs: tuple[PyTree, ...]) -> tuple[PyTree, PyTree]:
        """Return the mean and the standard deviation of the replicas' outputs."""
        outputs = self.predict(inputs)
        mean = jax.tree.map(lambda values: np.mean(values, axis=0), outputs)
        return mean, jax.tree.map(lambda values: np.std(values, axis=0), outputs)


def fit_replicas(
    model: Any,
    replicas: int,
    data: Data,
    class_weight: Any,
    validation_split: float,
    validation_data: Any,
    batch_size: int | None,
    schedule: arguments.Schedule,
    shuffle: bool,
    callbacks: Any,
    verbose: int,
    unsupported: Mapping[str, Any],
) -> History:
    """Train a model and its replicas.

    Args:
        model: The model.
        replicas: How many models to train, the model itself among them.
        data: The training data.
        class_weight: As in `Model.fit`.
        validation_split: The share of the data that is used for validation.
        validation_data: The validation data.
        batch_size: The number of samples in a step.
        schedule: The epochs, checked.
        shuffle: Whether each epoch takes the samples in a new order.
        callbacks: Callbacks of each replica, and callbacks that get the means.
        verbose: 0 for no output, 1 for a bar, 2 for a line per epoch.
        unsupported: Arguments that replicas do not support; each must be None.

    Raises:
        ValueError: An argument, a callback or the data is not supported.
    """
    count = integer_at_least("fit", "replicas", replicas, 1)
    _check_arguments(unsupported)
    if not isinstance(data, Arrays):
        raise ValueError(
            "`fit`: `replicas` need arrays, since each replica takes the rows in its own order, "
            "but `x` yields batches."
        )
    per_member, mean_callbacks = _split_callbacks(callbacks)
    split = training_data("fit", model, data, validation_split, validation_data, class_weight)
    template = member_template("fit", model, split.batch)
    # Checked before the members are created.
    row_count = count * len(split.rows)
    check_memory([(count, model.train_state)], split.batch, row_count, template.placement)
    size = arguments.check_batch_size("fit", batch_size) or 32
    measurements = template.measurements
    population = Population(
        _members(model, template, count, split), split.batch, measurements, size, shuffle,
        callbacks=per_member, first_epoch=schedule.initial_epoch,
        placement=template.placement,
    )  # fmt: skip
    steps = -(-len(split.rows) // size)
    callback_list = CallbackList(
        mean_callbacks, model, verbose, epochs=schedule.epochs, steps=steps
    )
    validates = split.validation_rows is not None
    callback_list.check_monitors(
        measurements.directions if validates else measurements.without_validation()
    )
    history = _train(model, population, callback_list, schedule, steps - 1)
    states = [population.train_state(index) for index in range(count)]
    model.train_state = states[0]
    model.replicas = Replicas(template.parts, states, template.placement)
    return history


def _train(
    model: Any,
    population: Population,
    callback_list: CallbackList,
    schedule: arguments.Schedule,
    last_step: int,
) -> History:
    history = model.history = callback_list.history
    model.stop_training = False
    before = jax.tree.leaves(model.train_state)

    def call(hook: str, *arguments: Any) -> None:
        callback_list.call(hook, *arguments)
        after = jax.tree.leaves(model.train_state)
        if any(first is not second for first, second in zip(before, after, strict=True)):
            raise ValueError(
                f"`fit`: a callback has set weights or the learning rate of the model in `{hook}`. "
                "With `replicas` this reaches no replica: leave the callback out, or use "
                "`LearningRateScheduler` or `ReduceLROnPlateau`, which act on each replica."
            )

    call("on_train_begin", {})
    if schedule.initial_epoch < schedule.epochs:
        call("on_epoch_begin", schedule.initial_epoch, {})
    means: dict[str, Any] = {}
    steps = callback_list.steps("train")

    def on_epoch(epoch: int, logs: list[dict[str, float]]) -> bool:
        nonlocal means
        table = _last_logs(population)
        means = {name: to_number(values.mean(axis=0)) for name, values in table.items()}
        for name, values in table.items():
            history.spread.setdefault(name, []).append(to_number(values.std(axis=0)))
        # The progress bar takes the means as the logs of the last step.
        step_logs: Any = {name: np.float32(value) for name, value in means.items()}
        steps.on_step_end(last_step, step_logs)
        call("on_epoch_end", epoch, means)
        stops = bool(model.stop_training) or len(population.failed) == len(population.members)
        if not stops and epoch + 1 < schedule.epochs and population.is_training:
            call("on_epoch_begin", epoch + 1, {})
        return stops

    population.train(schedule.epochs, on_epoch)
    population.end()
    history.replicas = population.history
    callback_list.call("on_train_end", means)
    return history


def _last_logs(population: Population) -> dict[str, np.ndarray]:
    """Return for each log the last value of each replica, without replicas that failed."""
    histories = [
        history
        for index, history in enumerate(population.history)
        if index not in population.failed
    ]
    names = histories[0] if histories else {}
    return {name: np.array([history[name][-1] for history in histories]) for name in names}


def _members(model: Any, template: MemberTemplate, count: int, split: TrainingData) -> list[Member]:
    """Return the members; their seeds follow the model's seed."""
    first: TrainState = model.train_state
    others: list[TrainState | None] = [None] * (count - 1)
    seed = model.model_parts.weights.seed
    seeds = [(seed + index) % SEED_COUNT for index in range(count)]
    if model.replicas is not None and len(model.replicas) == count:
        others = model.replicas.train_states[1:]
    elif not _has_initial_weights(template, seed, first):
        # All replicas start from weights that were set or loaded.
        others = [first._replace(key=run_key(seed)) for seed in seeds[1:]]
    return [
        template.member(seed, split.rows, split.validation_rows, state)
        for seed, state in zip(seeds, [first, *others], strict=True)
    ]


def _has_initial_weights(template: MemberTemplate, seed: int, train_state: TrainState) -> bool:
    """Return whether the weights are those that the seed draws."""
    network, _, optimizer = template.parts
    drawn = initialize(network, optimizer, seed, *template.specs)
    pairs = zip(
        *(jax.tree.leaves((state.params, state.state)) for state in (drawn, train_state)),
        strict=True,
    )
    return all(np.array_equal(drawn_leaf, leaf) for drawn_leaf, leaf in pairs)


def _split_callbacks(callbacks: Any) -> tuple[list[Callback], list[Callback]]:
    """Return the callbacks that each replica has a copy of, and those that get the means."""
    listed = list_callbacks(callbacks)
    per_member: list[Callback] = [
        callback for callback in listed if isinstance(callback, PER_MEMBER)
    ]
    mean_callbacks = [callback for callback in listed if not isinstance(callback, PER_MEMBER)]
    for callback in mean_callbacks:
        needs_each_step = any(defines(callback, hook) for hook in STEP_HOOKS)
        if callback.needs_one_model or needs_each_step:
            reason = "needs each step" if needs_each_step else "saves or changes one model"
            raise ValueError(
                f"`fit`: with `replicas` callbacks get the means at the end of each epoch, and "
                f"`{type(callback).__name__}` {reason}: leave it out."
            )
    return per_member, mean_callbacks


def _check_arguments(unsupported: Mapping[str, Any]) -> None:
    names = [name for name, value in unsupported.items() if value is not None]
    if names:
        raise ValueError(
            f"`fit`: `replicas` are trained for whole epochs and do not support `{names[0]}`: "
            "leave it out."
        )
