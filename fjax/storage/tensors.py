"""Arrays in one file, in safetensors' format, with a digest over every byte.

The file is the length of a header in 8 bytes, the header in JSON, and the arrays' bytes one after
the other. The header's `__metadata__` has our document, and the SHA-256 of the whole file in which
the digits of the digest itself are zeros. Any reader of safetensors can open it.

Source: the format's page, https://huggingface.co/docs/safetensors.
"""

import hashlib
import math
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple

import jax
import ml_dtypes
import numpy as np

from fjax.storage.atomic import write_whole
from fjax.storage.errors import ModelFileError, file_error_context
from fjax.storage.strict_json import dumped, parsed
from fjax.storage.versions import check_stamp, migrated

# The names of number types in the file.
DTYPES = {
    "BOOL": np.dtype("bool"),
    "U8": np.dtype("uint8"),
    "I8": np.dtype("int8"),
    "U16": np.dtype("uint16"),
    "I16": np.dtype("int16"),
    "F16": np.dtype("float16"),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "U32": np.dtype("uint32"),
    "I32": np.dtype("int32"),
    "F32": np.dtype("float32"),
    "U64": np.dtype("uint64"),
    "I64": np.dtype("int64"),
    "F64": np.dtype("float64"),
}
_NAMES = {dtype: name for name, dtype in DTYPES.items()}

LONGEST_HEADER = 100_000_000
_DIGITS = 64
_CHUNK = 1 << 20


