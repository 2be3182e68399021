"""Named arrays in a folder, written by Orbax: each device's part of an array is written by itself.

    state.fjax      the strings, the arrays of the host, and the digests of all other files
    arrays-0/       the arrays of the devices, a checkpoint of Orbax

`state.fjax` is written last, atomically, and names the folder of the arrays. So the path has its
old or its new content at any instant, and nothing is there until all is.

Source: Orbax's documentation, https://orbax.readthedocs.io.
"""

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fjax.errors import import_extra
from fjax.storage.errors import ModelFileError, file_error_context
from fjax.storage.folder_digests import check_digests, list_files, sync_and_digest
from fjax.storage.strict_json import dump_json, parse_json
from fjax.storage.tensors import (
    TensorEntry,
    TensorFile,
    describe_tensors,
    open_tensors,
    parse_entry,
    write_tensors,
)
from fjax.training import TrainState
from fjax.training.placed_shapes import default_sharding
from fjax.training.placement import Placement

STATE_NAME = "state.fjax"
_ARRAYS_NAME = re.compile(r"arrays-(\d{1,9})")
# How long a write may take before it counts as failed.
_TIMEOUT_SECONDS = 24 * 3600


def import_orbax(owner: str) -> Any:
    """Return Orbax, or raise ImportError that says how to install it."""
    return import_extra(owner, "orbax.checkpoint", "orbax-checkpoint", "distributed")


def is_sharded_folder(path: Path) -> bool:
    """Tell whether a path has the complete content that `ShardedStore` has written."""
    return (path / STATE_NAME).is_file()


class ShardedStore:
    """Writes a folder by Orbax, while training continues.

    Args:
        placement: The devices of the arrays.
        owner: What needs Orbax, for the error.

    Raises:
        ImportError: Orbax is not installed.
    """

    extension = "orbax"
    is_joint = True

    def __init__(self, placement: Placement, owner: str) -> None:
        self._placement = placement
        orbax = import_orbax(owner)
        self._save_args = orbax.args.PyTreeSave
        # Weights do not get smaller by compression, and reading takes four times as long.
        handler = orbax.PyTreeCheckpointHandler(use_compression=False)
        self._orbax = orbax.AsyncCheckpointer(handler, timeout_secs=_TIMEOUT_SECONDS)

    def snapshot(self, train_state: TrainState) -> TrainState:
        """Return the train state on its devices; Orbax copies it to the host in `start`."""
        return self._placement.shard(train_state)

    def start(
        self, path: Path, tensors: Mapping[str, Any], metadata: Mapping[str, str]
    ) -> Callable[[], None]:
        """Copy the arrays to the host, and return the function that completes the folder."""
        divided = {name: value for name, value in tensors.items() if _is_on_devices(value)}
        on_host = {name: value for name, value in tensors.items() if name not in divided}
        entries = describe_tensors(divided)
        arrays = path / f"arrays-{_next_number(path)}"
        # Orbax has all processes write their own parts, and waits for them.
        is_first = jax.process_index() == 0

        def finish() -> None:
            try:
                self._orbax.wait_until_finished()
                if not is_first:
                    return
                files = sync_and_digest(arrays, list_files(arrays)) if divided else {}
                table = {"folder": arrays.name, "entries": entries, "files": files}
                strings = {**metadata, "arrays": dump_json(table)}
                write_tensors(path / STATE_NAME, on_host, strings)
                _delete_other_arrays(path, arrays.name)
            except Exception as error:
                raise _write_error(path, error) from error

        try:
            path.mkdir(exist_ok=True)
            if divided:
                self._orbax.save(arrays, args=self._save_args(divided))
        except Exception as error:
            raise _write_error(path, error) from error
        return finish

    def close(self) -> None:
        """Stop Orbax's threads."""
        self._orbax.close()


