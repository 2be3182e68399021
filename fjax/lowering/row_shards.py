"""Among how many devices the rows of a batch are divided, while a program is traced."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_COUNT: ContextVar[int] = ContextVar("count", default=1)


@contextmanager
def dividing_rows(count: int) -> Iterator[None]:
    """Trace programs in the block for batches that are divided among this many devices.

    >>> with dividing_rows(8):
    ...     row_shards(64), row_shards(20)
    (8, 1)
    """
    token = _COUNT.set(count)
    try:
        yield
    finally:
        _COUNT.reset(token)


def row_shards(row_count: int) -> int:
    """Return among how many devices so many rows are divided: 1 if they cannot be."""
    count = _COUNT.get()
    return count if row_count % count == 0 else 1
