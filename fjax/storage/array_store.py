"""How named arrays are written to a path and read from it: as one file, or as a folder.

A *store* writes the arrays and the strings of a checkpoint or a model; a *reader* reads them. The
rest of `storage` knows only these two protocols.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import jax
import numpy as np

from fjax.storage.sharded_folder import ShardedStore, open_sharded_folder
from fjax.storage.tensors import TensorEntry, open_tensors, write_tensors
from fjax.training import TrainState
from fjax.training.placement import DEFAULT, Placement


class ArrayReader(Protocol):
    """Named arrays at a path, whose digests have been checked.

    Attributes:
        path: The path.
        metadata: The strings that were written with the arrays.
        entries: The shape and the dtype of each array by name.
    """

    path: Any
    metadata: Mapping[str, str]
    entries: Mapping[str, TensorEntry]

    def read_document(self) -> Any:
        """Return the JSON document, migrated to the current version of the format.

        Raises:
            ModelFileError: The document cannot be read.
        """
        ...

    def read(self, name: str) -> np.ndarray:
        """Return one array on the host, newly allocated.

        Raises:
            ModelFileError: It cannot be read.
        """
        ...

    def read_placed(self, specs: Mapping[str, jax.ShapeDtypeStruct]) -> dict[str, jax.Array]:
        """Return arrays on devices, where each device gets only its own part of an array.

        Args:
            specs: For each name the shape and dtype, which must be those of the entry, and the
                sharding; without one, the array goes to the default device.

        Raises:
            ModelFileError: They cannot be read.
        """
        ...


class ArrayStore(Protocol):
    """A way to write named arrays.

    Attributes:
        extension: The extension of the paths that it writes.
        is_joint: Whether all processes that share a mesh write, each its own part; if not, the
            first one writes.
    """

    extension: str
    is_joint: bool

    def snapshot(self, train_state: TrainState) -> TrainState:
        """Return the train state as `start` takes it, so that training may continue after it."""
        ...

    def start(
        self, path: Path, tensors: Mapping[str, Any], metadata: Mapping[str, str]
    ) -> Callable[[], None]:
        """Start to write, and return the function that finishes it, in any thread.

        When `start` returns, the arrays of the snapshot may be donated. Until the returned function
        has returned, readers find what was at the path before.

        Raises:
            OSError: `start`, or the returned function, cannot write to the path.
        """
        ...

    def close(self) -> None:
        """Release the resources; `start` is not called again."""
        ...


class FileStore:
    """Writes one file; an array that is divided among devices is gathered on the host.

    Args:
        placement: The devices of the arrays.
    """

    extension = "fjax"
    is_joint = False

    def __init__(self, placement: Placement = DEFAULT) -> None:
        self._placement = placement

    def snapshot(self, train_state: TrainState) -> TrainState:
        """Return a copy, because the next step donates the arrays."""
        copied: TrainState = self._placement.copies(train_state)
        return copied

    def start(
        self, path: Path, tensors: Mapping[str, Any], metadata: Mapping[str, str]
    ) -> Callable[[], None]:
        """Return the function that writes the file."""
        return lambda: write_tensors(path, tensors, metadata)

    def close(self) -> None:
        """Do nothing."""


def store_for_path(path: Any, placement: Placement) -> ArrayStore:
    """Return the store for a model that is saved: a folder of Orbax for the extension ".orbax".

    Raises:
        ImportError: The extension is ".orbax", and Orbax is not installed.
    """
    if Path(path).suffix == f".{ShardedStore.extension}":
        return ShardedStore(placement, f"save({str(path)!r})")
    return FileStore(placement)


@contextmanager
def open_arrays(path: Any, *kinds: str) -> Iterator[ArrayReader]:
    """Open what a store has written, and check its format and its digests.

    Args:
        path: A file, or a folder of `ShardedStore`.
        kinds: The accepted kinds, such as "model".

    Raises:
        ModelFileError: It is of another kind or format, is damaged, or was written by a newer
            release in a newer format.
        ImportError: It is a folder, and Orbax is not installed.
    """
    opened = open_sharded_folder if Path(path).is_dir() else open_tensors
    with opened(path, *kinds) as reader:
        yield reader