class ShardedFolder:
    """An open folder of `ShardedStore`; see `ArrayReader`.

    Attributes:
        path: The folder.
        metadata: The strings.
        entries: The arrays by name.
    """

    def __init__(self, path: Any, state: TensorFile, arrays: Path, entries: Mapping[str, Any]):
        self.path = path
        self.metadata = state.metadata
        self.entries: Mapping[str, TensorEntry] = {**state.entries, **entries}
        self._state = state
        self._arrays = arrays

    def read_document(self) -> Any:
        """Return the JSON document, migrated to the current version of the format."""
        return self._state.read_document()

    def read(self, name: str) -> np.ndarray:
        """Return one array on the host, newly allocated."""
        if name in self._state.entries:
            return self._state.read(name)
        entry = self.entries[name]
        spec = jax.ShapeDtypeStruct(entry.shape, entry.dtype)
        return np.array(self._restore({name: spec})[name])

    def read_placed(self, specs: Mapping[str, jax.ShapeDtypeStruct]) -> dict[str, jax.Array]:
        """Return arrays on the devices that their specs name; see `ArrayReader.read_placed`."""
        on_host = {name: spec for name, spec in specs.items() if name in self._state.entries}
        divided = {name: spec for name, spec in specs.items() if name not in on_host}
        arrays = self._state.read_placed(on_host)
        if divided:
            arrays |= self._restore(divided)
        return {name: arrays[name] for name in specs}

    def _restore(self, specs: Mapping[str, jax.ShapeDtypeStruct]) -> dict[str, jax.Array]:
        """Return arrays of Orbax's folder, restored directly to their shardings."""
        orbax = import_orbax("load")
        placed = {
            name: jax.ShapeDtypeStruct(
                spec.shape, spec.dtype, sharding=spec.sharding or default_sharding()
            )
            for name, spec in specs.items()
        }
        arguments = orbax.args.PyTreeRestore(
            item=placed,
            restore_args=orbax.checkpoint_utils.construct_restore_args(placed),
            partial_restore=True,
        )
        with (
            file_error_context(self.path, "its arrays cannot be read"),
            orbax.Checkpointer(orbax.PyTreeCheckpointHandler()) as reader,
        ):
            restored: dict[str, jax.Array] = reader.restore(self._arrays, args=arguments)
            return restored


@contextmanager
def open_sharded_folder(path: Any, *kinds: str) -> Iterator[ShardedFolder]:
    """Open a folder of `ShardedStore`, and check its format, its digests and its arrays.

    Args:
        path: The folder.
        kinds: The accepted kinds, such as "model".

    Raises:
        ModelFileError: It is another folder, is of another kind or format, or is damaged.
        ImportError: Orbax is not installed.
    """
    folder = Path(path)
    if not is_sharded_folder(folder):
        raise ModelFileError(path, f"it is not a checkpoint of fjax: it has no file {STATE_NAME!r}")
    import_orbax(f"load({str(path)!r})")
    with open_tensors(folder / STATE_NAME, *kinds) as state:
        with file_error_context(path, "its table of arrays cannot be read"):
            table = parse_json(state.metadata["arrays"])
            if not _ARRAYS_NAME.fullmatch(table["folder"]):
                raise ModelFileError(path, f"it names the folder {str(table['folder'])[:80]!r}")
            entries = {name: parse_entry(path, name, e) for name, e in table["entries"].items()}
            arrays = folder / table["folder"]
            if entries and (not arrays.is_dir() or arrays.is_symlink()):
                raise ModelFileError(path, f"it is damaged: the folder {arrays.name!r} is missing")
            if entries:
                check_digests(arrays, table["files"])
        if entries:
            _check_stored_arrays(path, arrays, entries)
        yield ShardedFolder(path, state, arrays, entries)


def _check_stored_arrays(path: Any, arrays: Path, entries: Mapping[str, TensorEntry]) -> None:
    """Compare what Orbax finds in its folder with the table of arrays, before it reads any.

    A chunk is read as a whole, so that it must not be larger than its array.
    """
    orbax = import_orbax("load")
    with (
        file_error_context(path, "Orbax cannot read the arrays"),
        orbax.Checkpointer(orbax.PyTreeCheckpointHandler()) as reader,
    ):
        stored = reader.metadata(arrays).item_metadata.tree
    if stored.keys() != entries.keys():
        name = min(stored.keys() ^ entries.keys())
        raise ModelFileError(path, f"only one of Orbax and the table has the array {name[:80]!r}")
    for name, entry in entries.items():
        found = stored[name]
        chunk = found.storage.chunk_shape
        is_bounded = len(chunk) == len(entry.shape) and all(map(int.__le__, chunk, entry.shape))
        if tuple(found.shape) != entry.shape or found.dtype != entry.dtype or not is_bounded:
            raise ModelFileError(
                path,
                f"the array {name[:80]!r} is {found.dtype} {tuple(found.shape)} in chunks of "
                f"{tuple(chunk)}, expected {entry.dtype} {entry.shape}",
            )


def _is_on_devices(value: Any) -> bool:
    """Tell whether an array is one for Orbax, which takes none on one device, or without values."""
    return isinstance(value, jax.Array) and value.size > 0 and len(value.sharding.device_set) > 1


def _next_number(path: Path) -> int:
    return 1 + max((int(match[1]) for match in _array_folders(path)), default=-1)


def _array_folders(path: Path) -> list[re.Match[str]]:
    names = [each.name for each in path.iterdir()] if path.is_dir() else []
    return [match for match in map(_ARRAYS_NAME.match, names) if match is not None]


def _delete_other_arrays(path: Path, kept: str) -> None:
    """Delete the arrays that were replaced, and what killed writes have left."""
    for match in _array_folders(path):
        if match.string != kept:
            shutil.rmtree(path / match.string, ignore_errors=True)


def _write_error(path: Path, error: Exception) -> OSError:
    return OSError(f"{str(path)!r} was not written: {type(error).__name__}: {str(error)[:500]}")
