"""Rows of memory-mapped arrays, which are read when they are needed."""

import bisect
import itertools
import mmap
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from fjax.errors import warn_user

# The numbers of some rows; None for the rows of an array that is whole.
Rows = slice | np.ndarray | None

# A memory-mapped array of fewer bytes is read into memory.
SMALLEST_ON_DISK = 2**24

# Pages of about so many bytes are in memory before they are dropped.
RESIDENT_BYTES = 2**26

# Linux may map so many bytes around each address that is read, if they are in its cache.
_FAULT_BYTES = 2**21


class Segment(NamedTuple):
    """A memory-mapped array.

    Attributes:
        array: The array.
        mapping: The mapping of its file.
        can_drop: Whether the pages in memory are copies of the file, so that they can be dropped.
        size: The bytes of the file when it was mapped.
        name: The name of the file, for errors.
    """

    array: np.ndarray
    mapping: mmap.mmap
    can_drop: bool
    size: int
    name: str

    @classmethod
    def of(cls, array: Any) -> "Segment | None":
        """Return the segment of an array; None if it is not memory-mapped."""
        node, mapped = array, None
        while isinstance(node, np.ndarray):
            mapped = node if isinstance(node, np.memmap) else mapped
            node = node.base
        if mapped is None or not isinstance(node, mmap.mmap):
            return None
        can_drop = mapped.mode != "c" and hasattr(node, "madvise")
        name = str(mapped.filename or "a memory-mapped file")
        return cls(array.view(np.ndarray), node, can_drop, node.size(), name)

    def read(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return a copy of some rows, and drop the pages that were read.

        Raises:
            OSError: The file has become shorter. Reading its end would kill the process.
        """
        if self.mapping.size() < self.size:
            raise OSError(
                f"{self.name!r} had {self.size} bytes when it was opened, and now has "
                f"{self.mapping.size()}: it was truncated or is being rewritten."
            )
        if isinstance(rows, slice):
            out = np.empty((rows.stop - rows.start, *self.array.shape[1:]), self.array.dtype)
            for first in range(0, len(out), self._rows_in(RESIDENT_BYTES)):
                part = slice(first, min(len(out), first + self._rows_in(RESIDENT_BYTES)))
                out[part] = self.array[rows.start + part.start : rows.start + part.stop]
                self._drop()
            return out
        if len(rows) * (_FAULT_BYTES + self._row_bytes) <= RESIDENT_BYTES:
            out = np.take(self.array, rows, axis=0, mode="clip")
            self._drop()
            return out
        out = np.empty((len(rows), *self.array.shape[1:]), self.array.dtype)
        for positions in self._regions(rows):
            out[positions] = np.take(self.array, rows[positions], axis=0, mode="clip")
            self._drop()
        return out

    @property
    def _row_bytes(self) -> int:
        return max(1, abs(self.array.strides[0]))

    def _rows_in(self, size: int) -> int:
        return max(1, size // self._row_bytes)

    def _regions(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the positions of the rows in each region of the file, in the order of the file."""
        order = np.argsort(rows, kind="stable")
        regions = rows[order] // self._rows_in(RESIDENT_BYTES)
        yield from np.split(order, np.flatnonzero(np.diff(regions)) + 1)

    def _drop(self) -> None:
        """Take the pages out of the memory of this process; they stay in the system's cache."""
        if self.can_drop:
            self.mapping.madvise(mmap.MADV_DONTNEED)


# Converts rows that were read, given their numbers.
Convert = Callable[[np.ndarray, Rows], np.ndarray]


class RowsOnDisk:
    """The rows of one or more memory-mapped arrays, as one array that stays on disk.

    A slice is another view of the disk; an integer or an array of row numbers reads these rows, and
    `np.asarray` reads all of them.

    Args:
        segments: The arrays, of one shape of rows and one dtype.
        first: The first row.
        last: One past the last row.
        conversions: Functions that rows pass through after they are read.

    Attributes:
        shape: The shape of the array, after the conversions.
        dtype: Its dtype.
    """

    def __init__(
        self,
        segments: Sequence[Segment],
        first: int,
        last: int,
        conversions: tuple[Convert, ...] = (),
    ) -> None:
        self._segments, self._first, self._last = segments, first, last
        self._conversions = conversions
        self._ends = list(itertools.accumulate(len(segment.array) for segment in segments))
        rows = segments[0].array
        converted = self._converted(np.zeros((1, *rows.shape[1:]), rows.dtype), None)
        self.shape, self.dtype = (last - first, *converted.shape[1:]), converted.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """The bytes that the array would take in memory."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of shape {self.shape}, {self.dtype}>"

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            first, last, step = key.indices(len(self))
            if step != 1:
                raise ValueError(
                    f"Rows on disk can be sliced with a step of 1, received {key.step}: pass the "
                    "row numbers, as `rows[np.arange(first, last, step)]`, which reads them."
                )
            first += self._first
            return RowsOnDisk(
                self._segments, first, max(first, self._first + last), self._conversions
            )
        rows = np.asarray(key)
        if rows.dtype.kind not in "iu":
            raise TypeError(
                f"Rows on disk take an integer, a slice or an array of integers, received {key!r}."
            )
        if rows.size and (rows.min() < -len(self) or rows.max() >= len(self)):
            raise IndexError(f"There are {len(self)} rows: {key!r} is out of bounds.")
        read = self.read(np.where(rows < 0, rows + len(self), rows).reshape(-1))
        return read.reshape(*rows.shape, *self.shape[1:])[()]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("Rows on disk become an array by a copy.")
        return self.read(slice(0, len(self))).astype(dtype or self.dtype, copy=False)

    def then(self, convert: Convert) -> "RowsOnDisk":
        """Return these rows, with a function that they pass through after they are read."""
        return RowsOnDisk(self._segments, self._first, self._last, (*self._conversions, convert))

    def read(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return some rows as an array in memory.

        Args:
            rows: A slice with a start and a stop, or row numbers, all within bounds.
        """
        if isinstance(rows, slice):
            rows = slice(rows.start + self._first, rows.stop + self._first)
        else:
            rows = rows + self._first if self._first else rows
        return self._converted(self._read(rows), rows)

    def _read(self, rows: slice | np.ndarray) -> np.ndarray:
        if len(self._segments) == 1:
            return self._segments[0].read(rows)
        if isinstance(rows, slice):
            return np.concatenate(list(self._slices(rows)))
        of_row = np.searchsorted(self._ends, rows, side="right")
        array = self._segments[0].array
        out = np.empty((len(rows), *array.shape[1:]), array.dtype)
        for index in np.unique(of_row):
            is_here = of_row == index
            out[is_here] = self._segments[index].read(rows[is_here] - self._start(index))
        return out

    def _slices(self, rows: slice) -> Iterator[np.ndarray]:
        """Yield the rows of a slice, segment by segment."""
        first = rows.start
        while True:
            index = min(bisect.bisect_right(self._ends, first), len(self._ends) - 1)
            start, last = self._start(index), min(rows.stop, self._ends[index])
            yield self._segments[index].read(slice(first - start, last - start))
            first = last
            if first >= rows.stop:
                return

    def _start(self, index: int) -> int:
        return self._ends[index - 1] if index else 0

    def _converted(self, array: np.ndarray, rows: Rows) -> np.ndarray:
        for convert in self._conversions:
            array = convert(array, rows)
        return array


def mapped_rows(name: str, value: Any) -> RowsOnDisk | None:
    """Return the rows of an array that stays on disk; None for an array in memory.

    Args:
        name: The name of the array, for warnings.
        value: Any value.

    A memory-mapped array that is small, or stored column by column, is read into memory.
    """
    if isinstance(value, RowsOnDisk):
        return value
    segment = Segment.of(value)
    if segment is None or value.ndim == 0 or value.nbytes < SMALLEST_ON_DISK:
        return None
    if value.flags.f_contiguous and not value.flags.c_contiguous:
        warn_user(
            f"`{name}` is memory-mapped, but stored column by column, so that no row can be read "
            "without reading all: it is read into memory. Save it with `np.ascontiguousarray` to "
            "train from disk."
        )
        return None
    return RowsOnDisk([segment], 0, len(value))
