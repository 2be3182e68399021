"""A run that is kept in a folder while it goes on, and taken up again after a kill."""

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np

from fjax.callbacks import BackupAndRestore, CallbackList
from fjax.data.shuffling import FIRST_RULE, RULE, shuffle_seed
from fjax.models import model_file
from fjax.models.run_identity import ChangedRunError, difference, identity_of
from fjax.storage import TensorFile, file_error_context, named_leaves
from fjax.storage.background import Background
from fjax.storage.memories import packed, unpacked
from fjax.storage.run_folder import RunFolder
from fjax.storage.strict_json import dumped
from fjax.storage.versions import newer_release
from fjax.training import Source, TrainState
from fjax.training.loop import Listener
from fjax.typing import PyTree
from fjax.version import VERSION

# By what a run computes: the same bits are promised for the same versions alone.
VERSIONS = {
    "fjax": VERSION, "jax": jax.__version__, "jaxlib": jaxlib.__version__, "numpy": np.__version__,
}  # fmt: skip


class Position(NamedTuple):
    """Where a run is, beside its train state.

    Attributes:
        epoch: The epoch of `fit` that comes next, or goes on, from 0.
        logs: Those of the last epoch that ended.
        stopped: Whether a callback has ended the training.
        batch: How many batches of the epoch are made; if there are any, the epoch goes on.
    """

    epoch: int
    logs: dict[str, Any]
    stopped: bool = False
    batch: int = 0


class UnkeptRun:
    """A run that is nowhere kept."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        """End the run."""

    def take_up(self) -> Position | None:
        """Return where a run is that was kept before; None if there is none."""
        return None

    def keep(self, position: Position) -> None:
        """Keep the run as it is now."""

    def listening(self, listener: Listener) -> Listener:
        """Return the listener to the run's steps."""
        return listener


