"""The order in which TensorFlow's `Dataset.shuffle` yields its items.

A buffer is filled; a random item of it is yielded, and replaced by the next one. The random numbers
are those of Philox-4x32-10 (J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011),
with TensorFlow's keys, so that a seed gives TensorFlow's order.
"""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

# The seed of a TensorFlow program that sets none.
GRAPH_SEED = 87654321

_MASK = 0xFFFFFFFF


def random_words(low: int, high: int) -> Iterator[int]:
    """Return the 32-bit words of Philox-4x32-10.

    Args:
        low: The key, of 64 bits.
        high: The upper half of the counter, of 64 bits.

    >>> next(random_words(0, 0)) == 0x6627E8D5
    True
    """
    counter = (high & (2**64 - 1)) << 64
    while True:
        words = [counter >> shift & _MASK for shift in (0, 32, 64, 96)]
        key = [low & _MASK, low >> 32 & _MASK]
        for _ in range(10):
            first, second = words[0] * 0xD2511F53, words[2] * 0xCD9E8D57
            words = [
                second >> 32 ^ words[1] ^ key[0],
                second & _MASK,
                first >> 32 ^ words[3] ^ key[1],
                first & _MASK,
            ]
            key = [key[0] + 0x9E3779B9 & _MASK, key[1] + 0xBB67AE85 & _MASK]
        yield from words
        counter = counter + 1 & (2**128 - 1)


def pass_seeds(seed: int, number: int) -> tuple[int, int]:
    """Return the two seeds for the order of a pass through the items.

    Args:
        seed: The seed of `Dataset.shuffle`.
        number: The number of the pass, from 0.

    >>> pass_seeds(1, 0) == pass_seeds(1, 1)
    False
    """
    first, second = itertools.islice(random_words(GRAPH_SEED, seed), 2 * number, 2 * number + 2)
    return first, second


def shuffle(items: Iterable[Any], size: int, seeds: tuple[int, int]) -> Iterator[Any]:
    """Return items in a random order, by a buffer of `size` items.

    Args:
        items: The items.
        size: The size of the buffer; a buffer that holds all items gives a uniform order.
        seeds: The two seeds of the order.

    >>> sorted(shuffle(range(5), 2, (1, 2)))
    [0, 1, 2, 3, 4]
    """
    words = random_words(*seeds)
    # A ring: its oldest entry is at `start`, and the chosen one is swapped with it.
    buffer: list[Any] = []
    start = 0
    for item in items:
        if len(buffer) < size:
            buffer.append(item)
            continue
        chosen = (start + next(words) % size) % size
        buffer[chosen], buffer[start] = buffer[start], buffer[chosen]
        yield buffer[start]
        buffer[start] = item
        start = (start + 1) % size
    for count in range(len(buffer), 0, -1):
        chosen = (start + next(words) % count) % len(buffer)
        buffer[chosen], buffer[start] = buffer[start], buffer[chosen]
        yield buffer[start]
        start = (start + 1) % len(buffer)
