"""An HDF5 file: its groups, arrays and texts."""

import math
import zlib
from typing import Any, NamedTuple

import numpy as np

from fjax.storage.errors import file_error_context
from fjax.storage.hdf5.block import UNDEFINED, Block
from fjax.storage.hdf5.messages import (
    BFLOAT16,
    CHECKSUM,
    DEFLATE,
    SHUFFLE,
    Datatype,
    Layout,
    read_attribute,
    read_datatype,
    read_filters,
    read_layout,
    read_shape,
)
from fjax.storage.hdf5.objects import SIGNATURE, Structure, only_message

# Compressed arrays may be larger than the file, all together by this.
MAX_EXPANSION = 100
FREE_BYTES = 1 << 26
MAX_DEPTH = 64
# The kinds of messages.
_SHAPE, _TYPE, _EXTERNAL, _LAYOUT, _FILTERS, _ATTRIBUTE, _TABLE = 1, 3, 7, 8, 11, 12, 17
# Those of groups and attributes in a newer form, which also have links into other files.
_NEWER = {2: "links", 6: "links", 21: "attributes"}


class Hdf5Entry(NamedTuple):
    """An array of a file.

    Attributes:
        dtype: Its dtype.
        shape: Its shape.
        layout: Where its bytes are.
        filters: How its chunks are compressed.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    layout: Layout
    filters: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """The number of bytes in memory."""
        return math.prod(self.shape) * self.dtype.itemsize


class Hdf5File:
    """An HDF5 file whose groups and arrays have been checked.

    Attributes:
        path: The path of the file, for errors.
        entries: The arrays by their names after those of their groups, joined by "/".
        groups: The names of the groups; that of the root is "".
    """

    def __init__(self, path: Any, data: memoryview) -> None:
        self.path = path
        self._block = Block(data)
        self._structure = Structure(self._block)
        self.entries: dict[str, Hdf5Entry] = {}
        self.groups: list[str] = []
        self._attributes: dict[str, list[Block]] = {}
        self._index()

    def read(self, name: str) -> np.ndarray:
        """Return one array.

        Raises:
            ModelFileError: Its bytes are damaged.
        """
        entry = self.entries[name]
        with file_error_context(self.path, f"the array {name[-80:]!r} cannot be read"):
            if entry.layout.kind == "chunked":
                return self._read_chunks(entry)
            return np.frombuffer(self._content(entry).view(), entry.dtype).reshape(entry.shape)

    def text(self, group: str, name: str) -> str | None:
        """Return an attribute that is one text, or None if there is none.

        Raises:
            ModelFileError: It is not one text in UTF-8.
        """
        with file_error_context(self.path, f"the attribute {name!r} of {group[-80:]!r}"):
            value = self._attribute(group, name)
            if isinstance(value, list):
                raise ValueError("it is a list, expected one text")
            return None if value is None else value.decode("utf-8")

    def texts(self, group: str, name: str) -> list[str] | None:
        """Return an attribute that is a list of texts, or None if there is none.

        Keras writes a long list as the attributes `name0`, `name1`, ….

        Raises:
            ModelFileError: It is not a list of texts in UTF-8.
        """
        with file_error_context(self.path, f"the attribute {name!r} of {group[-80:]!r}"):
            value = self._attribute(group, name)
            parts = [] if value is None else [value]
            while value is None and (part := self._attribute(group, f"{name}{len(parts)}")):
                parts.append(part)
            if not all(isinstance(part, list) for part in parts):
                raise ValueError("it is one text, expected a list")
            texts = [text.decode("utf-8") for part in parts for text in part]
            return texts if parts else None

    def _attribute(self, group: str, name: str) -> Any:
        for message in self._attributes.get(group, []):
            found, value = read_attribute(message, self._structure.text)
            if found == name:
                return value()
        return None

    def _index(self) -> None:
        pending = [("", self._structure.root())]
        while pending:
            name, address = pending.pop()
            if name.count("/") >= MAX_DEPTH:
                raise ValueError("its groups are nested too deeply")
            try:
                messages = self._structure.messages(address)
                for kind, _ in messages:
                    if kind in _NEWER:
                        raise ValueError(
                            f"it has {_NEWER[kind]} in a form that Keras does not write, which may "
                            "lead into other files"
                        )
                table = only_message(messages, _TABLE)
                if table is None:
                    self.entries[name] = self._check_array(messages)
                    continue
                members = dict(self._structure.members(table))
            except ValueError as error:
                raise ValueError(f"{name[-80:]!r}: {error}") from None
            self.groups.append(name)
            self._attributes[name] = [block for kind, block in messages if kind == _ATTRIBUTE]
            pending += [
                (f"{name}/{member}" if name else member, at) for member, at in members.items()
            ]
        total = sum(entry.nbytes for entry in self.entries.values())
        if total > FREE_BYTES + MAX_EXPANSION * len(self._block):
            raise ValueError(f"its arrays would have {total} bytes, it has {len(self._block)}")

    def _check_array(self, messages: list[tuple[int, Block]]) -> Hdf5Entry:
        """Return an array, after comparing its declared size with its bytes in the file."""
        kind, shape, layout = (only_message(messages, each) for each in (_TYPE, _SHAPE, _LAYOUT))
        if only_message(messages, _EXTERNAL) is not None:
            raise ValueError("it has its bytes in other files")
        if kind is None or shape is None or layout is None:
            raise ValueError("it is neither a group nor an array")
        datatype: Datatype = read_datatype(kind)
        if datatype.dtype is None:
            raise ValueError("it is an array of text, expected numbers")
        if datatype.is_opaque and self._dtype_name(messages) != BFLOAT16.name.encode():
            raise ValueError(f"it has entries of {datatype.size} bytes of an unknown type")
        filters = only_message(messages, _FILTERS)
        entry = Hdf5Entry(
            datatype.dtype, read_shape(shape), read_layout(layout),
            () if filters is None else read_filters(filters),
        )  # fmt: skip
        if entry.layout.kind == "chunked":
            self._check_chunks(entry)
        elif entry.nbytes:
            self._content(entry)
        return entry

    def _dtype_name(self, messages: list[tuple[int, Block]]) -> Any:
        """Return the attribute that names the dtype of an array, or None."""
        attributes = [
            read_attribute(block, self._structure.text)
            for kind, block in messages
            if kind == _ATTRIBUTE
        ]
        return next((value() for name, value in attributes if name == "dtype"), None)

    def _content(self, entry: Hdf5Entry) -> Block:
        """Return the bytes of an array that is not in chunks."""
        content = entry.layout.content
        if content is None and entry.nbytes and entry.layout.address == UNDEFINED:
            raise ValueError(f"it declares the shape {entry.shape}, but has no bytes")
        if content is None:
            address = 0 if not entry.nbytes else entry.layout.address
            content = self._block.take(address, entry.layout.size if entry.nbytes else 0)
        if len(content) != entry.nbytes:
            raise ValueError(
                f"it declares the shape {entry.shape}, which needs {entry.nbytes} bytes, but has "
                f"{len(content)}"
            )
        return content

    def _check_chunks(self, entry: Hdf5Entry) -> None:
        chunk, shape = entry.layout.chunk, entry.shape
        size = math.prod(chunk) * entry.dtype.itemsize
        # A chunk may be larger than an array that can grow.
        is_valid = len(chunk) == len(shape) and entry.layout.size == entry.dtype.itemsize
        if not is_valid or not 0 < size <= FREE_BYTES + MAX_EXPANSION * len(self._block):
            raise ValueError(f"its chunks {chunk} do not fit its shape {shape}")

    def _read_chunks(self, entry: Hdf5Entry) -> np.ndarray:
        """Return an array that is stored in chunks, all of which must exist."""
        chunk, shape = entry.layout.chunk, entry.shape
        expected = math.prod(-(-size // part) for size, part in zip(shape, chunk, strict=True))
        places: dict[tuple[int, ...], tuple[int, int, int]] = {}
        if expected:
            structure = Structure(self._block)
            key_size = 8 + 8 * (len(shape) + 1)
            for key, address in structure.leaves(entry.layout.address, 1, key_size):
                start = tuple(key.uints(8, 8, len(shape)))
                places[start] = address, key.uint(0, 4), key.uint(4, 4)
        aligned = all(
            position % part == 0 and position < size
            for start in places
            for position, part, size in zip(start, chunk, shape, strict=True)
        )
        if len(places) != expected or not aligned:
            raise ValueError(f"it has {len(places)} of its {expected} chunks")
        array = np.empty(shape, entry.dtype)
        for start, (address, size, mask) in places.items():
            content = self._block.take(address, size).bytes()
            values = _unfilter(content, entry, mask).reshape(chunk)
            target = array[tuple(slice(a, a + b) for a, b in zip(start, chunk, strict=True))]
            target[...] = values[tuple(slice(size) for size in target.shape)]
        return array


def _unfilter(content: bytes, entry: Hdf5Entry, mask: int) -> np.ndarray:
    """Return the entries of a chunk; `mask` says which filters it does without."""
    size = math.prod(entry.layout.chunk) * entry.dtype.itemsize
    for position, number in reversed([*enumerate(entry.filters)]):
        if mask >> position & 1:
            continue
        if number == DEFLATE:
            # With a checksum behind it, a chunk is longer by 4 bytes.
            decompressor = zlib.decompressobj()
            content = decompressor.decompress(content, size + 5)
        elif number == CHECKSUM:
            content = content[:-4]
        elif number == SHUFFLE and len(content) % entry.dtype.itemsize == 0:
            rows = np.frombuffer(content, np.uint8).reshape(entry.dtype.itemsize, -1)
            content = rows.T.tobytes()
    if len(content) != size:
        raise ValueError(f"it has a chunk of {len(content)} bytes, expected {size}")
    return np.frombuffer(content, entry.dtype)


def is_hdf5(start: bytes) -> bool:
    """Tell whether a file that starts with these bytes is an HDF5 file."""
    return start.startswith(SIGNATURE)


def open_hdf5(path: Any, data: Any) -> Hdf5File:
    """Return an HDF5 file whose objects are all checked.

    Args:
        path: The path of the file, for errors.
        data: Its bytes, or a memory map.

    Raises:
        ModelFileError: It is damaged, or contains something that is not allowed.
    """
    with file_error_context(path, "its HDF5 data cannot be read"):
        return Hdf5File(path, memoryview(data))