class KeptRun(UnkeptRun):
    """A run in a folder.

    Args:
        model: The model that is trained.
        options: Where and when to keep the run.
        listeners: The callbacks, whose memories belong to the run.
        source: The training data.
        validation: The data to validate on.
        sums: The empty sums of the training's logs.

    Raises:
        BlockingIOError: Another training keeps its run in the folder.
        ValueError: It is to be kept within epochs, and nobody knows how long these are.
    """

    def __init__(
        self,
        model: Any,
        options: BackupAndRestore,
        listeners: CallbackList,
        source: Source,
        validation: Source | None,
        sums: PyTree,
    ) -> None:
        if options.save_freq != "epoch" and source.steps is None:
            raise ValueError(
                f"`BackupAndRestore(save_freq={options.save_freq})`: `x` does not tell how many "
                "batches it has: give `fit` a `steps_per_epoch`, or keep the run every epoch."
            )
        self._model = model
        self._options = options
        self._source = source
        self._sums = sums
        self._remembering = [c for c in listeners.callbacks if c is not options]
        self._same = {
            "another model": identity_of(model),
            "other training data": source.fingerprint(),
            "other validation data": None if validation is None else validation.fingerprint(),
        }
        self._order_rule = RULE
        self._first_step = int(model.train_state.step)
        self._since = 0
        self._position = Position(0, {})
        self._folder = RunFolder(options.backup_dir, options.keep)
        self._background = Background()

    def take_up(self) -> Position | None:
        """Put the newest kept run into the model, the data and the callbacks.

        Returns:
            Where it is; None if the folder keeps no run yet.

        Raises:
            ChangedRunError: It is the run of another model, or of other data.
            ModelFileError: All files of the folder are damaged.
        """
        found = self._folder.newest(self._read)
        if found is None:
            return None
        train_state, first_step, position, memories = found
        self._model.model_parts.weights.adopt(train_state)
        self._first_step, self._position = first_step, position
        steps = int(train_state.step) - first_step
        seed = shuffle_seed(self._model.train_state.key)
        self._source.restore({"steps": steps, "shuffle_seed": seed, "order_rule": self._order_rule})
        self._remind(memories)
        return position

    def keep(self, position: Position) -> None:
        """Copy the run as it is now; it is written to a file while training goes on."""
        self._since, self._position = 0, position
        # A copy: the next step gives these arrays away.
        held: TrainState = jax.tree.map(jnp.copy, self._model.train_state)
        if not int(held.batch):
            held = held._replace(accumulators=())
        told, arrays = packed(
            {
                "position": position._replace(batch=int(held.batch))._asdict(),
                "callbacks": [
                    (type(callback).__name__, callback.get_state())
                    for callback in self._remembering
                ],
            },
            "memory",
        )
        tensors = model_file.tensors_of(held) | arrays
        tensors |= named_leaves("accumulators", held.accumulators)
        document = {
            "same": self._same,
            "versions": VERSIONS,
            "order_rule": self._order_rule,
            "first_step": self._first_step,
            **model_file.position_of(held),
            "memory": told,
        }
        self._background.start(lambda: self._folder.write(tensors, dumped(document)))

    def listening(self, listener: Listener) -> Listener:
        """Return the listener to the run's steps, which keeps the run within epochs if it is to."""
        return listener if self._options.save_freq == "epoch" else _Keeping(self, listener)

    def __exit__(self, *error: Any) -> None:
        """Wait until the last file is written, and leave the folder to others."""
        failed = error[0] is not None
        try:
            self._background.wait()
            if not failed and self._options.delete_checkpoint:
                self._folder.remove()
        except OSError as unwritten:
            if not failed:
                raise
            warnings.warn(f"The last state of the run was not kept: {unwritten}", stacklevel=2)
        finally:
            self._folder.close()

    def steps_left(self) -> int:
        """Return how many steps may be made until the run is to be kept."""
        return int(self._options.save_freq) - self._since

    def stepped(self, steps: int, step: int) -> None:
        """Learn of steps, the last of them by its number; keep the run if it is time.

        After the last one of an epoch it is kept once the epoch's end was told.
        """
        self._since += steps
        if self.steps_left() <= 0 and step + 1 != self._source.steps:
            self.keep(self._position._replace(stopped=bool(self._model.stop_training)))

    def _read(self, file: TensorFile) -> tuple[TrainState, int, Position, list[Any]]:
        document = file.document()
        later = newer_release(file.metadata)
        for whose, now in self._same.items():
            found = difference(document["same"][whose], now)
            if found:
                raise ChangedRunError(self._folder.path, whose, found + later)
        self._warn_of_versions(document.get("versions", {}))
        self._order_rule = document.get("order_rule", FIRST_RULE)
        with file_error_context(file.path, "its run cannot be taken up", later):
            sums = self._sums if document["position"]["batch"] else ()
            train_state = model_file.read_train_state(self._model, file, document, sums)
            memory = unpacked(document["memory"], file.read)
            position = Position(**memory["position"])
            return train_state, document["first_step"], position, memory["callbacks"]

    def _warn_of_versions(self, kept: Mapping[str, str]) -> None:
        """Warn where a run goes on by other versions: its last bits may be others then."""
        changed = [
            f"{name} was {kept[name]}, is {now}"
            for name, now in VERSIONS.items()
            if kept.get(name, now) != now
        ]
        if changed:
            warnings.warn(
                f"The run in {str(self._folder.path)!r} was kept by other versions "
                f"({', '.join(changed)}): it goes on, and may differ in the last bits from a run "
                "that was not interrupted.",
                stacklevel=6,
            )

    def _remind(self, memories: list[tuple[str, Any]]) -> None:
        """Give each callback what one of its class remembered, the first to the first."""
        left = list(memories)
        for callback in self._remembering:
            kind = type(callback).__name__
            place = next((place for place, entry in enumerate(left) if entry[0] == kind), None)
            if place is not None:
                callback.set_state(left.pop(place)[1])
            elif callback.get_state():
                warnings.warn(
                    f"`{kind}` was not there when the run was kept: it begins anew.", stacklevel=6
                )
        forgotten = [kind for kind, memory in left if memory]
        if forgotten:
            warnings.warn(
                f"The run was kept with {', '.join(f'`{kind}`' for kind in forgotten)}, which is "
                "not there any more: what it remembered is dropped.",
                stacklevel=6,
            )


class _Keeping:
    """A listener that lets the loop pause where the run is to be kept."""

    def __init__(self, run: KeptRun, listener: Listener) -> None:
        self._run = run
        self._listener = listener
        self._told = -1
        self.needs_each_step = listener.needs_each_step
        self.shows_progress = listener.shows_progress

    def longest_chunk(self) -> int | None:
        """Return how many steps may be made at once."""
        return max(self._run.steps_left(), 1)

    def on_step_begin(self, step: int) -> None:
        """Hand on."""
        self._told = step - 1
        self._listener.on_step_begin(step)

    def on_step_end(self, step: int, logs: Any) -> bool:
        """Hand on, then keep the run if it is time."""
        stop = self._listener.on_step_end(step, logs)
        self._run.stepped(step - self._told, step)
        return stop


def kept_run(
    model: Any,
    resume: Any,
    listeners: CallbackList,
    source: Source,
    validation: Source | None,
    sums: PyTree,
) -> UnkeptRun:
    """Return the run of one `fit`, kept if `resume` or a callback says where.

    Raises:
        ValueError: Both say it, or two callbacks.
    """
    asked = [c for c in listeners.callbacks if isinstance(c, BackupAndRestore)]
    if resume is not None:
        asked.append(BackupAndRestore(resume, delete_checkpoint=False))
    if len(asked) > 1:
        raise ValueError(
            "`fit`: the run is to be kept in "
            f"{' and in '.join(repr(str(one.backup_dir)) for one in asked)}: give `resume`, or one "
            "`BackupAndRestore`."
        )
    if not asked:
        return UnkeptRun()
    return KeptRun(model, asked[0], listeners, source, validation, sums)
