"""The runs of a folder: which files belong to a run, opened without following links."""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from fjax.dashboard.checkpoints import CHECKPOINT_NAME, is_locked, read_checkpoint_curves
from fjax.dashboard.csv_file import read_csv
from fjax.dashboard.events import EVENT_FILE, read_events
from fjax.dashboard.result import RESULT_NAME, read_result
from fjax.dashboard.run import Run

# Of larger trees only this many files are looked at, so that a wrong folder does not take minutes.
MAX_FILES = 20_000


class Listing(NamedTuple):
    """The runs of a folder, and sentences about what was left out."""

    runs: list[Run]
    notes: list[str]


class File(NamedTuple):
    """A regular file: its name in its folder, its size and when it changed."""

    name: str
    size: int
    changed: int


class Folder(NamedTuple):
    """An open folder: its path within the dashboard's folder, its descriptor and its files."""

    path: str
    descriptor: int
    files: list[File]

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open a file of the folder; a link or pipe that has taken its place is an error."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(name, flags, dir_fd=self.descriptor)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(0, "it is not a regular file")
            yield file

    def join(self, name: str) -> str:
        """Return the path of an entry within the dashboard's folder."""
        return f"{self.path}/{name}" if self.path else name


def find_runs(top: Path, known: Mapping[tuple[str, str], Run]) -> Listing:
    """Return the runs of a folder and of all folders within it, by name.

    Args:
        top: The folder.
        known: The runs of the last call, by kind and name; those whose files have not changed are
            not read again.

    Raises:
        OSError: The folder cannot be read.
    """
    runs: list[Run] = []
    notes: list[str] = []
    links = 0
    left = MAX_FILES
    os.listdir(top)  # The error of a folder that cannot be read; `fwalk` would pass over it.

    def note_unreadable(error: OSError) -> None:
        notes.append(f"A folder cannot be read: {error.filename}: {error.strerror}.")

    for path, folders, names, descriptor in os.fwalk(top, onerror=note_unreadable):
        folders.sort()
        inside = os.path.relpath(path, top)
        files, linked = _regular_files(names + folders, descriptor)
        links += linked
        folder = Folder("" if inside == "." else inside, descriptor, files)
        runs += _runs_of(folder, known)
        left -= len(names)
        if left < 0:
            notes.append(f"Only the first {MAX_FILES} files were looked at: give a smaller folder.")
            break
    if links:
        are = "links were" if links > 1 else "link was"
        notes.append(f"{links} {are} not followed: the page shows only what is in the folder.")
    return Listing(sorted(runs, key=lambda run: run.name), notes)


def _regular_files(names: list[str], descriptor: int) -> tuple[list[File], int]:
    """Return the regular files among some entries, and how many entries are links."""
    files, links = [], 0
    for name in sorted(names):
        try:
            status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        except FileNotFoundError:  # Deleted since the folder was listed, as old checkpoints are.
            continue
        links += stat.S_ISLNK(status.st_mode)
        if stat.S_ISREG(status.st_mode):
            files.append(File(name, status.st_size, status.st_mtime_ns))
    return files, links


def _runs_of(folder: Folder, known: Mapping[tuple[str, str], Run]) -> list[Run]:
    """Return the runs whose files are directly in a folder."""
    files = folder.files
    checkpoints = [file for file in files if CHECKPOINT_NAME.fullmatch(file.name)]
    has_lock = any(file.name == ".lock" for file in files)
    groups: list[tuple[str, str, list[File]]] = [
        (folder.join(file.name), "CSV", [file]) for file in files if file.name.endswith(".csv")
    ]
    if checkpoints or has_lock:
        groups.append((folder.path or ".", "checkpoints", checkpoints))
    events = [file for file in files if EVENT_FILE.search(file.name)]
    if events:
        groups.append((folder.path or ".", "TensorBoard", events))
    results = [file for file in files if file.name == RESULT_NAME]
    if results:
        groups.append((folder.path or ".", "result", results))
    return [_run(folder, name, kind, group, known) for name, kind, group in groups]


def _run(
    folder: Folder, name: str, kind: str, files: list[File], known: Mapping[tuple[str, str], Run]
) -> Run:
    stamp = (kind, *files)
    before = known.get((kind, name))
    if before is not None and before.stamp == stamp:
        run = before
    else:
        modified = max((file.changed for file in files), default=0) / 1e9
        run = Run(name, kind, stamp, modified)
        try:
            _READERS[kind](folder, files, run)
        except OSError as error:
            run.problem = f"It cannot be read: {error.strerror}."
        except ValueError as error:
            run.problem = str(error)
    if kind == "checkpoints":
        run.is_written = is_locked(folder.descriptor)
    return run


def _read_csv(folder: Folder, files: list[File], run: Run) -> None:
    with folder.open(files[0].name) as file:
        read_csv(file, run)


def _read_result(folder: Folder, files: list[File], run: Run) -> None:
    with folder.open(files[0].name) as file:
        read_result(file, run)


def _read_checkpoints(folder: Folder, files: list[File], run: Run) -> None:
    """Read the newest checkpoint that can be read."""
    run.problem = "It has no checkpoint yet: the first one follows the first epoch."
    for file in reversed(files):
        try:
            with folder.open(file.name) as opened:
                read_checkpoint_curves(opened, file.name, run)
            return
        except FileNotFoundError:
            # A newer checkpoint has replaced it since the folder was listed.
            continue
        except ValueError as error:
            run.problem = str(error)


def _read_events(folder: Folder, files: list[File], run: Run) -> None:
    for file in files:
        with folder.open(file.name) as opened:
            read_events(opened, run)


_READERS: dict[str, Any] = {
    "CSV": _read_csv,
    "checkpoints": _read_checkpoints,
    "TensorBoard": _read_events,
    "result": _read_result,
}
