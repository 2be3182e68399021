"""The sizes and digests of the files in a folder, which show whether one has changed."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from fjax.storage.atomic import sync_folder
from fjax.storage.errors import ModelFileError
from fjax.storage.regular_file import file_size, open_regular_file

_READ_BYTES = 1 << 20
# More files than any checkpoint has; it bounds the time that a foreign folder takes.
MAX_FILES = 1_000_000


class FileDigest(NamedTuple):
    """The number of bytes of a file, and their SHA-256 digest in hexadecimal digits."""

    size: int
    sha256: str


def list_files(folder: Path) -> list[str]:
    """Return the paths of all files within a folder, relative to it, in order.

    Raises:
        ModelFileError: Something in it is not a regular file or a folder, such as a link.
    """
    names: list[str] = []
    pending = [folder]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    names.append(Path(entry.path).relative_to(folder).as_posix())
                else:
                    raise ModelFileError(folder, f"{entry.name[:80]!r} is a link or a device")
        if len(names) > MAX_FILES:
            raise ModelFileError(folder, f"it has more than {MAX_FILES} files")
    return sorted(names)


def sync_and_digest(folder: Path, names: Iterable[str]) -> dict[str, FileDigest]:
    """Sync files to the disk, with the folders that contain them, and return their digests.

    Args:
        folder: The folder.
        names: The files, relative to it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a").write_bytes(b"one")
    ...     sync_and_digest(Path(folder), ["a"])["a"].size
    3
    """
    names = list(names)
    digests = {name: _digest(folder / name, sync=True) for name in names}
    for parent in {part for name in names for part in (folder / name).relative_to(folder).parents}:
        sync_folder(folder / parent)
    return digests


def check_digests(folder: Path, expected: Mapping[str, Any]) -> None:
    """Compare the files of a folder with their digests.

    Args:
        folder: The folder.
        expected: For each file its size and its digest.

    Raises:
        ModelFileError: A file is missing, has been added, or has changed.
    """
    names = set(list_files(folder))
    missing, added = sorted(expected.keys() - names), sorted(names - expected.keys())
    if missing or added:
        problem = f"misses the file {missing[0]!r}" if missing else f"has another file {added[0]!r}"
        raise ModelFileError(folder, f"it is damaged: it {problem[:200]}")
    for name, (size, sha256) in expected.items():
        if (folder / name).stat().st_size != size or _digest(folder / name) != (size, sha256):
            raise ModelFileError(
                folder / name, "it is damaged: its bytes do not match the digest of the checkpoint"
            )


def _digest(path: Path, sync: bool = False) -> FileDigest:
    digest = hashlib.sha256()
    with open_regular_file(path) as file:
        if sync:
            os.fsync(file.fileno())
        while chunk := file.read(_READ_BYTES):
            digest.update(chunk)
        return FileDigest(file_size(file), digest.hexdigest())
