"""Files that are there whole or not at all."""

import os
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
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

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(f"{folder}/a", lambda: [b"one", b"two"])
    ...     Path(folder, "a").read_bytes(), os.listdir(folder)
    (b'onetwo', ['a'])
    """
    # Of a link what it points to is replaced, as by a plain write.
    place = Path(os.path.realpath(path))
    number, name = _open_part(place)
    try:
        with os.fdopen(number, "wb") as file:
            for part in parts():
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, place)
    except BaseException:
        name.unlink(missing_ok=True)
        raise
    _sync_folder(place.parent)


def _open_part(place: Path) -> tuple[int, Path]:
    """Open a new temporary file beside a place; return its descriptor and its path.

    `tempfile` would let the owner alone read it: here the system applies the process's umask, as to
    any file. (To ask for the umask is to set it for a moment, for all threads.)
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    before = place.stat().st_mode & 0o777 if place.exists() else None
    while True:
        path = place.with_name(f".{place.name}.{secrets.token_hex(8)}.part")
        with suppress(FileExistsError):
            number = os.open(path, flags, 0o666 if before is None else before)
            break
    if before is not None:
        os.chmod(path, before)
    return number, path


def _sync_folder(folder: Path) -> None:
    if not hasattr(os, "O_DIRECTORY"):
        # Windows opens no folders, and writes renames through by itself.
        return
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
