"""The order in which a pass goes through the rows: a function of the run's key and the pass."""

from collections.abc import Callable, Mapping

import jax
import numpy as np

from fjax.typing import Key


def shuffle_seed(key: Key) -> int:
    """Return the seed that a run of this key draws its orders from."""
    words = np.asarray(jax.random.key_data(key)).ravel()
    return int(words[0]) << 32 | int(words[-1])


def _sorted_words(generator: np.random.Philox, count: int) -> np.ndarray:
    """Sort random words whose low bits are the numbers of the rows.

    Only the raw words come from numpy, which promises that they stay the same; how its
    `Generator.permutation` uses them may change with any release.
    """
    words = generator.random_raw(count)
    low_bits = np.uint64((1 << max(count - 1, 1).bit_length()) - 1)
    words &= ~low_bits
    words |= np.arange(count, dtype=np.uint64)
    words.sort()
    return words & low_bits


def _permutation(generator: np.random.Philox, count: int) -> np.ndarray:
    return np.random.Generator(generator).permutation(count)


# The rules by which orders are drawn, by their names in kept runs: a run goes on by the rule of its
# beginning.
RULE, FIRST_RULE = "sorted-words", "permutation"
_RULES: Mapping[str, Callable[[np.random.Philox, int], np.ndarray]] = {
    RULE: _sorted_words,
    FIRST_RULE: _permutation,
}


def order_of_pass(seed: int, number: int, count: int, rule: str = RULE) -> np.ndarray:
    """Return the order of so many rows in one pass, int32.

    It is drawn on the host by Philox, a counter-based generator, in a fiftieth of the time that the
    device would take.

    Args:
        seed: The run's.
        number: The pass.
        count: The rows.
        rule: How the generator's words become an order.

    Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011.

    >>> print(order_of_pass(0, 0, 5), order_of_pass(0, 1, 5))
    [0 2 1 4 3] [3 2 4 1 0]
    """
    generator = np.random.Philox(key=np.array([seed, number], np.uint64))
    return _RULES[rule](generator, count).astype(np.int32)
