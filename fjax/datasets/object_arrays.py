"""Read lists of integers from `.npz` archives of NumPy's object arrays.

NumPy stores such arrays as pickles, which in general can run code. This reader never imports
or calls anything: it knows the instructions that lists of integers need, and refuses all others.
"""

import io
import math
import operator
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

# The names that the pickle of an object array refers to; they are compared, not imported.
_ARRAY = {"numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct"}
_TYPES = {"numpy ndarray", "numpy dtype"}

# In bytes, several times as much as the largest array of the data sets.
_LARGEST = 2**28


class Name(NamedTuple):
    """A name in a pickle, which stands for itself."""

    text: str


class ObjectArray:
    """An array in a pickle: its items, once they have been read."""

    items: list[Any] | None = None


def read_lists(path: Path, expected: Mapping[str, str]) -> dict[str, Any]:
    """Return the arrays of an `.npz` archive: lists of lists of integers, and integer arrays.

    Args:
        path: The file.
        expected: "lists" or "integers" for the name of each array.

    Raises:
        ValueError: The file is not such an archive, or an array is missing or holds other data.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            missing = {f"{name}.npy" for name in expected} - set(archive.namelist())
            if missing:
                raise ValueError(f"it lacks {min(missing)!r} and holds {archive.namelist()}")
            return {
                name: _read(_content(archive, f"{name}.npy"), kind)
                for name, kind in expected.items()
            }
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is not the expected `.npz` archive: {error}.") from error


def _content(archive: zipfile.ZipFile, member: str) -> bytes:
    size = archive.getinfo(member).file_size
    if size > _LARGEST:
        raise ValueError(f"{member} has {size} bytes, more than {_LARGEST}")
    return archive.read(member)


def _read(content: bytes, kind: str) -> Any:
    file = io.BytesIO(content)
    if kind == "integers":
        array = np.lib.format.read_array(file, allow_pickle=False)
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise ValueError(f"an array of integers was expected, found {array.dtype}")
        return array
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    if len(shape) != 1 or dtype != np.dtype(object):
        raise ValueError(f"an array of lists was expected, found {dtype} of shape {shape}")
    return parse_lists(content[file.tell() :], shape[0])


def parse_lists(content: bytes, count: int) -> list[list[int]]:
    """Return the lists of integers in the pickle of an object array.

    Args:
        content: The pickle, of protocol 2 to 5.
        count: The expected number of lists.

    Raises:
        ValueError: The pickle holds anything else.

    >>> import pickle
    >>> parse_lists(pickle.dumps(np.array([[1, 2], [300]], object), 4), 2)
    [[1, 2], [300]]
    """
    try:
        result = _Parser(content).run()
    except (struct.error, IndexError, KeyError, TypeError) as error:
        raise ValueError(f"its pickle is damaged ({error!r})") from error
    items = result.items if isinstance(result, ObjectArray) else None
    if items is None or len(items) != count or not all(map(_is_integers, items)):
        raise ValueError(f"its pickle is not an array of {count} lists of integers")
    return items


def _is_integers(item: Any) -> bool:
    return type(item) is list and all(type(entry) is int for entry in item)


class _Parser:
    """Follows the instructions of a pickle with a stack of plain values."""

    def __init__(self, content: bytes) -> None:
        self._content, self._position = content, 0
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def run(self) -> Any:
        """Return the value that the pickle describes."""
        content, instructions = self._content, _INSTRUCTIONS
        while True:
            code = content[self._position]
            self._position += 1
            if code == _STOP:
                return self._stack.pop()
            if code in _SMALL:
                self._push_integers()
            elif code in instructions:
                instructions[code](self)
            else:
                raise ValueError(f"its pickle has the instruction {chr(code)!r}, which is refused")

    def _push_integers(self) -> None:
        """Push a run of integers of one or two bytes: nearly the whole file."""
        content, append = self._content, self._stack.append
        position = self._position - 1
        while True:
            code = content[position]
            if code == _ONE_BYTE:
                append(content[position + 1])
                position += 2
            elif code == _TWO_BYTES:
                append(content[position + 1] | content[position + 2] << 8)
                position += 3
            else:
                break
        self._position = position

    def _bytes(self, count: int) -> bytes:
        start = self._position
        self._position += count
        if self._position > len(self._content):
            raise ValueError("its pickle is cut off")
        return self._content[start : self._position]

    def number(self, layout: str) -> int:
        """Read a number."""
        return struct.unpack(layout, self._bytes(struct.calcsize(layout)))[0]

    def push(self, value: Any) -> None:
        """Push a value."""
        self._stack.append(value)

    def text(self, layout: str) -> None:
        """Push a text with its length before it."""
        self.push(self._bytes(self.number(layout)).decode("latin1"))

    def mark(self) -> None:
        """Remember the height of the stack."""
        self._marks.append(len(self._stack))

    def _from_mark(self) -> list[Any]:
        height = self._marks.pop()
        values = self._stack[height:]
        del self._stack[height:]
        return values

    def pack(self, count: int | None = None) -> None:
        """Push a tuple of the last values, by default those after the mark."""
        if count is None:
            values = self._from_mark()
        else:
            values = [self._stack.pop() for _ in range(count)][::-1]
        self.push(tuple(values))

    def append(self, several: bool) -> None:
        """Append the last values to the list below them."""
        values = self._from_mark() if several else [self._stack.pop()]
        if type(self._stack[-1]) is not list:
            raise ValueError("its pickle appends to something that is no list")
        self._stack[-1].extend(values)

    def memoize(self, layout: str | None) -> None:
        """Keep the last value under a number."""
        number = len(self._memo) if layout is None else self.number(layout)
        self._memo[number] = self._stack[-1]

    def recall(self, layout: str) -> None:
        """Push a value that was kept."""
        self.push(self._memo[self.number(layout)])

    def name(self) -> None:
        """Push a name of two lines."""
        end = self._content.index(b"\n", self._content.index(b"\n", self._position) + 1)
        lines = self._bytes(end + 1 - self._position).decode("latin1").splitlines()
        self._push_name(*lines)

    def stack_name(self) -> None:
        """Push a name whose two parts are on the stack."""
        attribute, module = self._stack.pop(), self._stack.pop()
        self._push_name(module, attribute)

    def _push_name(self, module: Any, attribute: Any) -> None:
        text = f"{module} {attribute}"
        if text not in _ARRAY | _TYPES:
            raise ValueError(f"its pickle refers to {text!r}, which is refused")
        self.push(Name(text))

    def reduce(self) -> None:
        """Push the array or dtype that a name and its arguments describe."""
        arguments, name = self._stack.pop(), self._stack.pop()
        if not isinstance(name, Name) or type(arguments) is not tuple:
            raise ValueError("its pickle calls something that is not a name")
        self.push(ObjectArray() if name.text in _ARRAY else name)

    def build(self) -> None:
        """Give an array its items."""
        state = self._stack.pop()
        target = self._stack[-1]
        if isinstance(target, ObjectArray):
            shape, items = operator.itemgetter(1, 4)(state)
            if type(items) is not list or math.prod(shape) != len(items):
                raise ValueError("its pickle has an array of another shape than its items")
            target.items = items


_STOP, _ONE_BYTE, _TWO_BYTES = b".KM"
_SMALL = (_ONE_BYTE, _TWO_BYTES)

_INSTRUCTIONS: dict[int, Callable[[_Parser], Any]] = {
    ord(code): instruction
    for code, instruction in {
        "\x80": lambda parser: parser.number("<B"),  # the protocol
        "\x95": lambda parser: parser.number("<Q"),  # the size of a frame
        "J": lambda parser: parser.push(parser.number("<i")),
        "N": lambda parser: parser.push(None),
        "\x88": lambda parser: parser.push(True),
        "\x89": lambda parser: parser.push(False),
        "]": lambda parser: parser.push([]),
        ")": lambda parser: parser.push(()),
        "(": _Parser.mark,
        "t": _Parser.pack,
        "\x85": lambda parser: parser.pack(1),
        "\x86": lambda parser: parser.pack(2),
        "\x87": lambda parser: parser.pack(3),
        "a": lambda parser: parser.append(several=False),
        "e": lambda parser: parser.append(several=True),
        "C": lambda parser: parser.text("<B"),
        "B": lambda parser: parser.text("<I"),
        "U": lambda parser: parser.text("<B"),
        "T": lambda parser: parser.text("<i"),
        "X": lambda parser: parser.text("<I"),
        "\x8c": lambda parser: parser.text("<B"),
        "q": lambda parser: parser.memoize("<B"),
        "r": lambda parser: parser.memoize("<I"),
        "\x94": lambda parser: parser.memoize(None),
        "h": lambda parser: parser.recall("<B"),
        "j": lambda parser: parser.recall("<I"),
        "c": _Parser.name,
        "\x93": _Parser.stack_name,
        "R": _Parser.reduce,
        "b": _Parser.build,
    }.items()
}
