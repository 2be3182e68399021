"""Checkpoints of a run: when they are written, and how a run is restored from them."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, Self

from fjax.data.shuffling import shuffle_seed
from fjax.errors import warn_user
from fjax.storage.array_store import ArrayReader, ArrayStore
from fjax.storage.background import BackgroundTask
from fjax.storage.checkpoint_file import (
    Checkpoint,
    Progress,
    encode_checkpoint,
    read_checkpoint,
)
from fjax.storage.checkpoint_folder import CheckpointFolder
from fjax.storage.strict_json import dump_json
from fjax.storage.train_state import TrainStateShapes
from fjax.training import Source, TrainState
from fjax.training.loop import StepHooks
from fjax.training.placement import Placement
from fjax.typing import Stateful


class TrainedModel(Protocol):
    """The model of a run, as far as checkpoints within an epoch need it."""

    train_state: TrainState
    stop_training: bool


class Checkpoints(Protocol):
    """The checkpoints of one run, as a context that ends with the run."""

    def __enter__(self) -> Self:
        """Return itself."""
        ...

    def __exit__(self, *error: Any) -> None:
        """Finish writing."""
        ...

    def restore(self, set_train_state: Callable[[TrainState], None]) -> Progress | None:
        """Restore the newest checkpoint, and return its progress; None if there is none."""
        ...

    def save(self, train_state: TrainState, progress: Progress) -> None:
        """Write a checkpoint."""
        ...

    def wrap_hooks(self, hooks: StepHooks, model: TrainedModel) -> StepHooks:
        """Return hooks that also write checkpoints within epochs, if that was requested."""
        ...


class NoCheckpoints:
    """The checkpoints of a run that writes none."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        """Do nothing."""

    def restore(self, set_train_state: Callable[[TrainState], None]) -> Progress | None:
        """Return None."""
        return None

    def save(self, train_state: TrainState, progress: Progress) -> None:
        """Do nothing."""

    def wrap_hooks(self, hooks: StepHooks, model: TrainedModel) -> StepHooks:
        """Return the hooks."""
        return hooks


class CheckpointOptions(NamedTuple):
    """Where and when checkpoints are written.

    Attributes:
        folder: The folder.
        save_freq: "epoch", or the number of batches after which one is written, in addition to
            the end of each epoch.
        keep: The number of newest checkpoints to keep.
        delete_at_end: Whether to delete them when the training has ended.
    """

    folder: Any
    save_freq: Any
    keep: int
    delete_at_end: bool


class RunCheckpoints:
    """The checkpoints of one run in a folder.

    Args:
        options: Where and when checkpoints are written.
        identity: What must be the same in a run and its continuation; see `run_identity`.
        shapes: The shapes of the train state within an epoch, accumulators included.
        callbacks: The callbacks whose states belong to the run.
        source: The training data.
        first_step: The step at which the run starts.
        placement: The devices of the train state. If several processes share them, all read, so
            that they need one file system.
        store: Writes the checkpoints.

    Raises:
        BlockingIOError: Another training writes its checkpoints to the folder.
        ValueError: Checkpoints within epochs are requested, and the length of an epoch is unknown.
    """

    def __init__(
        self,
        options: CheckpointOptions,
        identity: Mapping[str, Any],
        shapes: TrainStateShapes,
        callbacks: Sequence[Stateful],
        source: Source,
        first_step: int,
        placement: Placement,
        store: ArrayStore,
    ) -> None:
        if options.save_freq != "epoch" and source.steps is None:
            raise ValueError(
                f"`BackupAndRestore(save_freq={options.save_freq})`: `x` does not tell how many "
                'batches it has: give `fit` a `steps_per_epoch`, or use `save_freq="epoch"`.'
            )
        self._options = options
        self._identity = identity
        self._shapes = shapes
        self._callbacks = callbacks
        self._source = source
        self._first_step = first_step
        self._unsaved_steps = 0
        self._progress = Progress(0, {})
        self._placement = placement
        self._store = store
        is_first = placement.process_index == 0
        self._writes = is_first or store.is_joint
        self._deletes = is_first
        self._folder = CheckpointFolder(options.folder, options.keep, store, is_first)
        self._writer = BackgroundTask()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        """Wait until the last checkpoint is written, and unlock the folder."""
        failed = error[0] is not None
        try:
            self._writer.wait()
            if not failed and self._options.delete_at_end and self._deletes:
                self._folder.delete_files()
        except OSError as write_error:
            if not failed:
                raise
            warnings.warn(f"The last checkpoint was not written: {write_error}", stacklevel=2)
        finally:
            self._folder.close()
            self._store.close()

    def restore(self, set_train_state: Callable[[TrainState], None]) -> Progress | None:
        """Restore the newest checkpoint: the train state, the data and the callbacks.

        Args:
            set_train_state: Gives the train state to the model.

        Returns:
            The progress of the run; None if the folder has no checkpoint.

        Raises:
            ChangedRunError: The checkpoint is that of another model or of other data.
            ModelFileError: All checkpoints are damaged.
        """
        checkpoint = self._folder.read_newest(self._read)
        if self._placement.is_shared:
            self._check_all_have(checkpoint)
        if checkpoint is None:
            return None
        train_state, self._progress = checkpoint.train_state, checkpoint.progress
        self._first_step = checkpoint.first_step
        set_train_state(train_state)
        steps = int(train_state.step) - self._first_step
        self._source.restore(
            {
                **checkpoint.source_state,
                "steps": steps,
                "epoch": int(train_state.epoch),
                "shuffle_seed": shuffle_seed(train_state.key),
            }
        )
        _restore_callbacks(self._callbacks, checkpoint.callback_states)
        return self._progress

    def save(self, train_state: TrainState, progress: Progress) -> None:
        """Copy the state of the run now, and write it in the background."""
        self._unsaved_steps, self._progress = 0, progress
        batch = int(train_state.batch)
        if not batch:
            train_state = train_state._replace(accumulators=())
        # All processes take part in a snapshot.
        snapshot = self._store.snapshot(train_state)
        if not self._writes:
            return
        checkpoint = Checkpoint(
            train_state=snapshot,
            progress=progress._replace(batch=batch),
            callback_states=[(type(each).__name__, each.get_state()) for each in self._callbacks],
            first_step=self._first_step,
            source_state=self._source.state(),
        )
        tensors, document = encode_checkpoint(checkpoint, self._identity)
        self._writer.wait()
        self._writer.start(self._folder.start(tensors, dump_json(document)))

    def wrap_hooks(self, hooks: StepHooks, model: TrainedModel) -> StepHooks:
        """Return hooks that also write checkpoints within epochs, if that was requested."""
        if self._options.save_freq == "epoch":
            return hooks
        return _SavingHooks(self, hooks, model)

    def steps_until_save(self) -> int:
        """Return the number of steps until the next checkpoint within an epoch."""
        return int(self._options.save_freq) - self._unsaved_steps

    def count_steps(self, steps: int, last: int, model: TrainedModel) -> None:
        """Count finished steps, and write a checkpoint if one is due.

        Args:
            steps: The number of steps.
            last: The index of the last one in its epoch. After the last step of an epoch `fit`
                itself writes a checkpoint, once the callbacks were called.
            model: The model.
        """
        self._unsaved_steps += steps
        if self.steps_until_save() <= 0 and last + 1 != self._source.steps:
            progress = self._progress._replace(stopped=bool(model.stop_training))
            self.save(model.train_state, progress)

    def _check_all_have(self, checkpoint: Checkpoint | None) -> None:
        """Raise DisagreementError if the processes have not read the same checkpoint."""
        from fjax.processes.errors import DisagreementError
        from fjax.processes.job import shared_job

        step = None if checkpoint is None else int(checkpoint.train_state.step)
        steps = shared_job().exchange("a checkpoint of `fit`", step)
        if len(set(steps)) > 1:
            told = ", ".join(
                f"process {each}: {'none' if step is None else f'step {step}'}"
                for each, step in enumerate(steps)
            )
            raise DisagreementError(
                f"The processes find different checkpoints in {str(self._folder.path)!r} ({told}): "
                "the folder must be on a file system that all processes share."
            )

    def _read(self, reader: ArrayReader) -> Checkpoint:
        return read_checkpoint(
            reader, self._options.folder, self._identity, self._shapes, self._placement
        )


class _SavingHooks:
    """Hooks for which the loop pauses where a checkpoint within an epoch is due."""

    def __init__(self, run: RunCheckpoints, hooks: StepHooks, model: TrainedModel) -> None:
        self._run = run
        self._hooks = hooks
        self._model = model
        self._last_step = -1
        self.needs_each_step = hooks.needs_each_step
        self.shows_progress = hooks.shows_progress

    def longest_chunk(self) -> int | None:
        """Return the number of steps until the next checkpoint."""
        return max(self._run.steps_until_save(), 1)

    def on_step_begin(self, step: int) -> None:
        """Call the wrapped hooks."""
        self._last_step = step - 1
        self._hooks.on_step_begin(step)

    def on_step_end(self, step: int, logs: Any) -> bool:
        """Call the wrapped hooks, then write a checkpoint if one is due."""
        stop = self._hooks.on_step_end(step, logs)
        self._run.count_steps(step - self._last_step, step, self._model)
        return stop


def _restore_callbacks(callbacks: Sequence[Stateful], states: Sequence[tuple[str, Any]]) -> None:
    """Restore each callback from the first remaining state of its class."""
    remaining = list(states)
    for callback in callbacks:
        name = type(callback).__name__
        index = next((i for i, (saved_name, _) in enumerate(remaining) if saved_name == name), None)
        if index is not None:
            callback.set_state(remaining.pop(index)[1])
        elif callback.get_state():
            warn_user(
                f"The checkpoint has no state for `{name}`: this callback starts from the "
                "beginning."
            )
    dropped = [f"`{name}`" for name, state in remaining if state]
    if dropped:
        warn_user(
            f"The checkpoint has states for {', '.join(dropped)}, but the run has no such "
            "callbacks: these states are dropped."
        )
