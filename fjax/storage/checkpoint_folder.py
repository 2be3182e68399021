"""The folder with the newest checkpoints of one run, locked against other writers."""

import os
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from fjax.storage.errors import ModelFileError
from fjax.storage.tensors import TensorFile, open_tensors, write_tensors
from fjax.storage.versions import format_metadata

Result = TypeVar("Result")

_CHECKPOINT_NAME = re.compile(r"run-(\d{9})\.fjax")
# Temporary files that a killed write leaves behind.
_TEMPORARY_NAME = re.compile(r"\.run-.*\.part")


class CheckpointFolder:
    """A folder of numbered checkpoint files, locked while it is open.

    Args:
        path: The folder; it is created if it is missing.
        keep: The number of checkpoints to keep; older ones are deleted.
        writes: Whether this process writes; one that only reads does not lock the folder.

    Raises:
        BlockingIOError: Another training, in this or another process, has locked the folder.
        NotADirectoryError: The path is a file.
        OSError: The folder cannot be created or written to, or the platform has no file locks.
    """

    def __init__(self, path: Any, keep: int, writes: bool = True) -> None:
        self.path = Path(path)
        self._keep = keep
        if self.path.exists() and not self.path.is_dir():
            raise NotADirectoryError(
                f"{str(path)!r} is a file: give the path of a folder for the checkpoints."
            )
        self._lock: int | None = None
        if not writes:
            return
        self._lock = _lock_folder(self.path)
        for name in os.listdir(path):
            if _TEMPORARY_NAME.fullmatch(name):
                (self.path / name).unlink(missing_ok=True)

    def close(self) -> None:
        """Unlock the folder."""
        if self._lock is not None:
            os.close(self._lock)

    def files(self) -> list[Path]:
        """Return the checkpoint files, the newest first."""
        if not self.path.is_dir():
            return []
        names = (path for path in self.path.iterdir() if _CHECKPOINT_NAME.fullmatch(path.name))
        return sorted(names, reverse=True)

    def write(self, tensors: Mapping[str, Any], document: str) -> None:
        """Write the next checkpoint, and delete those that are too old."""
        files = self.files()
        number = _number_of(files[0]) + 1 if files else 0
        path = self.path / f"run-{number:09d}.fjax"
        write_tensors(path, tensors, {**format_metadata("run"), "document": document})
        for old in files[self._keep - 1 :]:
            old.unlink(missing_ok=True)

    def read_newest(self, read: Callable[[TensorFile], Result]) -> Result | None:
        """Return what `read` returns for the newest intact checkpoint; None if there is none.

        A damaged checkpoint is reported by a warning, and the one before it is read.

        Raises:
            ModelFileError: All checkpoints are damaged.
        """
        damage: ModelFileError | None = None
        for path in self.files():
            try:
                with open_tensors(path, "run") as file:
                    return read(file)
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
        for path in self.files():
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
