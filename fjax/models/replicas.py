"""Replicas: one model trained from several seeds side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from fjax.callbacks import (
    BackupAndRestore,
    Callback,
    CallbackList,
    History,
    ModelCheckpoint,
    SwapEMAWeights,
)
from fjax.callbacks.callback_list import defines
from fjax.data.arrays import split
from fjax.data.conversion import to_batch
from fjax.data.streams import is_batches
from fjax.errors import integer_at_least
from fjax.models import arguments
from fjax.models.membership import Membership, concatenate, held_out_batch, membership
from fjax.models.plan import TRAIN, matched_batch
from fjax.population import Member, Population
from fjax.population.architecture import architectures
from fjax.population.fleet import VmapRunner
from fjax.population.memory import check_memory
from fjax.population.steering import is_steering, listed
from fjax.training import TrainState
from fjax.training.batch import rows
from fjax.training.initialization import initialize
from fjax.training.population import Parts
from fjax.training.state import run_key
from fjax.typing import PyTree

SEEDS = 2**32

# They keep or change the weights of one model.
OF_ONE_MODEL = (BackupAndRestore, ModelCheckpoint, SwapEMAWeights)
STEP_HOOKS = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")


class Replicas:
    """The models that `fit(replicas=…)` has trained: an ensemble.

    Attributes:
        train_states: The train state of each; the first is the model's own.
    """

    def __init__(self, parts: Parts, train_states: Sequence[TrainState]) -> None:
        self.train_states = list(train_states)
        (group,) = architectures([parts])
        places = range(len(train_states))
        numbers = group.numbers * len(train_states)
        self._fleet = VmapRunner(group.architecture, places, train_states, numbers, (), {}, 0)

    def __len__(self) -> int:
        return len(self.train_states)

    def predict(self, inputs: tuple[PyTree, ...]) -> PyTree:
        """Return the outputs of each replica; the first axis is that of the replicas."""
        count = rows(inputs)
        found = self._fleet.predict(jax.device_put(inputs), [np.arange(count)] * len(self))
        return jax.tree.map(lambda *outputs: np.stack(outputs), *found)

    def mean_and_std(self, inputs: tuple[PyTree, ...]) -> tuple[PyTree, PyTree]:
        """Return the mean of the replicas' outputs, and their standard deviation."""
        outputs = self.predict(inputs)
        return tuple(
            jax.tree.map(lambda values, of=of: of(values, axis=0), outputs)
            for of in (np.mean, np.std)
        )


