"""Work that goes on while the next steps are made."""

import threading
from collections.abc import Callable


class Background:
    """One piece of work at a time in a thread of its own; its error is raised to who waits.

    >>> background, written = Background(), []
    >>> background.start(lambda: written.append("all"))
    >>> background.wait()
    >>> written
    ['all']
    """

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def start(self, work: Callable[[], None]) -> None:
        """Begin a piece of work, once the one before is done."""
        self.wait()
        self._thread = threading.Thread(target=self._do, args=(work,), name="fjax-write")
        self._thread.start()

    def wait(self) -> None:
        """Return when the work is done; raise what it raised."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _do(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self._error = error
