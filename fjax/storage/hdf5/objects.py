"""The structures of an HDF5 file: headers of objects, groups, heaps and trees."""

from collections.abc import Iterator
from typing import Any

from fjax.storage.hdf5.block import UNDEFINED, Block, padded

SIGNATURE = b"\x89HDF\r\n\x1a\n"
_NEWER = "it is in a newer form of HDF5, which Keras does not write: write it by h5py's defaults"
_CONTINUATION = 0x10
_SHARED = 0b10
_SOFT_LINK = 2
# A tree of so many levels would be larger than any file.
_MAX_LEVEL = 32


class Structure:
    """The structures of a file, each of which is visited once.

    Args:
        block: The bytes of the file.
    """

    def __init__(self, block: Block) -> None:
        self.block = block
        self._visited: set[int] = set()
        self._collections: dict[int, dict[int, bytes]] = {}

    def root(self) -> int:
        """Return the address of the header of the root group."""
        self.block.expect(0, SIGNATURE, "signature")
        version = self.block.uint(8, 1)
        if version not in (0, 1):
            raise ValueError(_NEWER)
        if (self.block.uint(13, 1), self.block.uint(14, 1)) != (8, 8):
            raise ValueError("its addresses do not have 8 bytes")
        start = 24 if version == 0 else 28
        if self.block.uint(start, 8) != 0:
            raise ValueError("it does not begin at its first byte")
        return self.block.uint(start + 40, 8)

    def messages(self, address: int) -> list[tuple[int, Block]]:
        """Return the messages in the header of an object, with the numbers of their kinds."""
        self._visit(address)
        if self.block.uint(address, 1) != 1:
            raise ValueError(_NEWER)
        count, size = self.block.uint(address + 2, 2), self.block.uint(address + 8, 4)
        pending, found = [(address + 16, size)], list[tuple[int, Block]]()
        while pending:
            start, length = pending.pop()
            part, position = self.block.take(start, length), 0
            while position + 8 <= len(part) and len(found) < count:
                kind, size = part.uint(position, 2), part.uint(position + 2, 2)
                message = part.take(position + 8, size)
                if part.uint(position + 4, 1) & _SHARED:
                    raise ValueError("it shares a message with another object")
                position += 8 + size
                found.append((kind, message))
                if kind == _CONTINUATION:
                    self._visit(message.uint(0, 8))
                    pending.append((message.uint(0, 8), message.uint(8, 8)))
        return found

    def members(self, table: Block) -> Iterator[tuple[str, int]]:
        """Yield the names in a group, and the addresses of the objects.

        Args:
            table: The message that has the addresses of the group's tree and heap.
        """
        heap = table.uint(8, 8)
        self.block.expect(heap, b"HEAP\0", "heap")
        names = self.block.take(self.block.uint(heap + 24, 8), self.block.uint(heap + 8, 8))
        for _, node in self.leaves(table.uint(0, 8), 0, 8):
            self.block.expect(node, b"SNOD\x01", "node of a group")
            for index in range(self.block.uint(node + 6, 2)):
                entry = self.block.take(node + 8 + 40 * index, 40)
                name = names.name(entry.uint(0, 8))
                if name in ("", ".", "..") or "/" in name:
                    raise ValueError(f"it has an object with the name {name[:80]!r}")
                if entry.uint(16, 4) == _SOFT_LINK:
                    raise ValueError(f"{name[:80]!r} is a link to a name")
                yield name, entry.uint(8, 8)

    def leaves(self, address: int, kind: int, key_size: int) -> Iterator[tuple[Block, int]]:
        """Yield the keys and addresses in the leaves of a tree.

        Args:
            address: The address of its root.
            kind: 0 for groups, 1 for chunks of an array.
            key_size: The number of bytes of a key.
        """
        pending = [(address, _MAX_LEVEL)]
        while pending:
            address, above = pending.pop()
            self._visit(address)
            self.block.expect(address, b"TREE" + bytes([kind]), "node of a tree")
            level, count = self.block.uint(address + 5, 1), self.block.uint(address + 6, 2)
            if level >= above:
                raise ValueError("it has a tree whose levels do not decrease")
            entries = self.block.take(address + 24, count * (key_size + 8))
            for index in range(count):
                start = index * (key_size + 8)
                child = entries.uint(start + key_size, 8)
                if level:
                    pending.append((child, level))
                else:
                    self._visit(child)
                    yield entries.take(start, key_size), child

    def text(self, length: int, address: int, index: int) -> bytes:
        """Return a text in a global heap."""
        if address not in self._collections:
            self._collections[address] = dict(self._collection(address))
        found = self._collections[address].get(index)
        if found is None or len(found) < length:
            raise ValueError("it refers to a text that does not exist")
        return found[:length]

    def _collection(self, address: int) -> Iterator[tuple[int, bytes]]:
        self._visit(address)
        self.block.expect(address, b"GCOL\x01", "heap of texts")
        part, position = self.block.take(address, self.block.uint(address + 8, 8)), 16
        while position + 16 <= len(part) and (index := part.uint(position, 2)):
            size = part.uint(position + 8, 8)
            yield index, part.take(position + 16, size).bytes()
            position += 16 + padded(size)

    def _visit(self, address: int) -> None:
        """Raise ValueError if a structure was visited before: two parents, or a cycle."""
        if address in self._visited or address == UNDEFINED:
            raise ValueError("it has an object that is linked twice, or contains itself")
        self._visited.add(address)


def only_message(messages: list[tuple[int, Block]], kind: int) -> Any:
    """Return the message of a kind, or None; several are an error."""
    found = [message for number, message in messages if number == kind]
    if len(found) > 1:
        raise ValueError("it has an object with two headers of one kind")
    return found[0] if found else None
