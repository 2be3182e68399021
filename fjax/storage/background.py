"""Work in a background thread, while training continues."""

import threading
from collections.abc import Callable


class BackgroundTask:
    """Runs one function at a time in a thread, and raises its error in the thread that waits.

    >>> task, written = BackgroundTask(), []
    >>> task.start(lambda: written.append("all"))
    >>> task.wait()
    >>> written
    ['all']
    """

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def start(self, function: Callable[[], None]) -> None:
        """Run a function in the background, after the previous one has finished."""
        self.wait()
        self._thread = threading.Thread(target=self._run, args=(function,), name="fjax-write")
        self._thread.start()

    def wait(self) -> None:
        """Wait until the function has finished; raise its error if it failed."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _run(self, function: Callable[[], None]) -> None:
        try:
            function()
        except BaseException as error:
            self._error = error
