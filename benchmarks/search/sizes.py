"""How large a search and a set of seeds are, and what a program gives to be timed."""

from collections.abc import Callable
from dataclasses import dataclass

# What is timed; it returns a score, so that it can be seen that all do the same.
Timed = Callable[[], float]

BATCH_SIZE = 32
FEATURES = 8


@dataclass(frozen=True)
class Sizes:
    """How much is trained.

    Attributes:
        candidates: How many candidates a search draws.
        folds: In how many folds each is trained.
        epochs: For how many epochs.
        seeds: From how many seeds one network is trained.
    """

    candidates: int
    folds: int
    epochs: int
    seeds: int


FULL = Sizes(candidates=10, folds=3, epochs=10, seeds=64)
QUICK = Sizes(candidates=2, folds=2, epochs=1, seeds=3)


def sizes(quick: bool) -> Sizes:
    """Return the sizes, full or tiny."""
    return QUICK if quick else FULL
