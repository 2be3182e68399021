"""The checkpoints of one `fit`: pass the parts of a model to `fjax.storage.checkpoints`."""

from typing import Any

from fjax.callbacks import BackupAndRestore, CallbackList
from fjax.models.file_content import (
    describe_architecture,
    describe_compile_args,
    expected_train_state,
)
from fjax.storage.array_store import ArrayStore, FileStore
from fjax.storage.checkpoints import CheckpointOptions, Checkpoints, NoCheckpoints, RunCheckpoints
from fjax.storage.run_identity import run_identity
from fjax.storage.sharded_folder import ShardedStore
from fjax.storage.strict_json import dump_json, parse_json
from fjax.storage.train_state import divides_arrays, weight_tensors
from fjax.training import Source
from fjax.typing import PyTree


def run_checkpoints(
    model: Any,
    resume: Any,
    callbacks: CallbackList,
    source: Source,
    validation: Source | None,
    accumulators: PyTree,
) -> Checkpoints:
    """Return the checkpoints of one `fit`, which are written if `resume` or a callback requests it.

    Args:
        model: The model, built and compiled.
        resume: The argument of `fit`: a folder, or None.
        callbacks: The callbacks of the run.
        source: The training data.
        validation: The validation data.
        accumulators: The empty accumulators of an epoch.

    Raises:
        ValueError: Checkpoints are requested both by `resume` and a callback, or by two callbacks.
    """
    backup = _requested_backup(resume, callbacks)
    if backup is None:
        return NoCheckpoints()
    validation_data = None if validation is None else validation.fingerprint()
    placement = model.model_parts.placement
    shapes = expected_train_state(model)._replace(accumulators=accumulators)
    store: ArrayStore = FileStore(placement)
    if divides_arrays(shapes, placement):
        store = ShardedStore(placement, "Checkpoints of weights that several devices divide")
    return RunCheckpoints(
        options=CheckpointOptions(
            backup.backup_dir, backup.save_freq, backup.keep, backup.delete_checkpoint
        ),
        identity=run_identity(model_identity(model), source.fingerprint(), validation_data),
        shapes=shapes,
        callbacks=[
            callback
            for callback in [*callbacks.callbacks, *callbacks.inactive]
            if callback is not backup
        ],
        source=source,
        first_step=int(model.train_state.step),
        placement=placement,
        store=store,
    )


def _requested_backup(resume: Any, callbacks: CallbackList) -> BackupAndRestore | None:
    requested = [each for each in callbacks.callbacks if isinstance(each, BackupAndRestore)]
    if resume is not None:
        requested.append(BackupAndRestore(resume, delete_checkpoint=False))
    if len(requested) > 1:
        folders = " and in ".join(repr(str(backup.backup_dir)) for backup in requested)
        raise ValueError(
            f"`fit`: checkpoints would be written in {folders}: give either `resume` or one "
            "`BackupAndRestore`."
        )
    return requested[0] if requested else None


def model_identity(model: Any) -> Any:
    """Return the architecture and the compile arguments as plain data.

    If something in them has no name, the shapes of the weights are returned instead.
    """
    try:
        identity = {**describe_architecture(model), "compile": describe_compile_args(model)}
    except TypeError:
        shapes = model.layer_shapes
        weights = weight_tensors(shapes.params, shapes.state)
        identity = {name: f"{spec.dtype} {tuple(spec.shape)}" for name, spec in weights.items()}
    return parse_json(dump_json(identity))
