"""A folder in which one run is kept: its newest files, one writer, and what is left of a kill."""

import os
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from fjax.storage.errors import ModelFileError
from fjax.storage.tensors import TensorFile, open_tensors, write_tensors
from fjax.storage.versions import stamp

Result = TypeVar("Result")

_NAME = re.compile(r"run-(\d{9})\.fjax")
# What a kill leaves of a file that was being written.
_PART = re.compile(r"\.run-.*\.part")


class RunFolder:
    """A folder of run files, which nobody else writes to while it is open.

    Args:
        path: The folder; it is made if it is not there.
        keep: How many of the newest files stay.

    Raises:
        BlockingIOError: Another process, or another training in this one, keeps its run there.
        NotADirectoryError: There is a file of this name.
        OSError: The folder cannot be made or written to, or the platform has no file locks.
    """

    def __init__(self, path: Any, keep: int) -> None:
        self.path = Path(path)
        self._keep = keep
        if self.path.exists() and not self.path.is_dir():
            raise NotADirectoryError(
                f"{str(path)!r} is a file: name a folder of its own to keep the run in."
            )
        self._lock = _locked(self.path)
        for name in os.listdir(path):
            if _PART.fullmatch(name):
                (self.path / name).unlink(missing_ok=True)

    def close(self) -> None:
        """Let others write to the folder."""
        os.close(self._lock)

    def files(self) -> list[Path]:
        """Return the run files, the newest first."""
        return sorted((p for p in self.path.iterdir() if _NAME.fullmatch(p.name)), reverse=True)

    def write(self, tensors: Mapping[str, Any], document: str) -> None:
        """Write the next file, and remove those that are too old."""
        files = self.files()
        number = 0 if not files else _number(files[0]) + 1
        path = self.path / f"run-{number:09d}.fjax"
        write_tensors(path, tensors, {**stamp("run"), "document": document})
        for old in files[self._keep - 1 :]:
            old.unlink(missing_ok=True)

    def newest(self, read: Callable[[TensorFile], Result]) -> Result | None:
        """Return what is read from the newest file that is whole; None if there is no file.

        A damaged one is told by a warning, and the one before it is read.

        Raises:
            ModelFileError: All files are damaged.
        """
        damaged: ModelFileError | None = None
        for path in self.files():
            try:
                with open_tensors(path, "run") as file:
                    return read(file)
            except ModelFileError as error:
                damaged = error
                warnings.warn(f"{error}. The run goes on from the file before.", stacklevel=2)
        if damaged is not None:
            raise ModelFileError(
                self.path,
                f"all run files in this folder are damaged, the oldest too: {damaged}. Remove them "
                "to begin the run anew",
            )
        return None

    def remove(self) -> None:
        """Remove all run files."""
        for path in self.files():
            path.unlink(missing_ok=True)


def _locked(folder: Path) -> int:
    """Make a folder and lock it; return the open descriptor that has the lock."""
    try:
        import fcntl
    except ImportError:
        raise OSError(
            f"{str(folder)!r}: to keep a run, its folder must be locked against a second training, "
            "and Python has no `fcntl` on this platform: train without `resume` and "
            "`BackupAndRestore`, and save by `ModelCheckpoint`."
        ) from None
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        # The system lets go of it when the process ends, however it ends.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise BlockingIOError(
            f"{str(folder)!r}: another training keeps its run in this folder: wait until it has "
            "ended, or give each its own folder."
        ) from None
    return lock


def _number(path: Path) -> int:
    found = _NAME.fullmatch(path.name)
    assert found is not None
    return int(found[1])
