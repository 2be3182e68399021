"""Shuffling: the order of rows is a function of the run's key and the number of the pass."""

from collections.abc import Callable, Iterator, Mapping

import jax
import numpy as np

from fjax.typing import Key

# An order of more rows is computed in parts of about this many rows.
PART_ROWS = 2**24

# The random words that are drawn at a time.
_CHUNK = 2**18


def shuffle_seed(key: Key) -> int:
    """Return the seed of a run's orders, derived from its key."""
    words = np.asarray(jax.random.key_data(key)).ravel()
    return int(words[0]) << 32 | int(words[-1])


def _sorted_words(generator: np.random.Philox, count: int) -> np.ndarray:
    """Sort random words whose low bits are the row numbers.

    Numpy guarantees the raw words in all releases; `Generator.permutation` may change. The largest
    array has 8 bytes a row.
    """
    words = generator.random_raw(count)
    for first in range(0, count, _CHUNK):
        _number(words[first : first + _CHUNK], first, count)
    words.sort()
    return _rows_of(words, count)


def _number(words: np.ndarray, first: int, count: int) -> None:
    """Replace the low bits of words by the row numbers from `first` on."""
    words &= ~_low_bits(count)
    words |= np.arange(first, first + len(words), dtype=np.uint64)


def _low_bits(count: int) -> np.uint64:
    return np.uint64((1 << max(count - 1, 1).bit_length()) - 1)


def _rows_of(words: np.ndarray, count: int) -> np.ndarray:
    """Return the row numbers in the low bits of words, which are overwritten."""
    words &= _low_bits(count)
    return words.astype(np.int32 if count <= 2**31 else np.int64)


def _permutation(generator: np.random.Philox, count: int) -> np.ndarray:
    return np.random.Generator(generator).permutation(count).astype(np.int32)


# The rules for drawing orders, by their names in checkpoints. A resumed run uses its first rule.
RULE, FIRST_RULE = "sorted-words", "permutation"
_RULES: Mapping[str, Callable[[np.random.Philox, int], np.ndarray]] = {
    RULE: _sorted_words,
    FIRST_RULE: _permutation,
}


def order_of_pass(seed: int, number: int, count: int, rule: str = RULE) -> np.ndarray:
    """Return the order of the rows in one pass, int32; int64 for more than 2**31 rows.

    It is drawn on the host with Philox, a counter-based generator, which takes a fiftieth of the
    time on the device.

    Args:
        seed: The seed of the run's orders.
        number: The number of the pass.
        count: The number of rows.
        rule: The rule that converts random words to an order.

    Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.

    >>> print(order_of_pass(0, 0, 5), order_of_pass(0, 1, 5))
    [0 2 1 4 3] [3 2 4 1 0]
    """
    return _RULES[rule](_generator(seed, number), count)


def _generator(seed: int, number: int) -> np.random.Philox:
    return np.random.Philox(key=np.array([seed, number], np.uint64))


class PassOrder:
    """The order of `order_of_pass`, computed in parts, for data that does not fit into memory.

    The sorted words of a range of values are a part of the sorted words of all rows. So the words
    are drawn again for each part, and only those of its range are kept and sorted. Memory is 8
    bytes for each row of a part, whatever the number of rows.

    The arguments are those of `order_of_pass`.

    >>> print(PassOrder(0, 1, 5).take(1, 4), order_of_pass(0, 1, 5)[1:4])
    [2 4 1] [2 4 1]
    """

    def __init__(self, seed: int, number: int, count: int, rule: str = RULE) -> None:
        self._key, self._count = (seed, number), count
        self._rule = rule
        # The parts divide the values of the words into equal ranges.
        bits = max(0, -(-count // PART_ROWS) - 1).bit_length() if rule == RULE else 0
        self._shift = np.uint64(64 - bits)
        self._ends = np.array([count]) if bits == 0 else self._count_words(1 << bits)
        self._part: tuple[int, np.ndarray] | None = None

    def take(self, first: int, last: int) -> np.ndarray:
        """Return the rows at the positions `first` to `last` of the order.

        Positions are fast to take in ascending order.
        """
        taken = []
        while first < last:
            part = int(np.searchsorted(self._ends, first, side="right"))
            start = int(self._ends[part - 1]) if part else 0
            stop = min(last, int(self._ends[part]))
            taken.append(self._rows(part)[first - start : stop - start])
            first = stop
        return taken[0] if len(taken) == 1 else np.concatenate(taken)

    def _rows(self, part: int) -> np.ndarray:
        """Return the rows of a part; the last one is kept."""
        if self._part is None or self._part[0] != part:
            self._part = None
            self._part = part, self._sorted(part)
        return self._part[1]

    def _sorted(self, part: int) -> np.ndarray:
        if len(self._ends) == 1:
            return order_of_pass(*self._key, self._count, self._rule)
        start = int(self._ends[part - 1]) if part else 0
        words, filled = np.empty(int(self._ends[part]) - start, np.uint64), 0
        for drawn in self._words():
            chosen = drawn[drawn >> self._shift == part]
            words[filled : filled + len(chosen)] = chosen
            filled += len(chosen)
        words.sort()
        return _rows_of(words, self._count)

    def _count_words(self, parts: int) -> np.ndarray:
        """Return the position after the last word of each part."""
        counts = np.zeros(parts, np.int64)
        for words in self._words():
            counts += np.bincount((words >> self._shift).astype(np.intp), minlength=parts)
        return np.cumsum(counts)

    def _words(self) -> Iterator[np.ndarray]:
        """Yield the words of all rows, numbered, in chunks."""
        generator = _generator(*self._key)
        for first in range(0, self._count, _CHUNK):
            words = generator.random_raw(min(_CHUNK, self._count - first))
            _number(words, first, self._count)
            yield words
