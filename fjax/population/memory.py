"""Whether a population fits in memory, asked before anything is compiled."""

import math
import os
from typing import Any

import jax
import numpy as np

from fjax.typing import PyTree

# Beside its states a population holds what a step makes of them: gradients, updates, next states.
COPIES = 4


def check_memory(members: int, state: PyTree, data: PyTree) -> None:
    """Raise MemoryError where so many train states of this size cannot be held.

    Args:
        members: How many are trained at once.
        state: One train state, or its shapes.
        data: What all of them are trained on.
    """
    available = _available()
    needed = COPIES * members * _bytes(state) + _bytes(data)
    if available is not None and needed > available:
        raise MemoryError(
            f"A population of {members} members with {_readable(_bytes(state))} of weights and "
            f"optimizer state each needs about {_readable(needed)}, and {_readable(available)} are "
            f"free: train at most {max(available // (COPIES * max(_bytes(state), 1)), 0)} at a "
            "time, or a smaller network."
        )


def _available() -> int | None:
    """Return the bytes that are free on the device, or in the host's memory; None if unknown."""
    statistics: Any = jax.local_devices()[0].memory_stats()
    if statistics and "bytes_limit" in statistics:
        return statistics["bytes_limit"] - statistics.get("bytes_in_use", 0)
    names = os.sysconf_names
    if "SC_AVPHYS_PAGES" not in names:
        return None
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _bytes(tree: PyTree) -> int:
    leaves = jax.tree.leaves(tree)
    return sum(math.prod(leaf.shape) * _size(leaf.dtype) for leaf in leaves)


def _size(dtype: Any) -> int:
    return 8 if jax.dtypes.issubdtype(dtype, jax.dtypes.prng_key) else np.dtype(dtype).itemsize


def _readable(count: int) -> str:
    for unit in ("bytes", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count = count // 1000
    return f"{count:.0f} GB"
