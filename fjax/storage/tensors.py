"""Named arrays in one file, in the safetensors format, with a digest of every byte.

The file consists of the header's length in 8 bytes, the header as JSON, and the bytes of the
arrays. The header's `__metadata__` holds a JSON document and the SHA-256 digest of the whole file,
computed with zeros in the place of the digest itself. Any safetensors reader can open the file.

Source: the page of the format, https://huggingface.co/docs/safetensors.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple

import jax
import ml_dtypes
import numpy as np

from fjax.storage.atomic import write_atomically
from fjax.storage.errors import ModelFileError, file_error_context
from fjax.storage.regular_file import PROBLEM, file_size, open_regular_file
from fjax.storage.strict_json import dump_json, parse_json
from fjax.storage.versions import FORMAT_VERSION, check_format, migrate
from fjax.training.placed_shapes import put_like

# The dtypes by their names in the file.
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
_DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}

MAX_HEADER_BYTES = 100_000_000
_DIGEST_LENGTH = 64
_NO_DIGEST = "0" * _DIGEST_LENGTH
_READ_BYTES = 1 << 20
_NAMES = ". If another program wrote it, load its weights by `load_weights(…, names={…})`"


class TensorEntry(NamedTuple):
    """One array of a file: its dtype, its shape, and the range of its bytes in the data."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    end: int


class TensorFile:
    """An open file of arrays whose header and digest have been checked.

    Attributes:
        path: The path of the file.
        metadata: The strings of the header, without the digest.
        entries: The arrays by name, in the order of their bytes.
        version: The version of the file's format.
    """

    def __init__(
        self,
        path: Any,
        file: BinaryIO,
        metadata: Mapping[str, str],
        entries: Mapping[str, TensorEntry],
        version: int,
    ) -> None:
        self.path = path
        self.metadata = metadata
        self.entries = entries
        self.version = version
        self._file = file
        self._data_start = file.tell()

    def read_document(self) -> Any:
        """Return the file's JSON document, migrated to the current version of the format.

        Raises:
            ModelFileError: The document cannot be read.
        """
        with file_error_context(self.path, "its document cannot be read"):
            return migrate(parse_json(self.metadata["document"]), self.version)

    def read(self, name: str) -> np.ndarray:
        """Return one array, newly allocated.

        Raises:
            ModelFileError: The file has been truncated since it was opened.
        """
        entry = self.entries[name]
        array = np.empty(entry.shape, entry.dtype)
        self._file.seek(self._data_start + entry.begin)
        if self._file.readinto(array.reshape(-1).view(np.uint8)) != array.nbytes:  # type: ignore[attr-defined]
            raise ModelFileError(self.path, f"the file ends within the array {name!r}")
        return array

    def read_placed(self, specs: Mapping[str, jax.ShapeDtypeStruct]) -> dict[str, jax.Array]:
        """Return arrays on the devices that their specs name; see `ArrayReader.read_placed`."""
        return {name: put_like(self.read(name), spec) for name, spec in specs.items()}


def write_tensors(path: Any, tensors: Mapping[str, Any], metadata: Mapping[str, str]) -> None:
    """Write arrays and strings to one file, atomically.

    Args:
        path: The file to write, with any extension.
        tensors: The arrays by name.
        metadata: The strings of the header by name.

    Raises:
        TypeError: The format has no name for an array's dtype.
        OSError: The file cannot be written; see `write_atomically`.
    """
    # Sorted by item size, so that every array starts at a multiple of its item size.
    tensors = dict(sorted(tensors.items(), key=lambda item: (-item[1].dtype.itemsize, item[0])))
    header: dict[str, Any] = {
        "__metadata__": {**metadata, "digest": _NO_DIGEST},
        **describe_tensors(tensors),
    }
    text = dump_json(header).encode()
    text += b" " * (-len(text) % 8)
    length = len(text).to_bytes(8, "little")

    def chunks() -> Iterator[memoryview]:
        for tensor in tensors.values():
            yield np.ascontiguousarray(tensor).reshape(-1).view(np.uint8).data

    digest = hashlib.sha256(length + text)
    for chunk in chunks():
        digest.update(chunk)
    final = text.replace(_digest_field(_NO_DIGEST), _digest_field(digest.hexdigest()))
    write_atomically(
        path, lambda: (part for parts in ((length, final), chunks()) for part in parts)
    )


