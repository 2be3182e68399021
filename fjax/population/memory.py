"""Whether a population fits in memory, asked before anything is compiled."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from fjax.typing import PyTree

# Beside its states a population holds what a step makes of them: gradients, updates, next states.
COPIES = 4

# The orders of this epoch and of the next, with a copy on the device.
BYTES_OF_A_ROW = 12


def check_memory(groups: Sequence[tuple[int, PyTree]], data: PyTree, rows: int = 0) -> None:
    """Raise MemoryError where so many train states of these sizes cannot be held.

    Args:
        groups: For each group of members how many they are, and one train state, or its shapes.
        data: What all of them are trained on.
        rows: How many rows all members have together: each has them in an order of its own.
    """
    available = _available()
    needed = COPIES * sum(count * _bytes(state) for count, state in groups) + _bytes(data)
    needed += BYTES_OF_A_ROW * rows
    if available is None or needed <= available:
        return
    members = sum(count for count, _ in groups)
    largest = max(_bytes(state) for _, state in groups)
    each = COPIES * largest + BYTES_OF_A_ROW * rows // members
    fitting = max((available - _bytes(data)) // max(each, 1), 0)
    raise MemoryError(
        f"A population of {members} members with up to {_readable(largest)} of weights and "
        f"optimizer state each needs about {_readable(needed)}, and {_readable(available)} are "
        f"free: train at most {fitting} of them at a time, or smaller networks."
    )


def _available() -> int | None:
    """Return the bytes that are free on the device, or in the host's memory; None if unknown."""
    statistics: Any = jax.local_devices()[0].memory_stats()
    if statistics and "bytes_limit" in statistics:
        return statistics["bytes_limit"] - statistics.get("bytes_in_use", 0)
    # What Linux holds of files is given back on demand, and counts as free here alone.
    known = Path("/proc/meminfo")
    lines = known.read_text().splitlines() if known.exists() else []
    free = [line for line in lines if line.startswith("MemAvailable:")]
    return int(free[0].split()[1]) * 1024 if free else None


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
