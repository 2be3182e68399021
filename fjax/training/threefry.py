"""JAX's counter-based random numbers on the host: the same bits as `jax.random` of Threefry keys.

A key is two words; the numbers of an array are Threefry's blocks of (key, index in the array).

Source: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3" (2011), Threefry-2x32-20; JAX's
page "JAX PEP 9263: Typed keys" for what `split` and `fold_in` make of it.
"""

import math

import numpy as np

from fjax.typing import Shape

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = np.uint32(0x1BD11BDA)


def block(key: np.ndarray, high: np.ndarray, low: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Threefry's two words for the counters of these two words.

    Args:
        key: The two words of a key, along the last axis.
        high: The counters' first words.
        low: Their second words.
    """
    schedule = (key[..., 0], key[..., 1], key[..., 0] ^ key[..., 1] ^ PARITY)
    # Sums of words are meant to overflow; numpy warns of it for single ones.
    with np.errstate(over="ignore"):
        first, second = high + schedule[0], low + schedule[1]
        for part in range(5):
            for rotation in ROTATIONS[part % 2]:
                turned = second << np.uint32(rotation) | second >> np.uint32(32 - rotation)
                first = first + second
                second = first ^ turned
            first = first + schedule[(part + 1) % 3]
            second = second + schedule[(part + 2) % 3] + np.uint32(part + 1)
    return first, second


def seed(value: np.ndarray) -> np.ndarray:
    """Return the key of a seed of 32 bits."""
    low = np.asarray(value).astype(np.uint32)
    return np.stack([np.zeros_like(low), low], axis=-1)


def split(key: np.ndarray, shape: Shape) -> np.ndarray:
    """Return as many keys of each key as `jax.random.split` does."""
    return np.stack(block(_spread(key, shape), *_counters(shape)), axis=-1)


def fold_in(key: np.ndarray, data: np.ndarray) -> np.ndarray:
    """Return the key that `jax.random.fold_in` makes of a key and a number."""
    counter = seed(data)
    return np.stack(block(key, counter[..., 0], counter[..., 1]), axis=-1)


def bits(key: np.ndarray, shape: Shape) -> np.ndarray:
    """Return random words of each key, as `jax.random.bits` does.

    >>> import jax
    >>> words = bits(seed(np.uint32(7)), (2, 3))
    >>> bool((words == jax.random.bits(jax.random.key(7), (2, 3))).all())
    True
    """
    first, second = block(_spread(key, shape), *_counters(shape))
    return first ^ second


def _spread(key: np.ndarray, shape: Shape) -> np.ndarray:
    """Return keys with an axis for each of what is drawn of one."""
    return key.reshape(*key.shape[:-1], *[1] * len(shape), key.shape[-1])


def _counters(shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    index = np.arange(math.prod(shape), dtype=np.uint64).reshape(shape)
    return (index >> np.uint64(32)).astype(np.uint32), index.astype(np.uint32)