def describe_tensors(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Return the header's entries of arrays that follow one another.

    Raises:
        TypeError: The format has no name for an array's dtype.
    """
    entries: dict[str, Any] = {}
    end = 0
    for name, tensor in tensors.items():
        dtype, shape = np.dtype(tensor.dtype), tuple(tensor.shape)
        if dtype not in _DTYPE_NAMES:
            raise TypeError(
                f"The array {name!r} has the dtype {dtype}, which a model file cannot hold."
            )
        begin, end = end, end + math.prod(shape) * dtype.itemsize
        entries[name] = {
            "dtype": _DTYPE_NAMES[dtype], "shape": shape, "data_offsets": [begin, end],
        }  # fmt: skip
    return entries


def _digest_field(digest: str) -> bytes:
    return f'"digest":"{digest}"'.encode()


@contextmanager
def open_tensors(path: Any, *kinds: str) -> Iterator[TensorFile]:
    """Open a file of arrays, and check its header, its digest and the layout of its arrays.

    Args:
        path: The file, which must be a regular one.
        kinds: The accepted kinds of files, such as "model".

    Raises:
        ModelFileError: The file is of another kind or format, is damaged, or was written by a
            newer release in a newer format.
    """
    with open_regular_file(path) as file:
        with file_error_context(path, PROBLEM):
            tensor_file = _check_file(path, file, kinds)
        yield tensor_file


@contextmanager
def open_foreign_tensors(path: Any) -> Iterator[TensorFile]:
    """Open a safetensors file that any program wrote, which has no digest and no version.

    Raises:
        ModelFileError: It is damaged.
    """
    with open_regular_file(path) as file:
        with file_error_context(path, PROBLEM):
            _, text, header = _read_header(path, file, "a safetensors file")
            metadata = header.pop("__metadata__", None) or {}
            entries = _check_layout(path, header, file_size(file) - 8 - len(text))
            tensor_file = TensorFile(path, file, metadata, entries, FORMAT_VERSION)
        yield tensor_file


def read_unchecked(path: Any, file: BinaryIO, *kinds: str) -> TensorFile:
    """Return an open file of arrays without comparing its digest, which would read all of it.

    This is enough to show what is in a file; what is computed with needs `open_tensors`.

    Args:
        path: The path of the file, for messages.
        file: The open file.
        *kinds: The accepted kinds, such as "run".

    Raises:
        ModelFileError: It is of another kind or format, or its header is damaged.
    """
    return _check_file(path, file, kinds, compares_digest=False)


def _check_file(
    path: Any, file: BinaryIO, kinds: tuple[str, ...], compares_digest: bool = True
) -> TensorFile:
    prefix, text, header = _read_header(path, file, "a model file of fjax")
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ModelFileError(
            path, f"it is not a model file of fjax: its header has no metadata{_NAMES}"
        )
    try:
        version = check_format(metadata, kinds)
    except ValueError as error:
        hint = "" if str(metadata.get("format")).startswith("fjax.") else _NAMES
        raise ModelFileError(path, f"{error}{hint}") from None
    digest = metadata.pop("digest", "")
    if compares_digest:
        _check_digest(path, file, prefix, text, digest)
    entries = _check_layout(path, header, file_size(file) - 8 - len(text))
    file.seek(8 + len(text))
    return TensorFile(path, file, metadata, entries, version)


def _read_header(path: Any, file: BinaryIO, kind: str) -> tuple[bytes, bytes, dict[str, Any]]:
    """Return the 8 bytes of the header's length, its text, and its data."""
    size = file_size(file)
    prefix = file.read(8)
    length = int.from_bytes(prefix, "little")
    if len(prefix) < 8 or not 2 <= length <= min(size - 8, MAX_HEADER_BYTES):
        raise ModelFileError(path, f"it is not {kind}: it has no header")
    text = file.read(length)
    if text[:1] != b"{":
        raise ModelFileError(path, f"it is not {kind}: it has no header")
    try:
        return prefix, text, parse_json(text)
    except ValueError as error:
        raise ModelFileError(path, f"its header cannot be read: {error}") from None


def _check_digest(path: Any, file: BinaryIO, prefix: bytes, text: bytes, expected: str) -> None:
    field = _digest_field(expected)
    if len(expected) != _DIGEST_LENGTH or text.count(field) != 1:
        raise ModelFileError(path, "its header has no digest")
    digest = hashlib.sha256(prefix + text.replace(field, _digest_field(_NO_DIGEST)))
    while chunk := file.read(_READ_BYTES):
        digest.update(chunk)
    if digest.hexdigest() != expected:
        raise ModelFileError(path, "it is damaged: its bytes do not match the digest in its header")


def _check_layout(path: Any, header: Mapping[str, Any], size: int) -> dict[str, TensorEntry]:
    """Return the arrays in the order of their bytes, which must fill the data without a gap."""
    entries = {name: parse_entry(path, name, value) for name, value in header.items()}
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


def parse_entry(path: Any, name: str, value: Any) -> TensorEntry:
    """Return the entry of an array as `describe_tensors` describes it.

    Raises:
        ModelFileError: The description is invalid.
    """
    label = f"the array {name[:80]!r}"
    has_keys = isinstance(value, dict) and value.keys() == {"dtype", "shape", "data_offsets"}
    if not has_keys or not _are_counts(value["shape"]) or not _are_counts(value["data_offsets"]):
        raise ModelFileError(path, f"{label} has an invalid description")
    if len(value["data_offsets"]) != 2 or not isinstance(value["dtype"], str):
        raise ModelFileError(path, f"{label} has an invalid description")
    dtype = DTYPES.get(value["dtype"])
    if dtype is None:
        raise ModelFileError(path, f"{label} has the unknown dtype {value['dtype'][:40]!r}")
    begin, end = value["data_offsets"]
    if len(value["shape"]) > 32 or end - begin != math.prod(value["shape"]) * dtype.itemsize:
        raise ModelFileError(
            path, f"{label} does not have the number of bytes that its shape needs"
        )
    return TensorEntry(dtype, tuple(value["shape"]), begin, end)


def _are_counts(values: Any) -> bool:
    return isinstance(values, list) and all(
        type(value) is int and 0 <= value < 2**63 for value in values
    )


def named_leaves(prefix: str, tree: Any) -> dict[str, Any]:
    """Return the leaves of a pytree by their dotted paths.

    Raises:
        ValueError: Two leaves have the same dotted path.

    >>> named_leaves("params", {"dense": {"kernel": 1, "bias": 2}})
    {'params.dense.bias': 2, 'params.dense.kernel': 1}
    """
    leaves: dict[str, Any] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        parts = (jax.tree_util.keystr((key,), simple=True) for key in path)
        name = ".".join([prefix, *parts])
        if name in leaves:
            raise ValueError(
                f"Two arrays would have the name {name!r} in the file: rename a layer whose name "
                "contains a dot."
            )
        leaves[name] = leaf
    return leaves
