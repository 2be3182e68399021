"""Bounded caches of what is made from descriptions: compiled programs, and shapes.

A key is plain data from `fjax.configuration.cache_key`, never a user's object or an array, so that
no cache keeps one alive. `clear_caches` empties all of them.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")

# Every cache of the process, for `clear_caches`; caches are made where modules are imported.
_CACHES: list["Cache[object]"] = []


class Cache(Generic[Value]):
    """The values that were used last, by their keys.

    Args:
        size: How many values to keep.

    >>> squares: Cache[int] = Cache(2)
    >>> squares.get(3, lambda: 9), squares.get(3, lambda: 0)
    (9, 9)
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        # Searches of scikit-learn's may call from several threads.
        self._lock = threading.Lock()
        _CACHES.append(self)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of a key; it is made and kept where there is none."""
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
        """Forget all values."""
        with self._lock:
            self._values.clear()


def clear_caches() -> None:
    """Empty all caches of this process."""
    for cache in _CACHES:
        cache.clear()
