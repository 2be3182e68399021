"""The content of a checkpoint file: train state, progress of `fit`, and states of callbacks."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jaxlib
import numpy as np

from fjax.data.shuffling import FIRST_RULE
from fjax.errors import warn_user
from fjax.storage.array_store import ArrayReader
from fjax.storage.errors import file_error_context
from fjax.storage.packing import pack, unpack
from fjax.storage.run_identity import check_identity
from fjax.storage.tensors import named_leaves
from fjax.storage.train_state import (
    TrainStateShapes,
    describe_mismatches,
    read_train_state,
    train_state_document,
    train_state_tensors,
    weight_tensors,
)
from fjax.storage.versions import upgrade_hint
from fjax.training import TrainState
from fjax.training.placement import Placement
from fjax.version import VERSION

# A resumed run has the same bits only with the same versions of what computes it.
VERSIONS = {
    "fjax": VERSION, "jax": jax.__version__, "jaxlib": jaxlib.__version__, "numpy": np.__version__,
}  # fmt: skip


class Progress(NamedTuple):
    """The progress of `fit`, beyond the train state.

    Attributes:
        epoch: The epoch that comes next or continues, counted from 0.
        logs: The logs of the last finished epoch.
        stopped: Whether a callback has stopped the training.
        batch: The number of finished batches of the epoch; the epoch continues if it is not 0.
    """

    epoch: int
    logs: dict[str, Any]
    stopped: bool = False
    batch: int = 0


class Checkpoint(NamedTuple):
    """The whole state of a run.

    Attributes:
        train_state: The train state; between two epochs without accumulators.
        progress: The progress of `fit`.
        callback_states: For each callback the name of its class and its state.
        first_step: The step at which the run started.
        source_state: Where the data stands; see `fjax.training.batch.Source.state`.
    """

    train_state: TrainState
    progress: Progress
    callback_states: Sequence[tuple[str, Any]]
    first_step: int
    source_state: Mapping[str, Any]


def encode_checkpoint(
    checkpoint: Checkpoint, identity: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arrays of a checkpoint file by name, and its document as plain data.

    Args:
        checkpoint: The state of the run.
        identity: What must not change in a continuation; see `run_identity`.
    """
    train_state = checkpoint.train_state
    memory, arrays = pack(
        {"position": checkpoint.progress._asdict(), "callbacks": checkpoint.callback_states},
        "memory",
    )
    tensors = train_state_tensors(train_state) | arrays
    tensors |= named_leaves("accumulators", train_state.accumulators)
    document = {
        "same": identity,
        "versions": VERSIONS,
        "source": dict(checkpoint.source_state),
        "first_step": checkpoint.first_step,
        **train_state_document(train_state),
        "memory": memory,
    }
    return tensors, document


def read_checkpoint(
    file: ArrayReader,
    folder: Any,
    identity: Mapping[str, Any],
    shapes: TrainStateShapes,
    placement: Placement,
) -> Checkpoint:
    """Read a checkpoint, after comparing it with the current run.

    Args:
        file: The open checkpoint.
        folder: Its folder, for messages.
        identity: The identity of the current run.
        shapes: The shapes of its train state within an epoch, accumulators included.
        placement: The devices for the train state.

    Raises:
        ChangedRunError: The checkpoint is that of another model or of other data.
        ModelFileError: The arrays do not fit, or the document is invalid.
    """
    document = file.read_document()
    hint = upgrade_hint(file.metadata)
    weights = weight_tensors(shapes.params, shapes.state)
    names = {name for name in file.entries if name.startswith(("params.", "state."))}
    different = describe_mismatches(file, weights, names)
    check_identity(folder, document["same"], identity, hint, different)
    _warn_of_changed_versions(folder, document.get("versions", {}))
    with file_error_context(file.path, "its run cannot be restored", hint):
        is_within_epoch = document["position"]["batch"] > 0
        shapes = shapes if is_within_epoch else shapes._replace(accumulators=())
        train_state = read_train_state(file, document, shapes, ("memory.",), placement)
        memory = unpack(document["memory"], file.read)
        return Checkpoint(
            train_state=train_state,
            progress=Progress(**memory["position"]),
            callback_states=memory["callbacks"],
            first_step=document["first_step"],
            # Files of older versions say only how arrays are shuffled.
            source_state=document.get(
                "source", {"order_rule": document.get("order_rule", FIRST_RULE)}
            ),
        )


def _warn_of_changed_versions(folder: Any, saved: Mapping[str, str]) -> None:
    changed = [
        f"{name} was {saved[name]}, is {current}"
        for name, current in VERSIONS.items()
        if saved.get(name, current) != current
    ]
    if changed:
        warn_user(
            f"The checkpoint in {str(folder)!r} was written with other versions "
            f"({', '.join(changed)}): the run resumes, but its last bits may differ from those of "
            "an uninterrupted run."
        )
