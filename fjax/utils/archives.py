"""Extract tar and zip archives; nothing is written outside of the folder."""

import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

from fjax.errors import one_of

_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    # Encrypted, or compressed by an unknown method.
    RuntimeError,
)


class Member(NamedTuple):
    """A file or folder in an archive.

    Attributes:
        name: Its path within the archive.
        size: Its size in bytes.
        kind: "file", "folder" or "other", such as a link.
        open: Returns its content as an open file.
    """

    name: str
    size: int
    kind: str
    open: Callable[[], IO[bytes] | None]


def extract_archive(
    owner: str, path: Path, folder: Path, archive_format: str | None, limit: int
) -> None:
    """Extract an archive; existing files of the same names are replaced.

    All members are checked before the first one is written.

    Args:
        owner: The function that was called, for errors.
        path: The archive.
        folder: Where to write its files.
        archive_format: "tar" (also compressed), "zip" or "auto".
        limit: The largest size in bytes of its files together.

    Raises:
        ValueError: The file is no such archive, is damaged, or has a member that would be written
            outside of the folder, is a link or a device, or
            its files are too large.
    """
    one_of(owner, "archive_format", archive_format, ["auto", "tar", "zip"])
    try:
        if archive_format in ("auto", "tar") and tarfile.is_tarfile(path):
            with tarfile.open(path) as tar:
                _extract(owner, path, folder, _tar_members(tar, limit), limit)
        elif archive_format in ("auto", "zip") and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as zipped:
                members = (_zip_member(zipped, info) for info in zipped.infolist())
                _extract(owner, path, folder, members, limit)
        else:
            expected = "tar or zip" if archive_format == "auto" else archive_format
            raise ValueError(f"`{owner}`: {path} is not a {expected} archive.")
    except _DAMAGED as error:
        raise ValueError(f"`{owner}`: the archive {path} is damaged: {error}.") from error


def _tar_members(tar: tarfile.TarFile, limit: int) -> Iterator[Member]:
    for info in tar:
        yield _tar_member(tar, info)
    # The checksum of a compressed archive is at its end.
    assert tar.fileobj is not None, "the archive is open"
    size = 0
    try:
        while chunk := tar.fileobj.read(2**20):
            size += len(chunk)
            if size > limit:
                raise tarfile.ReadError(f"more than {limit} bytes follow its files")
    except OSError as error:
        raise tarfile.ReadError(str(error)) from error


def _tar_member(tar: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    kind = "file" if info.isreg() else "folder" if info.isdir() else "other"
    return Member(info.name, info.size, kind, lambda: tar.extractfile(info))


def _zip_member(zipped: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    mode = info.external_attr >> 16
    is_other = stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR)
    kind = "folder" if info.is_dir() else "other" if is_other else "file"
    return Member(info.filename, info.file_size, kind, lambda: zipped.open(info))


def _extract(owner: str, path: Path, folder: Path, members: Iterable[Member], limit: int) -> None:
    checked, size = [], 0
    for member in members:
        size += member.size
        if size > limit:
            raise ValueError(
                f"`{owner}`: the files in the archive {path} have {size} bytes or more, and at "
                f"most {limit} are accepted: give a larger `max_size`, or free the disk."
            )
        checked.append((member, _target(owner, path, folder, member)))
    folder.mkdir(parents=True, exist_ok=True)
    for member, target in checked:
        if member.kind == "folder":
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        content = member.open()
        assert content is not None, "a regular file has content"
        with content, open(target, "wb") as file:
            shutil.copyfileobj(content, file)


def _target(owner: str, path: Path, folder: Path, member: Member) -> Path:
    """Return the path to write a member to, or raise if it is not in the folder."""
    inside = os.path.realpath(folder)
    # A backslash is a separator on one system and a letter on others.
    name = member.name.replace("\\", "/")
    target = os.path.realpath(os.path.join(inside, name))
    if "\0" in name or os.path.commonpath([inside, target]) != inside:
        raise ValueError(
            f"`{owner}`: the archive {path} is refused: its member {member.name!r} would be "
            "written outside of the folder. Nothing was extracted."
        )
    if member.kind == "other":
        raise ValueError(
            f"`{owner}`: the archive {path} is refused: its member {member.name!r} is a link or a "
            "device. Nothing was extracted."
        )
    return Path(target)
