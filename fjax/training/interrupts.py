"""Delay Ctrl-C while a train state is donated, so that a valid state always exists."""

import signal
import threading
from typing import Any, Self

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


class Donations:
    """Delays Ctrl-C while a train state is donated; a context for all steps of an epoch.

    The train state is donated to the program that advances it: there is no valid state between this
    call and the storing of its result. As long as the arrays exist, as while a program is traced
    and compiled or while steps run uncompiled, Ctrl-C takes effect at once. Outside the main thread
    there are no signals to delay.

    >>> with Donations() as donations, donations.of({}):
    ...     stored = "result"
    """

    def __init__(self) -> None:
        self._previous: Any = None
        self._is_installed = False
        self._train_state: Any = None
        self._delayed: list[tuple[int, Any]] = []

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._handle)
            self._is_installed = True
        return self

    def __exit__(self, *error: object) -> None:
        # A callback may have set another handler meanwhile, which stays.
        if self._is_installed and signal.getsignal(signal.SIGINT) == self._handle:
            signal.signal(signal.SIGINT, self._previous or signal.SIG_DFL)

    def of(self, train_state: Any) -> "_Donation":
        """Return a context that donates a train state to a program, and stores the result.

        If the program fails after the donation, a note is added to the error.
        """
        self._train_state = train_state
        return _Donation(self)

    def end(self, error: BaseException | None) -> None:
        """End a donation; a Ctrl-C that was delayed takes effect now."""
        train_state, self._train_state = self._train_state, None
        if isinstance(error, Exception) and is_donated(train_state):
            error.add_note(
                "The weights were donated to the step that failed on the device. Set them again, "
                "by `set_weights` or a copy of `train_state` that was taken before."
            )
        if self._delayed:
            delayed, self._delayed = self._delayed[0], []
            self._call_previous(*delayed)

    def _handle(self, number: int, frame: Any) -> None:
        if self._train_state is not None and is_donated(self._train_state):
            self._delayed.append((number, frame))
        else:
            self._call_previous(number, frame)

    def _call_previous(self, number: int, frame: Any) -> None:
        if self._previous is not signal.SIG_IGN:
            handler = self._previous if callable(self._previous) else signal.default_int_handler
            handler(number, frame)


class _Donation:
    """One donation, as a context."""

    def __init__(self, donations: Donations) -> None:
        self._donations = donations

    def __enter__(self) -> None:
        """Do nothing: the donation has begun."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._donations.end(error)