class Entry(NamedTuple):
    """One array of a file: its type and shape, and where its bytes begin and end in the data."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    end: int


class TensorFile:
    """An open file of arrays whose header and digest were checked.

    Attributes:
        path: The file's name.
        metadata: The strings of the header, without the digest.
        entries: What arrays there are, by name, in the order of their bytes.
        version: The version of its format.
    """

    def __init__(
        self,
        path: Any,
        file: BinaryIO,
        metadata: Mapping[str, str],
        entries: Mapping[str, Entry],
        version: int,
    ) -> None:
        self.path = path
        self.metadata = metadata
        self.entries = entries
        self.version = version
        self._file = file
        self._data = file.tell()

    def document(self) -> Any:
        """Return the file's JSON document, in today's meaning.

        Raises:
            ModelFileError: It cannot be read.
        """
        with file_error_context(self.path, "its document cannot be read"):
            return migrated(parsed(self.metadata["document"]), self.version)

    def read(self, name: str) -> np.ndarray:
        """Return one array, which nobody else holds.

        Raises:
            ModelFileError: The file was cut short meanwhile.
        """
        entry = self.entries[name]
        array = np.empty(entry.shape, entry.dtype)
        self._file.seek(self._data + entry.begin)
        if self._file.readinto(array.reshape(-1).view(np.uint8)) != array.nbytes:  # type: ignore[attr-defined]
            raise ModelFileError(self.path, f"the file ended within the array {name!r}")
        return array


def write_tensors(path: Any, tensors: Mapping[str, Any], metadata: Mapping[str, str]) -> None:
    """Write arrays and strings into one file, whole or not at all.

    Args:
        path: The file, whatever its name ends in.
        tensors: Arrays by name.
        metadata: Strings by name, for the header.

    Raises:
        TypeError: An array has a number type that the format does not know.
        OSError: The file cannot be written; see `write_whole`.
    """
    # Wide numbers first, so that every array begins at a multiple of its number's width.
    tensors = dict(sorted(tensors.items(), key=lambda item: (-item[1].dtype.itemsize, item[0])))
    zeros = "0" * _DIGITS
    header: dict[str, Any] = {"__metadata__": {**metadata, "digest": zeros}}
    end = 0
    for name, tensor in tensors.items():
        dtype, shape = np.dtype(tensor.dtype), tuple(tensor.shape)
        if dtype not in _NAMES:
            raise TypeError(f"The array {name!r} is of type {dtype}, which no model file holds.")
        begin, end = end, end + math.prod(shape) * dtype.itemsize
        header[name] = {"dtype": _NAMES[dtype], "shape": shape, "data_offsets": [begin, end]}
    text = dumped(header).encode()
    text += b" " * (-len(text) % 8)
    length = len(text).to_bytes(8, "little")

    def data() -> Iterator[memoryview]:
        for tensor in tensors.values():
            array = np.ascontiguousarray(tensor)
            yield array.reshape(-1).view(np.uint8).data

    digest = hashlib.sha256(length + text)
    for part in data():
        digest.update(part)
    final = text.replace(
        f'"digest":"{zeros}"'.encode(), f'"digest":"{digest.hexdigest()}"'.encode()
    )
    write_whole(path, lambda: (part for parts in ((length, final), data()) for part in parts))


@contextmanager
def open_tensors(path: Any, *kinds: str) -> Iterator[TensorFile]:
    """Open one regular file of arrays, and check everything about it that can be checked alone.

    Args:
        path: The file.
        kinds: Which kinds of files may be read, such as "model".

    Raises:
        ModelFileError: It is no such file, it is damaged, or its format is of a later release.
    """
    doing = "the file cannot be read"
    with file_error_context(path, doing):
        # Without waiting: to open a pipe that nobody writes to would take for ever.
        number = os.open(
            path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        )
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise ModelFileError(path, "it is no regular file")
        with os.fdopen(number, "rb", closefd=False) as file:
            with file_error_context(path, doing):
                checked = _checked(path, file, kinds)
            yield checked
    finally:
        os.close(number)


def _checked(path: Any, file: BinaryIO, kinds: tuple[str, ...]) -> TensorFile:
    size = os.fstat(file.fileno()).st_size
    start = file.read(8)
    length = int.from_bytes(start, "little")
    if len(start) < 8 or not 2 <= length <= min(size - 8, LONGEST_HEADER):
        raise ModelFileError(path, "it is no model file of fjax: it has no header")
    text = file.read(length)
    if text[:1] != b"{":
        raise ModelFileError(path, "it is no model file of fjax: it has no header")
    try:
        header = parsed(text)
    except ValueError as error:
        raise ModelFileError(path, f"its header cannot be read: {error}") from None
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ModelFileError(path, "it is no model file of fjax: its header has no metadata")
    try:
        version = check_stamp(metadata, kinds)
    except ValueError as error:
        raise ModelFileError(path, str(error)) from None
    _check_digest(path, file, start, text, metadata.pop("digest", ""))
    entries = _entries(path, header, size - 8 - length)
    file.seek(8 + length)
    return TensorFile(path, file, metadata, entries, version)


def _check_digest(path: Any, file: BinaryIO, start: bytes, text: bytes, given: str) -> None:
    said = f'"digest":"{given}"'.encode()
    if len(given) != _DIGITS or text.count(said) != 1:
        raise ModelFileError(path, "its header has no digest")
    digest = hashlib.sha256(start + text.replace(said, f'"digest":"{"0" * _DIGITS}"'.encode()))
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    if digest.hexdigest() != given:
        raise ModelFileError(path, "it is damaged: its bytes do not have the digest that it names")


def _entries(path: Any, header: Mapping[str, Any], size: int) -> dict[str, Entry]:
    """Return the arrays in the order of their bytes, which must fill the data without a gap."""
    entries = {name: _entry(path, name, said) for name, said in header.items()}
    entries = dict(sorted(entries.items(), key=lambda item: (item[1].begin, item[1].end)))
    end = 0
    for name, entry in entries.items():
        if entry.begin != end:
            raise ModelFileError(
                path, f"the array {name[:80]!r} begins at byte {entry.begin}, expected {end}"
            )
        end = entry.end
    if end != size:
        raise ModelFileError(path, f"its arrays have {end} bytes, the file has {size} for them")
    return entries


def _entry(path: Any, name: str, said: Any) -> Entry:
    def whole(values: Any) -> bool:
        return isinstance(values, list) and all(
            type(value) is int and 0 <= value < 2**63 for value in values
        )

    known = isinstance(said, dict) and said.keys() == {"dtype", "shape", "data_offsets"}
    if not known or not whole(said["shape"]) or not whole(said["data_offsets"]):
        raise ModelFileError(path, f"the array {name[:80]!r} is not described as it must be")
    if len(said["data_offsets"]) != 2 or not isinstance(said["dtype"], str):
        raise ModelFileError(path, f"the array {name[:80]!r} is not described as it must be")
    dtype = DTYPES.get(said["dtype"])
    if dtype is None:
        raise ModelFileError(
            path, f"the array {name[:80]!r} has the unknown number type {said['dtype'][:40]!r}"
        )
    begin, end = said["data_offsets"]
    if len(said["shape"]) > 32 or end - begin != math.prod(said["shape"]) * dtype.itemsize:
        raise ModelFileError(
            path, f"the array {name[:80]!r} has another number of bytes than its shape needs"
        )
    return Entry(dtype, tuple(said["shape"]), begin, end)


def named_leaves(prefix: str, tree: Any) -> dict[str, Any]:
    """Return the leaves of a pytree by dotted names.

    Raises:
        ValueError: Two leaves would have one name.

    >>> named_leaves("params", {"dense": {"kernel": 1, "bias": 2}})
    {'params.dense.bias': 2, 'params.dense.kernel': 1}
    """
    found: dict[str, Any] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        name = ".".join([prefix, *(_part(key) for key in path)])
        if name in found:
            raise ValueError(
                f"Two arrays would be called {name!r} in a file: give the layers names in which "
                "a dot does not join them to the same word."
            )
        found[name] = leaf
    return found


def _part(key: Any) -> str:
    return jax.tree_util.keystr((key,), simple=True)