def fit_replicas(
    model: Any,
    replicas: int,
    data: tuple[Any, Any, Any],
    class_weight: Any,
    validation_split: float,
    validation_data: Any,
    batch_size: int | None,
    numbers: arguments.Schedule,
    shuffle: bool,
    callbacks: Any,
    verbose: int,
    whole: Mapping[str, Any],
) -> History:
    """Train a model and its replicas.

    Args:
        model: The model.
        replicas: How many, itself among them.
        data: `x`, `y` and `sample_weight`.
        class_weight: As of `Model.fit`, like all that follows.
        validation_split: The share of the data to validate on.
        validation_data: Data to validate on.
        batch_size: Samples a step.
        numbers: The numbers of the fit, checked.
        shuffle: Whether each epoch goes through the samples in another order.
        callbacks: Who listens or steers.
        verbose: What is shown.
        whole: Arguments that replicas, which make whole epochs, do not follow.
    """
    count = integer_at_least("fit", "replicas", replicas, 1)
    _refuse(data[0], whole)
    steering, hearing = _parted(callbacks)
    share = 0.0 if validation_data is not None else validation_split
    training, held_out = split("fit", to_batch(*data, text=True), share)
    training = matched_batch(model, training, TRAIN, class_weight)
    if held_out is not None:
        held_out = matched_batch(model, held_out, TRAIN)
    if validation_data is not None:
        held_out = held_out_batch("fit", model, validation_data)
    own = membership("fit", model, training)
    # Before there are as many members.
    check_memory([(count, model.train_state)], training, count * rows(training))
    size = arguments.check_batch_size("fit", batch_size) or 32
    population = Population(
        _members(model, own, count, rows(training), 0 if held_out is None else rows(held_out)),
        training if held_out is None else concatenate(training, held_out),
        own.metrics, own.sums, size, shuffle, None, steering, own.directions,
        first_epoch=numbers.initial_epoch,
    )  # fmt: skip
    steps = -(-rows(training) // size)
    listeners = CallbackList(hearing, model, verbose, epochs=numbers.epochs, steps=steps)
    listeners.check_monitors(
        own.directions if held_out is not None else _without_validation(own.directions)
    )
    history = _train(model, population, listeners, numbers, steps - 1)
    states = [population.train_state(index) for index in range(count)]
    model.train_state = states[0]
    model.replicas = Replicas(own.parts, states)
    return history


def _train(
    model: Any,
    population: Population,
    listeners: CallbackList,
    numbers: arguments.Schedule,
    last_step: int,
) -> History:
    history = model.history = listeners.history
    model.stop_training = False
    listeners.call("on_train_begin", {})
    if numbers.initial_epoch < numbers.epochs:
        listeners.call("on_epoch_begin", numbers.initial_epoch, {})
    means: dict[str, Any] = {}
    steps = listeners.steps("train")

    def hear(epoch: int, logs: list[dict[str, float]]) -> bool:
        nonlocal means
        # One that has stopped counts as it was last, one that has failed not at all.
        counted = [
            {name: values[-1] for name, values in own.items()}
            for index, own in enumerate(population.history)
            if index not in population.failed
        ]
        names = counted[0] if counted else {}
        values = {name: np.array([own[name] for own in counted]) for name in names}
        means = {name: _log(own.mean(axis=0)) for name, own in values.items()}
        for name, own in values.items():
            history.spread.setdefault(name, []).append(_log(own.std(axis=0)))
        told: Any = {name: np.float32(value) for name, value in means.items()}
        steps.on_step_end(last_step, told)
        listeners.call("on_epoch_end", epoch, means)
        ends = bool(model.stop_training) or not counted
        if not ends and epoch + 1 < numbers.epochs and population.is_training:
            listeners.call("on_epoch_begin", epoch + 1, {})
        return ends

    population.train(numbers.epochs, hear)
    population.end()
    history.replicas = population.history
    listeners.call("on_train_end", means)
    return history


def _log(value: Any) -> Any:
    """Return a number as one of Python; of a metric with a value for each class an array."""
    return value if np.ndim(value) else float(value)


def _members(model: Any, own: Membership, count: int, trained: int, validated: int) -> list[Member]:
    """Return the members: their seeds follow that of the model."""
    index = np.arange(trained, dtype=np.int32)
    held_out = np.arange(trained, trained + validated, dtype=np.int32) if validated else None
    first: TrainState = model.train_state
    others: list[TrainState | None] = [None] * (count - 1)
    seeds = [(model.model_parts.weights.seed + number) % SEEDS for number in range(count)]
    if model.replicas is not None and len(model.replicas) == count:
        others = model.replicas.train_states[1:]
    elif not _is_as_drawn(model, own):
        # Weights that are not drawn, as of a model that was loaded, are where all begin.
        others = [first._replace(key=run_key(seed)) for seed in seeds[1:]]
    return [
        Member(own.parts, own.specs, seed, index, held_out, state)
        for seed, state in zip(seeds, [first, *others], strict=True)
    ]


def _is_as_drawn(model: Any, own: Membership) -> bool:
    """Tell whether a model's weights are those that its seed draws."""
    network, _, optimizer = own.parts
    drawn, held = (
        initialize(network, optimizer, model.model_parts.weights.seed, *own.specs),
        model.train_state,
    )
    pairs = zip(*(jax.tree.leaves((s.params, s.state)) for s in (drawn, held)), strict=True)
    return all(np.array_equal(one, other) for one, other in pairs)


def _parted(callbacks: Any) -> tuple[list[Callback], list[Callback]]:
    """Return the callbacks that steer, and those that hear of the means."""
    steering = [callback for callback in listed(callbacks) if is_steering(callback)]
    hearing = [callback for callback in listed(callbacks) if not is_steering(callback)]
    for callback in hearing:
        needs_each_step = any(defines(callback, hook) for hook in STEP_HOOKS)
        if isinstance(callback, OF_ONE_MODEL) or needs_each_step:
            what = "hears of single steps" if needs_each_step else "keeps or changes one model"
            raise ValueError(
                f"`fit`: with `replicas` callbacks hear the means at the end of each epoch, and "
                f"`{type(callback).__name__}` {what}: leave it out."
            )
    return steering, hearing


def _refuse(x: Any, whole: Mapping[str, Any]) -> None:
    given = [name for name, value in whole.items() if value is not None]
    if given:
        raise ValueError(
            f"`fit`: `replicas` are trained for whole epochs, without `{given[0]}`: leave it out."
        )
    if is_batches(x):
        raise ValueError(
            "`fit`: `replicas` need arrays, of which each takes the rows in its own order; `x` "
            "gives batches."
        )


def _without_validation(directions: Mapping[str, Any]) -> dict[str, Any]:
    return {name: way for name, way in directions.items() if not name.startswith("val_")}
