"""Read batches ahead in a thread, without losing any."""

import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# The number of iterators without weak references whose unused items are kept.
CACHE_SIZE = 4


class Stream(Generic[Item]):
    """The items that were read from an iterator but not used, for the next reader.

    Attributes:
        unused: The items, the oldest first.
        lock: Held during `next(iterator)`: a slow iterator may still be running for a reader that
            was closed.
    """

    def __init__(self) -> None:
        self.unused: deque[Item] = deque()
        self.lock = threading.Lock()


# Keyed by the iterator, which is not kept alive.
_STREAMS: weakref.WeakKeyDictionary[Any, Stream[Any]] = weakref.WeakKeyDictionary()
_LATEST: OrderedDict[int, tuple[Any, Stream[Any]]] = OrderedDict()


def stream_of(items: Iterator[Item]) -> Stream[Item]:
    """Return the stream of an iterator, always the same object.

    >>> batches = iter(range(3))
    >>> stream_of(batches) is stream_of(batches)
    True
    """
    try:
        return _STREAMS.setdefault(items, Stream())
    except TypeError:
        # `zip`, `map` and others have no weak references, so that the last few are kept alive.
        _, stream = _LATEST.setdefault(id(items), (items, Stream()))
        _LATEST.move_to_end(id(items))
        while len(_LATEST) > CACHE_SIZE:
            _LATEST.popitem(last=False)
        return stream


def forget_streams() -> None:
    """Drop the unused items of all iterators."""
    _STREAMS.clear()
    _LATEST.clear()


class Entry(NamedTuple):
    """An item that was read, with the result made from it or the error that this raised.

    Attributes:
        items: The item; empty for an error of the iterator itself.
        result: The result of `convert`.
        kind: The `kind` of the result.
        error: The error.
    """

    items: list[Any]
    result: Any = None
    kind: Any = None
    error: BaseException | None = None


