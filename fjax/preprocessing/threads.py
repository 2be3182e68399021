"""Compute items in threads, in order, and only a few ahead of their use."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

# What `next` returns when there are no further items.
_END = object()


def map_in_threads(
    function: Callable[[Any], Any], items: Iterable[Any], workers: int
) -> Iterator[Any]:
    """Return the values of a function, computed by several threads, in the order of the items.

    At most twice as many values as threads are computed before they are used. An error is raised in
    place of its value, and ends the iteration.

    >>> list(map_in_threads(abs, [-1, 2, -3], 2))
    [1, 2, 3]
    """
    waiting: deque[Future[Any]] = deque()
    with ThreadPoolExecutor(workers, "fjax-map") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            _cancel(waiting)


def read_ahead(items: Iterable[Any], count: int) -> Iterator[Any]:
    """Return items that a thread reads before they are used, at most `count`.

    >>> list(read_ahead(range(3), 2))
    [0, 1, 2]
    """
    iterator = iter(items)
    waiting: deque[Future[Any]] = deque()
    with ThreadPoolExecutor(1, "fjax-prefetch") as pool:
        try:
            waiting.extend(pool.submit(next, iterator, _END) for _ in range(count))
            while (item := waiting.popleft().result()) is not _END:
                waiting.append(pool.submit(next, iterator, _END))
                yield item
        finally:
            _cancel(waiting)


def _cancel(futures: Iterable[Future[Any]]) -> None:
    for future in futures:
        future.cancel()
