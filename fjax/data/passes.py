"""Passes through the rows of a data set, and the ranges of rows that windows have."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fjax.data.shuffling import RULE
from fjax.data.windows import filled_size
from fjax.training.batch import Batch, batches_in_window


class Part(NamedTuple):
    """A part of one pass through the rows: the batches `first` to `last`."""

    number: int
    first: int
    last: int


class RowRange(NamedTuple):
    """The rows of a window: those at the positions `first` to `last` of the order of a pass.

    Attributes:
        number: The pass.
        first: The first position.
        last: One past the last position.
        batch_size: The rows in a batch of the window.
        is_filled: Whether the last batch may have rows that do not count.
    """

    number: int
    first: int
    last: int
    batch_size: int
    is_filled: bool

    @property
    def size(self) -> int:
        """The number of rows."""
        return self.last - self.first


class Passes:
    """The endless sequence of passes through the rows, divided into epochs.

    The order of a pass depends only on the seed and the number of the pass. An epoch is one pass,
    or `steps_per_epoch` steps of the sequence.

    Args:
        count: The number of rows.
        batch_size: Rows in a batch; the last batch of a pass has the remaining rows.
        seed: The seed for the order of each pass; None does not shuffle.
        steps_per_epoch: Steps in an epoch; None for one pass.

    Attributes:
        length: The batches in a pass.
        steps: The steps in an epoch.
        seed: The seed.
        rule: The rule by which orders are drawn; see `fjax.data.shuffling`.

    >>> passes = Passes(10, batch_size=4, seed=None, steps_per_epoch=2)
    >>> list(passes.parts(epoch=1, step=0))
    [Part(number=0, first=2, last=3), Part(number=1, first=0, last=1)]
    """

    def __init__(
        self, count: int, batch_size: int, seed: int | None, steps_per_epoch: int | None
    ) -> None:
        self.count = count
        self.batch_size = min(batch_size, count)
        self.length = math.ceil(count / self.batch_size)
        self.steps = steps_per_epoch or self.length
        self.seed, self.rule = seed, RULE
        self._full_size = batch_size

    @property
    def is_shuffled(self) -> bool:
        """Whether each pass has an order of its own."""
        return self.seed is not None

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """The numbers of rows that a batch can have."""
        full, rest = divmod(self.count, self.batch_size)
        return tuple(size for size in (self.batch_size * min(full, 1), rest) if size)

    def parts(self, epoch: int, step: int) -> Iterator[Part]:
        """Return the parts of passes that an epoch consists of, from a step on."""
        position, end = epoch * self.steps + step, (epoch + 1) * self.steps
        while position < end:
            number, first = divmod(position, self.length)
            last = min(self.length, first + end - position)
            yield Part(number, first, last)
            position += last - first

    def ranges(self, part: Part, spec: Batch, fill: bool) -> Iterator[RowRange]:
        """Return the rows of each window of a part of a pass.

        Args:
            part: The part.
            spec: The shapes and dtypes of rows, from which the capacity of a window follows.
            fill: Whether the last batch may be filled.
        """
        size = filled_size(self.count, self._full_size) if fill else self.batch_size
        is_filled = fill and self.count % size != 0
        capacity = batches_in_window(spec, size) * size
        stop = min(self.count, part.last * size)
        full = stop if fill else stop - stop % size
        for first in range(part.first * size, full, capacity):
            last = min(full, first + capacity)
            yield RowRange(part.number, first, last, size, is_filled)
        if full < stop:
            first = max(full, part.first * size)
            yield RowRange(part.number, first, stop, stop - full, is_filled)

    def state(self) -> dict[str, Any]:
        """Return the state for a checkpoint; see `fjax.training.batch.Source`."""
        return {"order_rule": self.rule}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Restore the seed and the rule of the orders; the step is an argument of `parts`."""
        if self.seed is not None:
            self.seed, self.rule = state["shuffle_seed"], state["order_rule"]
