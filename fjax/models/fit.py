"""`Model.fit`: the epochs, with validation, callbacks and checkpoints."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from fjax.callbacks import CallbackList, History
from fjax.callbacks.lazy_logs import to_numbers
from fjax.data.arrays import Arrays
from fjax.data.conversion import is_batches
from fjax.data.shuffling import shuffle_seed
from fjax.data.source import Data, read
from fjax.models.arguments import Schedule
from fjax.models.checkpointing import model_identity, run_checkpoints
from fjax.models.evaluate import measure
from fjax.models.joint_run import check_joins, describe_source, describe_weights, joint_run
from fjax.models.model_parts import ModelParts, execution_mode
from fjax.models.plan import Plan, expectation, plan_for, require_objective
from fjax.models.step_methods.forms import TEST, TRAIN
from fjax.storage.checkpoint_file import Progress
from fjax.training import Source, finalized, run_epoch
from fjax.training.logs import sort_logs
from fjax.training.loop import ChunkScheduler


class Validation(NamedTuple):
    """The arguments of `fit` for validation.

    Attributes:
        split: The share of the training data, from its end.
        data: `(x, y)`, `(x, y, sample_weight)` or an iterable of batches; `split` is then
            ignored.
        batch_size: Rows in a batch.
    """

    split: float = 0.0
    data: Any = None
    batch_size: int | None = None


def fit(
    model: Any,
    parts: ModelParts,
    data: Data,
    schedule: Schedule,
    validation: Validation,
    shuffle: bool,
    class_weight: Any,
    callbacks: Any,
    verbose: int,
    resume: Any,
) -> History:
    """Train a model; see `Model.fit`.

    Args:
        model: The model, which is passed to the callbacks.
        parts: Its parts.
        data: The training data.
        schedule: The epochs.
        validation: The validation data.
        shuffle: Whether each epoch takes the samples in a new order.
        class_weight: The weights of the classes.
        callbacks: The user's callbacks.
        verbose: 0, 1 or 2.
        resume: The folder of the checkpoints, or None.
    """
    check_joins(parts.placement)
    prepared = _prepared(model, parts, data, schedule, validation, shuffle, class_weight)
    with joint_run("`fit`", parts.placement) as run, prepared as (source, plan, held_out):
        callback_list = CallbackList(
            callbacks, model, verbose, parts.placement.process_index == 0,
            epochs=schedule.epochs, steps=source.steps,
        )  # fmt: skip
        callback_list.check_monitors(plan.directions | _validation_directions(held_out))
        programs = callback_list.wrap_programs(plan.programs)
        model.history, model.stop_training = callback_list.history, False
        validation_source = None if held_out is None else held_out.source
        checkpoints = run_checkpoints(
            model, resume, callback_list, source, validation_source, plan.empty_sums
        )
        run.agree(lambda: _description(model, parts, schedule, shuffle, source, held_out))
        hooks = checkpoints.wrap_hooks(callback_list.steps("train"), model)
        hooks = run.hooks(hooks, source.steps)
        chunks = ChunkScheduler(hooks)
        with checkpoints:
            restored = checkpoints.restore(parts.weights.adopt)
            progress = restored or Progress(schedule.initial_epoch, {})
            logs, batch, model.stop_training = progress.logs, progress.batch, progress.stopped
            callback_list.call("on_train_begin", {})
            # A callback may have replaced the train state.
            total_epochs = int(parts.weights.train_state.epoch)
            if restored is None:
                checkpoints.save(parts.weights.train_state, progress)
            for epoch in range(progress.epoch, schedule.epochs):
                if model.stop_training:
                    break
                if batch:
                    callback_list.call("on_epoch_resume", epoch, batch)
                else:
                    callback_list.call("on_epoch_begin", epoch, {})
                    parts.weights.begin_epoch(plan.empty_sums, total_epochs)
                on_device = run_epoch(
                    parts.weights, programs, source, total_epochs, hooks, chunks, plan.fill
                )
                logs, batch = to_numbers(on_device), 0
                plan.store(parts.weights.accumulators)
                parts.last_logs = dict(logs)
                if held_out is not None and epoch in schedule.validation_epochs:
                    values = measure(parts, held_out.plan, held_out.source, callback_list, run)
                    logs |= {f"val_{name}": value for name, value in values.items()}
                    logs = sort_logs(logs)
                total_epochs += 1
                parts.weights.end_epoch(total_epochs)
                callback_list.call("on_epoch_end", epoch, logs)
                model.stop_training = run.any(model.stop_training)
                progress = Progress(epoch + 1, logs, bool(model.stop_training))
                checkpoints.save(parts.weights.train_state, progress)
            if logs or model.stop_training:
                _finalize(parts)
            callback_list.call("on_train_end", logs)
        return callback_list.history


def _description(
    model: Any,
    parts: ModelParts,
    schedule: Schedule,
    shuffle: bool,
    source: Source,
    held_out: "_HeldOut | None",
) -> dict[str, Any]:
    """Return what must be the same in all processes that train a model together."""
    about: dict[str, Any] = {
        "the model": model_identity(model),
        "the epochs": [schedule.initial_epoch, schedule.epochs],
        "`shuffle`": shuffle,
        **describe_source("data", source),
        **describe_weights(parts.weights),
    }
    if held_out is not None:
        about |= describe_source("validation data", held_out.source)
        about["the epochs of the validation"] = sorted(schedule.validation_epochs)
    return about


class _HeldOut(NamedTuple):
    """The validation data of a `fit`, and the plan of an evaluation on them."""

    source: Source
    plan: Plan


@contextmanager
def _prepared(
    model: Any,
    parts: ModelParts,
    data: Data,
    schedule: Schedule,
    validation: Validation,
    shuffle: bool,
    class_weight: Any,
) -> Iterator[tuple[Source, Plan, _HeldOut | None]]:
    """Yield the training data with their plan, and the validation data, while a `fit` runs."""
    require_objective(model, parts, TRAIN)
    if validation.split or validation.data is not None:
        require_objective(model, parts, TEST)
    training, held_out = _split(model, parts, data, schedule, validation, class_weight)
    seed = shuffle_seed(parts.weights.train_state.key) if shuffle else None
    source = training.checked(expectation(model, parts, TRAIN, class_weight), seed, parts.placement)
    validation_source: Source | None = None
    if held_out is not None:
        validation_source = held_out.checked(
            expectation(model, parts, TEST), placement=parts.placement
        )
    parts.is_training = True
    try:
        with execution_mode(model.run_eagerly):
            plan, validating = plan_for(model, parts, TRAIN, source), None
            if validation_source is not None:
                test_plan = plan_for(model, parts, TEST, validation_source)
                validating = _HeldOut(validation_source, test_plan)
            yield source, plan, validating
    finally:
        parts.is_training = False
        source.close()
        if validation_source is not None:
            validation_source.close()


def _split(
    model: Any,
    parts: ModelParts,
    data: Data,
    schedule: Schedule,
    validation: Validation,
    class_weight: Any,
) -> tuple[Data, Data | None]:
    """Return the training and validation data; the training data builds the model."""
    if not isinstance(data, Arrays) and validation.split:
        raise ValueError(
            "`fit`: `validation_split` needs arrays, but `x` yields batches: pass "
            "`validation_data`."
        )
    can_weigh = isinstance(data, Arrays) or data.is_indexable
    if class_weight is not None and not can_weigh:
        raise ValueError(
            "`fit`: `class_weight` needs arrays, or batches by index, as of a `PyDataset`, but `x` "
            "is an iterable: let it yield `(x, y, sample_weight)`."
        )
    model.build_for(data.first())
    if validation.data is not None:
        return data, read_validation(validation, schedule.validation_steps)
    if not isinstance(data, Arrays) or validation.split == 0.0:
        return data, None
    if not data.is_on_disk:
        # All rows are matched before the split, so that an error names the row of the user's data.
        data = data._replace(batch=expectation(model, parts, TRAIN)(data.batch))
    training, held_out = data.split(validation.split)
    if held_out is not None:
        held_out = held_out._replace(
            batch_size=validation.batch_size, steps=schedule.validation_steps, repeats=False
        )
    return training, held_out


def read_validation(validation: Validation, steps: int | None) -> Data:
    """Return `validation_data`, converted.

    Raises:
        ValueError: `validation_data` is not a pair, a triple or an iterable of batches.
    """
    data = validation.data
    if is_batches(data):
        return read("fit", data, steps=steps)
    if not isinstance(data, list | tuple) or len(data) not in (2, 3):
        raise ValueError(
            "`fit`: `validation_data` must be `(x, y)`, `(x, y, sample_weight)` or an iterable "
            f"of batches, received {type(data).__name__}."
        )
    x, y, sample_weight = (*data, None)[:3]
    return read("fit", x, y, sample_weight, validation.batch_size, steps)


def _validation_directions(held_out: _HeldOut | None) -> dict[str, str | None]:
    directions = {} if held_out is None else held_out.plan.directions
    return {f"val_{name}": direction for name, direction in directions.items()}


def _finalize(parts: ModelParts) -> None:
    optimizer = parts.require_config("fit").optimizer
    parts.weights.train_state = finalized(
        parts.architecture.network, optimizer, parts.weights.train_state
    )
