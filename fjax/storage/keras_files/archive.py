"""`.keras` files: zip archives of a configuration, weights and vocabularies."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from fjax.storage.errors import ModelFileError, file_error_context
from fjax.storage.hdf5 import Hdf5File, open_hdf5
from fjax.storage.hdf5.file import FREE_BYTES, MAX_EXPANSION
from fjax.storage.regular_file import file_size
from fjax.storage.strict_json import parse_json

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
ASSETS, VOCABULARY = "assets/", "/vocabulary.txt"
MAX_MEMBERS = 10_000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
# The first bytes of a zip archive.
_SIGNATURE = b"PK\x03\x04"


class KerasArchive:
    """An open archive whose members have been checked; none is ever extracted to a folder.

    Args:
        path: The path of the file, for errors.
        file: The open file.
    """

    def __init__(self, path: Any, file: BinaryIO) -> None:
        self.path = path
        self._zip = zipfile.ZipFile(file)
        self._members = self._check_members(file_size(file))

    @property
    def names(self) -> list[str]:
        """The names of the members."""
        return list(self._members)

    def read_json(self, name: str) -> Any:
        """Return the data of a member that is JSON.

        Raises:
            ModelFileError: It is missing, or not strict JSON.
        """
        with file_error_context(self.path, f"its {name!r} cannot be read"):
            return parse_json(self._read(name))

    def read_vocabularies(self) -> dict[str, list[str]]:
        """Return the lines of the vocabularies of layers, by the groups of these."""
        names = [name for name in self.names if name.endswith(VOCABULARY)]
        return {
            name.removeprefix(ASSETS).removesuffix(VOCABULARY): self._read_lines(name)
            for name in names
        }

    def _read_lines(self, name: str) -> list[str]:
        with file_error_context(self.path, f"its {name[-80:]!r} cannot be read"):
            return self._read(name).decode("utf-8").rstrip("\n").split("\n")

    def open_weights(self) -> Hdf5File:
        """Return the weights."""
        with file_error_context(self.path, f"its {WEIGHTS!r} cannot be read"):
            content = self._read(WEIGHTS)
        return open_hdf5(self.path, content)

    def _read(self, name: str) -> bytes:
        if name not in self._members:
            raise ModelFileError(self.path, f"it has no {name!r}")
        size = self._members[name].file_size
        with self._zip.open(self._members[name]) as member:
            # The member may be longer than it declares.
            content = member.read(size)
            if len(content) != size or member.read(1):
                raise ModelFileError(self.path, f"its {name!r} does not have the declared size")
        return content

    def _check_members(self, size: int) -> dict[str, zipfile.ZipInfo]:
        """Return the members by name, after checking their names and sizes."""
        members: dict[str, zipfile.ZipInfo] = {}
        listed = self._zip.infolist()
        if len(listed) > MAX_MEMBERS:
            raise ModelFileError(self.path, f"it has {len(listed)} members")
        for info in listed:
            name, label = info.filename, f"its member {info.filename[:80]!r}"
            if info.orig_filename != name or not _is_expected(name):
                raise ModelFileError(self.path, f"{label} is none of a file of Keras")
            if name in members:
                raise ModelFileError(self.path, f"{label} appears twice")
            if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
                raise ModelFileError(self.path, f"{label} is encrypted, or compressed in a way "
                                     "that is not used by Keras")  # fmt: skip
            members[name] = info
        if sum(info.compress_size for info in listed) > size:
            raise ModelFileError(self.path, "its members overlap")
        total = sum(info.file_size for info in listed)
        if total > FREE_BYTES + MAX_EXPANSION * size:
            raise ModelFileError(
                self.path, f"its members would have {total} bytes, but the file has {size}"
            )
        return members


def is_archive(start: bytes) -> bool:
    """Tell whether a file that starts with these bytes is a zip archive."""
    return start.startswith(_SIGNATURE)


@contextmanager
def open_archive(path: Any, file: BinaryIO) -> Iterator[KerasArchive]:
    """Open a `.keras` file, and check its members.

    Raises:
        ModelFileError: It is damaged, or has a member that is not allowed.
    """
    with file_error_context(path, "it is not a zip archive that can be read"):
        archive = KerasArchive(path, file)
    yield archive


def _is_expected(name: str) -> bool:
    """Tell whether a member belongs to a file of Keras, and its name leads nowhere else."""
    if name in (CONFIG, METADATA, WEIGHTS):
        return True
    parts = name.removesuffix("/").split("/")
    harmless = all(part not in ("", ".", "..") for part in parts)
    return name.startswith(ASSETS) and harmless and "\\" not in name and ":" not in name
