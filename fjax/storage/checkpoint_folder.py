"""The folder with the newest checkpoints of one run, locked against other writers."""

import os
import re
import shutil
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from fjax.storage.array_store import ArrayReader, ArrayStore, open_arrays
from fjax.storage.errors import ModelFileError
from fjax.storage.sharded_folder import STATE_NAME, is_sharded_folder
from fjax.storage.versions import format_metadata

Result = TypeVar("Result")

_CHECKPOINT_NAME = re.compile(r"run-(\d{9})\.(fjax|orbax)")
# Temporary files that a killed write leaves behind, and folders that were being deleted.
_TEMPORARY_NAME = re.compile(r"\.run-.*\.part")


class CheckpointFolder:
    """A folder of numbered checkpoints, files or folders, locked while it is open.

    Args:
        path: The folder; it is created if it is missing.
        keep: The number of checkpoints to keep; older ones are deleted.
        store: Writes a checkpoint.
        is_first: Whether this process locks the folder and deletes checkpoints; others that share
            it do not.

    Raises:
        BlockingIOError: Another training, in this or another process, has locked the folder.
        NotADirectoryError: The path is a file.
        OSError: The folder cannot be created or written to, or the platform has no file locks.
    """

    def __init__(self, path: Any, keep: int, store: ArrayStore, is_first: bool = True) -> None:
        # Absolute, because the program may change the current folder while it writes.
        self.path = Path(path).absolute()
        self._keep = keep
        self._store = store
        if self.path.exists() and not self.path.is_dir():
            raise NotADirectoryError(
                f"{str(path)!r} is a file: give the path of a folder for the checkpoints."
            )
        self._lock: int | None = None
        if not is_first:
            return
        self._lock = _lock_folder(self.path)
        for name in os.listdir(path):
            if _TEMPORARY_NAME.fullmatch(name) or self._is_incomplete(name):
                _delete(self.path / name)

    def close(self) -> None:
        """Unlock the folder."""
        if self._lock is not None:
            os.close(self._lock)

    def checkpoints(self) -> list[Path]:
        """Return the complete checkpoints, the newest first."""
        if not self.path.is_dir():
            return []
        names = [name for name in os.listdir(self.path) if _CHECKPOINT_NAME.fullmatch(name)]
        complete = [self.path / name for name in names if not self._is_incomplete(name)]
        return sorted(complete, key=_number_of, reverse=True)

    def start(self, tensors: Mapping[str, Any], document: str) -> Callable[[], None]:
        """Start to write the next checkpoint, and return the function that finishes it.

        The function, which may be called in another thread, also deletes those that are too old.

        Raises:
            OSError: The checkpoint cannot be written.
        """
        older = self.checkpoints()
        number = _number_of(older[0]) + 1 if older else 0
        path = self.path / f"run-{number:09d}.{self._store.extension}"
        metadata = {**format_metadata("run"), "document": document}
        finish = self._store.start(path, tensors, metadata)

        def finish_and_delete() -> None:
            finish()
            if self._lock is None:
                return
            for old in older[self._keep - 1 :]:
                _delete(old)

        return finish_and_delete

    def read_newest(self, read: Callable[[ArrayReader], Result]) -> Result | None:
        """Return what `read` returns for the newest intact checkpoint; None if there is none.

        A damaged checkpoint is reported by a warning, and the one before it is read.

        Raises:
            ModelFileError: All checkpoints are damaged.
        """
        damage: ModelFileError | None = None
        for path in self.checkpoints():
            try:
                with open_arrays(path, "run") as reader:
                    return read(reader)
            except ModelFileError as error:
                damage = error
                warnings.warn(
                    f"{error}. Training resumes from the checkpoint before it.", stacklevel=2
                )
        if damage is not None:
            raise ModelFileError(
                self.path,
                f"all checkpoints in this folder are damaged, the oldest too: {damage}. Delete "
                "them to start the run from the beginning",
            )
        return None

    def delete_files(self) -> None:
        """Delete all checkpoints."""
        for path in self.checkpoints():
            _delete(path)

    def _is_incomplete(self, name: str) -> bool:
        """Tell whether this is a checkpoint whose writing was killed."""
        path = self.path / name
        is_checkpoint = _CHECKPOINT_NAME.fullmatch(name) is not None
        return is_checkpoint and path.is_dir() and not is_sharded_folder(path)


def _delete(path: Path) -> None:
    """Delete a checkpoint, so that at any instant it is complete or incomplete, but not damaged."""
    if path.is_dir():
        (path / STATE_NAME).unlink(missing_ok=True)
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _lock_folder(folder: Path) -> int:
    """Create a folder if needed, and lock it; return the descriptor that holds the lock."""
    try:
        import fcntl
    except ImportError:
        raise OSError(
            f"{str(folder)!r}: a checkpoint folder must be locked against a second training, and "
            "Python has no `fcntl` on this platform: train without `resume` and "
            "`BackupAndRestore`, and save with `ModelCheckpoint`."
        ) from None
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        # The system releases the lock when the process ends, even if it is killed.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise BlockingIOError(
            f"{str(folder)!r}: another training writes its checkpoints to this folder: wait until "
            "it has ended, or give each training its own folder."
        ) from None
    return lock


def _number_of(path: Path) -> int:
    match = _CHECKPOINT_NAME.fullmatch(path.name)
    assert match is not None
    return int(match[1])
