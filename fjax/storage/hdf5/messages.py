"""The messages in the header of an object: types, shapes, filters, layouts and attributes."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from fjax.storage.hdf5.block import Block, padded

# The filters of the library itself; others are plug-ins.
DEFLATE, SHUFFLE, CHECKSUM = 1, 2, 3
_INTEGER, _FLOAT, _STRING, _OPAQUE, _VARIABLE = 0, 1, 3, 5, 9
# The format has no such type: Keras writes its bytes, and its name as an attribute.
BFLOAT16 = np.dtype(jnp.bfloat16)
# Of floats: the precision, the positions and sizes of exponent and mantissa, and the bias.
_FLOATS = {2: (16, 10, 5, 0, 10, 15), 4: (32, 23, 8, 0, 23, 127), 8: (64, 52, 11, 0, 52, 1023)}
_TEXT_SIZE = 16
MAX_AXES = 32


class Datatype(NamedTuple):
    """The type of the entries of an array or attribute.

    Attributes:
        dtype: The dtype of numbers; None for text.
        size: The number of bytes of an entry.
        is_variable: Whether text is stored elsewhere, with a length of its own.
        is_opaque: Whether the format does not know the dtype, which an attribute tells.
    """

    dtype: np.dtype[Any] | None
    size: int
    is_variable: bool = False
    is_opaque: bool = False


class Layout(NamedTuple):
    """Where the bytes of an array are.

    Attributes:
        kind: "compact", "contiguous" or "chunked".
        address: The address of the bytes, or of the index of the chunks.
        size: The number of bytes; of a chunk, that of an entry.
        content: The bytes of a compact array.
        chunk: The shape of a chunk.
    """

    kind: str
    address: int = 0
    size: int = 0
    content: Block | None = None
    chunk: tuple[int, ...] = ()


def read_datatype(block: Block) -> Datatype:
    """Return a type: a number in the order of bytes of this format, bfloat16, or text.

    Raises:
        ValueError: It is another type, such as a reference.
    """
    kind, bits, size = block.uint(0, 1) & 15, block.uint(1, 3), block.uint(4, 4)
    if kind == _INTEGER and not bits & 0b111 and size in (1, 2, 4, 8):
        bounds = block.uint(8, 2), block.uint(10, 2)
        if bounds == (0, 8 * size):
            return Datatype(np.dtype(f"<{'i' if bits & 8 else 'u'}{size}"), size)
    elif kind == _FLOAT and not bits & 0b1000111 and size in _FLOATS:
        parts = (block.uint(10, 2), *(block.uint(12 + i, 1) for i in range(4)), block.uint(16, 4))
        if block.uint(8, 2) == 0 and parts == _FLOATS[size]:
            return Datatype(np.dtype(f"<f{size}"), size)
    if kind == _STRING and size:
        return Datatype(None, size)
    if kind == _VARIABLE and bits & 15 == 1 and size == _TEXT_SIZE:
        return Datatype(None, size, is_variable=True)
    if kind == _OPAQUE and size == BFLOAT16.itemsize:
        return Datatype(BFLOAT16, size, is_opaque=True)
    raise ValueError(
        f"it has a type that is neither a number nor text (class {kind}, {size} bytes)"
    )


def read_shape(block: Block) -> tuple[int, ...]:
    """Return a shape, whose axes cannot grow beyond any number that fits 63 bits."""
    version, axes = block.uint(0, 1), block.uint(1, 1)
    if version not in (1, 2) or axes > MAX_AXES:
        raise ValueError("it has a shape in an unknown form")
    if version == 2 and block.uint(3, 1) not in (0, 1):
        raise ValueError("it is an array without a shape")
    shape = tuple(block.uints(8 if version == 1 else 4, 8, axes))
    if math.prod(max(size, 1) for size in shape) >= 2**63:
        raise ValueError(f"it declares the shape {shape}")
    return shape


def read_filters(block: Block) -> tuple[int, ...]:
    """Return the filters that were applied to each chunk, in order.

    Raises:
        ValueError: One is a plug-in, which would be code outside of the file.
    """
    version, count = block.uint(0, 1), block.uint(1, 1)
    if version not in (1, 2):
        raise ValueError("it has filters in an unknown form")
    position, filters = (8 if version == 1 else 2), []
    for _ in range(count):
        number = block.uint(position, 2)
        if number not in (DEFLATE, SHUFFLE, CHECKSUM):
            raise ValueError(f"it needs the filter {number}, which is a plug-in")
        name = block.uint(position + 2, 2) if version == 1 else 0
        position += 2 if version == 2 else 4
        values = block.uint(position + 2, 2)
        position += 4 + padded(name) + 4 * values
        position += 4 if version == 1 and values % 2 else 0
        filters.append(number)
    return tuple(filters)


def read_layout(block: Block) -> Layout:
    """Return where the bytes of an array are.

    Raises:
        ValueError: They are in other files, or the form is unknown.
    """
    if block.uint(0, 1) != 3:
        raise ValueError("it has a layout that h5py does not write by default")
    kind = block.uint(1, 1)
    if kind == 0:
        size = block.uint(2, 2)
        return Layout("compact", size=size, content=block.take(4, size))
    if kind == 1:
        return Layout("contiguous", block.uint(2, 8), block.uint(10, 8))
    if kind != 2 or not 2 <= block.uint(2, 1) <= MAX_AXES + 1:
        raise ValueError("it has its bytes in other files, or in an unknown layout")
    *chunk, size = block.uints(11, 4, block.uint(2, 1))
    return Layout("chunked", block.uint(3, 8), size, chunk=tuple(chunk))


def read_attribute(
    block: Block, read_text: Callable[[int, int, int], bytes]
) -> tuple[str, Callable[[], Any]]:
    """Return the name of an attribute and a function that reads its value.

    The value is bytes for one text, and a list of bytes for several; an attribute of numbers has
    the value [] if it is empty, as Keras writes an empty list.

    Args:
        block: The message.
        read_text: Returns a text of a length at an address, by its index there.
    """
    version, sizes = block.uint(0, 1), tuple(block.uints(2, 2, 3))
    if version not in (1, 2, 3) or (version > 1 and block.uint(1, 1)):
        raise ValueError("it has an attribute in an unknown form")
    start = 9 if version == 3 else 8
    parts = []
    for size in sizes:
        parts.append(block.take(start, size))
        start += padded(size) if version == 1 else size
    data = block.rest(start)

    def value() -> Any:
        kind, shape = read_datatype(parts[1]), read_shape(parts[2])
        count = math.prod(shape)
        if kind.dtype is not None:
            if count:
                raise ValueError("it is a number, expected text")
            return []
        entries = data.take(0, count * kind.size)
        texts = []
        for index in range(count):
            entry = entries.take(index * kind.size, kind.size)
            if kind.is_variable:
                place = entry.uint(0, 4), entry.uint(4, 8), entry.uint(12, 4)
                texts.append(read_text(*place) if place[0] else b"")
            else:
                texts.append(entry.bytes().rstrip(b"\0"))
        return texts if shape else texts[0]

    return parts[0].name(0), value
