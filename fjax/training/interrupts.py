"""Delay Ctrl-C while a train state is donated, so that a valid state always exists."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax

from fjax.typing import PyTree


def is_donated(tree: PyTree) -> bool:
    """Return whether arrays of a tree were donated to a program and are deleted.

    >>> import numpy as np
    >>> is_donated({"w": np.zeros(2)})
    False
    """
    arrays = (leaf for leaf in jax.tree.leaves(tree) if isinstance(leaf, jax.Array))
    return any(array.is_deleted() for array in arrays)


@contextmanager
def donating(train_state: Any) -> Iterator[None]:
    """Guard a block that donates a train state to a program and stores the result.

    Ctrl-C is delayed while the arrays are deleted; see `uninterrupted`. If the program fails after
    the donation, a note is added to the error.

    Args:
        train_state: The donated train state.
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
    """Delay a Ctrl-C while the arrays of a train state are deleted.

    The train state is donated to the program that advances it: there is no valid state between this
    call and the storing of its result. As long as the arrays exist, as while a program is traced
    and compiled or while steps run uncompiled, Ctrl-C takes effect at once. Outside the main thread
    there are no signals to delay.

    Args:
        train_state: The train state that is donated within the block.

    >>> with uninterrupted({}):
    ...     stored = "result"
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    delayed: list[tuple[int, Any]] = []

    def handle_signal(number: int, frame: Any) -> None:
        if is_donated(train_state):
            delayed.append((number, frame))
        else:
            call_previous_handler(number, frame)

    def call_previous_handler(number: int, frame: Any) -> None:
        handler = previous if callable(previous) else signal.default_int_handler
        if previous is not signal.SIG_IGN:
            handler(number, frame)

    previous = signal.signal(signal.SIGINT, handle_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous or signal.SIG_DFL)
    if delayed:
        call_previous_handler(*delayed[0])
