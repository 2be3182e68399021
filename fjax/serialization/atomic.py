"""Files that are there whole or not at all."""

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

Parts = Iterable[bytes | memoryview]


def write_whole(path: Any, parts: Callable[[], Parts]) -> None:
    """Put a file into its place in one instant: whoever looks finds the old one or the new one.

    The parts go to a temporary file in the same folder, which is forced to the disk and renamed;
    then the folder is forced to the disk, too. A file that was there keeps its permissions.

    Args:
        path: Where the file is to be.
        parts: Makes the file's parts, in order.

    Raises:
        OSError: The disk is full, the folder is not there or may not be written to; what was there
            before is untouched, and no temporary file is left.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(f"{folder}/a", lambda: [b"one", b"two"])
    ...     Path(folder, "a").read_bytes(), os.listdir(folder)
    (b'onetwo', ['a'])
    """
    # Of a link what it points to is replaced, as by a plain write.
    place = Path(os.path.realpath(path))
    number, name = tempfile.mkstemp(prefix=f".{place.name}.", suffix=".part", dir=place.parent)
    try:
        with os.fdopen(number, "wb") as file:
            for part in parts():
                file.write(part)
            file.flush()
            os.fchmod(file.fileno(), _mode(place))
            os.fsync(file.fileno())
        os.replace(name, place)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(place.parent)


def _mode(place: Path) -> int:
    if place.exists():
        return place.stat().st_mode & 0o777
    # `mkstemp` lets the owner alone read: a model is as open as any file of this process.
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(number)
    finally:
        os.close(number)
