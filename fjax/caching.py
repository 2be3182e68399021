"""Bounded caches of what is computed from configurations: compiled programs and shapes.

Keys are plain data from `fjax.configuration.cache_key`, never a user's object or an array, so that
a cache keeps none of these alive. `clear_caches` empties all caches.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")

# All caches of the process, for `clear_caches`: each is a global variable of its module.
_CACHES: list["Cache[object]"] = []
_generation = 0


class Cache(Generic[Value]):
    """A cache of the most recently used values; several threads may use it.

    Args:
        size: The largest number of values.

    >>> squares: Cache[int] = Cache(2)
    >>> squares.get(3, lambda: 9), squares.get(3, lambda: 0)
    (9, 9)
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        # scikit-learn's searches may call from several threads.
        self._lock = threading.Lock()
        _CACHES.append(self)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of a key; the first time, `make` computes it."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._size:
                self._values.popitem(last=False)
        return value

    def clear(self) -> None:
        """Remove all values."""
        with self._lock:
            self._values.clear()


def clear_caches() -> None:
    """Empty all caches of this process."""
    global _generation
    _generation += 1
    for cache in _CACHES:
        cache.clear()


def generation() -> int:
    """Return how often the caches were emptied, for objects that keep what comes from a cache."""
    return _generation
