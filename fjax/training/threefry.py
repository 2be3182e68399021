"""JAX's Threefry generator in numpy, with the same bits as `jax.random`.

A key is two words; the random bits of an array are Threefry's blocks of (key, index in the array).

Source: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3" (2011), Threefry-2x32-20; JAX's
page "JAX PEP 9263: Typed keys" for `split` and `fold_in`.
"""

import math

import numpy as np

from fjax.typing import Shape

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = np.uint32(0x1BD11BDA)


def block(key: np.ndarray, high: np.ndarray, low: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the two words of Threefry's blocks for these keys and counters.

    Args:
        key: The two words of a key, along the last axis.
        high: The first words of the counters.
        low: The second words of the counters.
    """
    schedule = (key[..., 0], key[..., 1], key[..., 0] ^ key[..., 1] ^ PARITY)
    # Sums of words overflow on purpose; numpy warns about it for scalars.
    with np.errstate(over="ignore"):
        first, second = high + schedule[0], low + schedule[1]
        for group in range(5):
            for rotation in ROTATIONS[group % 2]:
                rotated = second << np.uint32(rotation) | second >> np.uint32(32 - rotation)
                first = first + second
                second = first ^ rotated
            first = first + schedule[(group + 1) % 3]
            second = second + schedule[(group + 2) % 3] + np.uint32(group + 1)
    return first, second


def seed(value: np.ndarray) -> np.ndarray:
    """Return the key of a 32-bit seed."""
    low = np.asarray(value).astype(np.uint32)
    return np.stack([np.zeros_like(low), low], axis=-1)


def split(key: np.ndarray, shape: Shape) -> np.ndarray:
    """Return this shape of new keys for each key, as `jax.random.split` does."""
    return np.stack(block(_spread(key, shape), *_counters(shape)), axis=-1)


def fold_in(key: np.ndarray, data: np.ndarray) -> np.ndarray:
    """Return the key for a key and a number, as `jax.random.fold_in` does."""
    counter = seed(data)
    return np.stack(block(key, counter[..., 0], counter[..., 1]), axis=-1)


def bits(key: np.ndarray, shape: Shape) -> np.ndarray:
    """Return this shape of random words for each key, as `jax.random.bits` does.

    >>> import jax
    >>> words = bits(seed(np.uint32(7)), (2, 3))
    >>> bool((words == jax.random.bits(jax.random.key(7), (2, 3))).all())
    True
    """
    first, second = block(_spread(key, shape), *_counters(shape))
    return first ^ second


def _spread(key: np.ndarray, shape: Shape) -> np.ndarray:
    """Return the keys with new axes, which broadcast against this shape."""
    return key.reshape(*key.shape[:-1], *[1] * len(shape), key.shape[-1])


def _counters(shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    index = np.arange(math.prod(shape), dtype=np.uint64).reshape(shape)
    return (index >> np.uint64(32)).astype(np.uint32), index.astype(np.uint32)
