"""Ctrl-C at a moment that leaves the run whole."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back a KeyboardInterrupt until the block is done.

    The train state is donated to the program that advances it: between that call and the keeping of
    what it returns there is no valid state to keep. Outside the main thread no signal arrives.

    >>> with uninterrupted():
    ...     kept = "whole"
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[Any] = []
    previous = signal.signal(signal.SIGINT, lambda number, frame: came.append(frame))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous or signal.SIG_DFL)
    if came:
        raise KeyboardInterrupt