class Reader(Generic[Item, Result]):
    """Reads an iterator in a thread, at most `ahead` items before they are requested.

    It reads no more than `allow` permits. Items that are read but not used when it is closed stay
    in the stream. An error of the iterator or of `convert` is raised instead of returning the item.

    Args:
        items: An iterator or an iterable.
        convert: Converts an item to a batch, in the thread.
        stream: The unused items of the iterator, if this reader continues where the last one of
            the same iterator stopped; see `stream_of`.
        kind: Returns a value that is equal for results that `take` may return together.

    Attributes:
        ahead: The number of items to read before they are requested.

    >>> reader = Reader(iter(range(5)), lambda item: item * 10)
    >>> reader.allow(2)
    >>> next(reader), next(reader)
    (0, 10)
    >>> reader.close()
    """

    def __init__(
        self,
        items: Any,
        convert: Callable[[Item], Result],
        stream: "Stream[Item] | None" = None,
        kind: Callable[[Result], Any] = lambda result: None,
    ) -> None:
        self._items: Iterator[Item] = _iterate(items)
        self._convert, self._kind, self.ahead = convert, kind, 2
        self._stream: Stream[Item] = Stream() if stream is None else stream
        # Guards everything below.
        self._changed = threading.Condition()
        self._ready: deque[Entry] = deque()
        self._converting: list[Item] = []
        self._started = self._delivered = 0
        self._allowed: float = 0
        self._closed = self._ended = False
        # The thread ends after the permitted items, so that a reader need not be closed.
        self._thread: threading.Thread | None = None

    def allow(self, count: int | None) -> None:
        """Permit this many further items; None permits any number."""
        with self._changed:
            self._allowed = float("inf") if count is None else self._delivered + count
            self._wake()

    def peek(self) -> Item:
        """Return the next item of the iterator without using it up.

        Must be called before anything is read ahead.

        Raises:
            StopIteration: There is no further item.
        """
        with self._stream.lock:
            if not self._stream.unused:
                self._stream.unused.append(next(self._items))
            return self._stream.unused[0]

    def drop(self) -> None:
        """Remove the item that `peek` has returned."""
        self._stream.unused.popleft()

    def forget(self) -> None:
        """Remove all items that were read but not used, before anything is read ahead."""
        self._stream.unused.clear()

    def __iter__(self) -> Iterator[Result]:
        return self

    def __next__(self) -> Result:
        entries = self.take(1)
        if not entries:
            raise StopIteration
        result: Result = entries[0].result
        return result

    def take(self, most: int) -> list[Entry]:
        """Return the next entries that are ready: at least one, and at most `most`, of one kind.

        Returns:
            The entries; none at the end.

        Raises:
            BaseException: The error that reading or converting the next item has raised.
        """
        with self._changed:
            self._allowed = max(self._allowed, self._delivered + 1)
            self._wake()
            while not (self._ready or self._ended or self._closed):
                self._changed.wait()
            taken: list[Entry] = []
            while self._ready and len(taken) < most:
                entry = self._ready[0]
                if taken and (entry.error is not None or entry.kind != taken[0].kind):
                    break
                taken.append(self._ready.popleft())
                if entry.error is not None:
                    break
            self._delivered += len(taken)
            self._changed.notify_all()
        if taken and taken[0].error is not None:
            raise taken[0].error
        return taken

    def put_back(self, entries: Sequence[Entry]) -> None:
        """Take back entries, the last ones that were taken, which were not used."""
        with self._changed:
            self._ready.extendleft(reversed(entries))
            self._delivered -= len(entries)

    def close(self) -> None:
        """End the thread; items that were read but not used stay in the stream.

        If the iterator is slow, its item is awaited in the background, and stays there, too.
        """
        with self._changed:
            if not self._closed:
                self._closed = True
                unused = [item for entry in self._ready for item in entry.items]
                self._stream.unused.extendleft(reversed([*unused, *self._converting]))
                self._ready.clear()
                self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(timeout=5.0)

    def _wake(self) -> None:
        """Wake or start the thread; the caller holds the condition."""
        should_read = self._started < self._allowed and not (self._ended or self._closed)
        if should_read and self._thread is None:
            self._thread = threading.Thread(target=self._read, name="fjax-read-ahead", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _read(self) -> None:
        while self._may_continue():
            try:
                item = self._next_item()
            except StopIteration:
                self._deliver(ended=True)
                return
            except BaseException as error:
                self._deliver(Entry([], error=error), ended=True)
                return
            if item is not None:
                self._deliver(self._entry_of(*item))

    def _may_continue(self) -> bool:
        """Wait until there is room for an item; return whether it should be read."""
        with self._changed:
            while (
                not self._closed
                and self._started < self._allowed
                and len(self._ready) >= self.ahead
            ):
                self._changed.wait()
            if self._closed or self._started >= self._allowed:
                self._thread = None
                return False
            self._started += 1
            return True

    def _next_item(self) -> tuple[Item] | None:
        """Return the next item; None if the reader was closed meanwhile."""
        unused = self._stream.unused
        with self._stream.lock:
            with self._changed:
                if self._closed:
                    return None
                if unused:
                    self._converting = [unused.popleft()]
                    return (self._converting[0],)
            item = next(self._items)
            with self._changed:
                # If the reader was closed meanwhile, the item is for the next one.
                (unused if self._closed else self._converting).append(item)
                return (item,) if self._converting else None

    def _entry_of(self, item: Item) -> Entry:
        try:
            result = self._convert(item)
            return Entry([item], result, self._kind(result))
        except BaseException as error:
            return Entry([item], error=error)

    def _deliver(self, entry: Entry | None = None, ended: bool = False) -> None:
        with self._changed:
            # If the reader was closed, the item is back in the stream.
            if entry is not None and not self._closed:
                self._ready.append(entry)
            self._converting = []
            self._ended = self._ended or ended
            self._changed.notify_all()


def _iterate(batches: Any) -> Iterator[Any]:
    # Not `yield from`, which would close a user's generator together with this one.
    for batch in batches:  # noqa: UP028
        yield batch
