"""Bounded access to the bytes of a file."""

from collections.abc import Iterator

# The address of something that does not exist.
UNDEFINED = 2**64 - 1


class Block:
    """A range of bytes, in which every access is checked.

    Args:
        data: The bytes.

    >>> Block(memoryview(b"abcd")).take(1, 2).bytes()
    b'bc'
    >>> Block(memoryview(b"abcd")).take(3, 2)
    Traceback (most recent call last):
        ...
    ValueError: it refers to 2 bytes at 3, but there are 4
    """

    def __init__(self, data: memoryview) -> None:
        self._data = data

    def __len__(self) -> int:
        return len(self._data)

    def take(self, start: int, length: int) -> "Block":
        """Return a part of the block."""
        if start < 0 or length < 0 or start + length > len(self._data):
            raise ValueError(f"it refers to {length} bytes at {start}, but there are {len(self)}")
        return Block(self._data[start : start + length])

    def rest(self, start: int) -> "Block":
        """Return the block from a position on."""
        return self.take(start, len(self._data) - start)

    def uint(self, start: int, length: int) -> int:
        """Return an unsigned number."""
        return int.from_bytes(self.take(start, length)._data, "little")

    def uints(self, start: int, length: int, count: int) -> Iterator[int]:
        """Yield numbers that follow one another."""
        part = self.take(start, length * count)
        return (part.uint(length * index, length) for index in range(count))

    def expect(self, start: int, expected: bytes, what: str) -> None:
        """Raise ValueError unless these bytes are at a position."""
        if self.take(start, len(expected)).bytes() != expected:
            raise ValueError(f"it has no {what} where there should be one")

    def bytes(self) -> bytes:
        """Return a copy of the bytes."""
        return bytes(self._data)

    def view(self) -> memoryview:
        """Return the bytes without a copy."""
        return self._data

    def name(self, start: int) -> str:
        """Return the text that ends with a zero byte."""
        rest = self.rest(start).bytes()
        end = rest.find(b"\0")
        if end < 0:
            raise ValueError("it has a name without an end")
        return rest[:end].decode("utf-8")


def padded(length: int) -> int:
    """Return the next multiple of 8.

    >>> padded(9)
    16
    """
    return -(-length // 8) * 8
