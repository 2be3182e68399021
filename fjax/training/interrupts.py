"""Ctrl-C at a moment that leaves the run whole."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax

from fjax.typing import PyTree


def is_donated(tree: PyTree) -> bool:
    """Tell whether arrays of a tree were donated to a program, and are gone.

    >>> import numpy as np
    >>> is_donated({"w": np.zeros(2)})
    False
    """
    arrays = (leaf for leaf in jax.tree.leaves(tree) if isinstance(leaf, jax.Array))
    return any(array.is_deleted() for array in arrays)


@contextmanager
def donating(train_state: Any) -> Iterator[None]:
    """Donate a train state to a program within the block, and keep what it returns.

    Ctrl-C is held back while the arrays are gone; see `uninterrupted`. If the program fails after
    it took the arrays, the error says so.

    Args:
        train_state: What is donated.
    """
    try:
        with uninterrupted(train_state):
            yield
    except Exception as error:
        if is_donated(train_state.params):
            error.add_note(
                "The weights were donated to the step that failed on the device. Set them again, "
                "by `set_weights` or a copy of `train_state` that was taken before."
            )
        raise


@contextmanager
def uninterrupted(train_state: PyTree) -> Iterator[None]:
    """Hold back a Ctrl-C while the arrays of a train state are gone.

    The train state is donated to the program that advances it: between that call and the keeping
    of what it returns there is no valid state to keep. As long as its arrays are there, while a
    program is traced and compiled and where steps run uncompiled, a Ctrl-C takes effect at once.
    Outside the main thread no signal arrives.

    Args:
        train_state: What is donated within the block.

    >>> with uninterrupted({}):
    ...     kept = "whole"
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held_back: list[tuple[int, Any]] = []

    def hear(number: int, frame: Any) -> None:
        if is_donated(train_state):
            held_back.append((number, frame))
        else:
            interrupt(number, frame)

    def interrupt(number: int, frame: Any) -> None:
        handler = previous if callable(previous) else signal.default_int_handler
        if previous is not signal.SIG_IGN:
            handler(number, frame)

    previous = signal.signal(signal.SIGINT, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous or signal.SIG_DFL)
    if held_back:
        interrupt(*held_back[0])
