"""Atomic writes: a file has either its old content or its new content, never a part of it."""

import os
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

Chunks = Iterable[bytes | memoryview]


def write_atomically(path: Any, make_chunks: Callable[[], Chunks]) -> None:
    """Write a file so that every reader sees the old file or the complete new one.

    The content goes to a temporary file in the same folder, which is synced to the disk and then
    renamed. Afterwards the folder is synced. A file that is replaced keeps its permissions.

    Args:
        path: The file to write. If it is a symbolic link, the file it points to is replaced.
        make_chunks: Returns the content in pieces, in order.

    Raises:
        OSError: The disk is full, or the folder is missing or not writable. The old file is
            unchanged then, and no temporary file is left.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(f"{folder}/a", lambda: [b"one", b"two"])
    ...     Path(folder, "a").read_bytes(), os.listdir(folder)
    (b'onetwo', ['a'])
    """
    target = Path(os.path.realpath(path))
    descriptor, temporary = _open_temporary_file(target)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for chunk in make_chunks():
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def _open_temporary_file(target: Path) -> tuple[int, Path]:
    """Create a temporary file beside the target; return its descriptor and its path.

    `tempfile` would make it readable by the owner alone. Here the system applies the umask of the
    process, as for any other file. (Reading the umask would mean changing it for all threads.)
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    old_mode = target.stat().st_mode & 0o777 if target.exists() else None
    while True:
        path = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
        with suppress(FileExistsError):
            descriptor = os.open(path, flags, 0o666 if old_mode is None else old_mode)
            break
    if old_mode is not None:
        os.chmod(path, old_mode)
    return descriptor, path


def sync_folder(folder: Path) -> None:
    """Sync the names of the files in a folder to the disk."""
    if not hasattr(os, "O_DIRECTORY"):
        # Windows cannot open folders, and writes a rename to the disk by itself.
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
