"""The sizes of searches and sets of seeds, and the type of what is timed."""

from collections.abc import Callable
from dataclasses import dataclass

# The function that is timed. It returns a score, which shows that all programs do the same.
Timed = Callable[[], float]

BATCH_SIZE = 32
FEATURES = 8


@dataclass(frozen=True)
class Sizes:
    """How much is trained.

    Attributes:
        candidates: The number of candidates of a search.
        folds: The number of folds.
        epochs: The number of epochs.
        seeds: The number of seeds of one network.
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
