"""Whether a population fits in memory, checked before anything is compiled."""

import math
from collections.abc import Sequence

import jax
import numpy as np

from fjax.population.stacking import is_key
from fjax.training.placement import DEFAULT, Placement
from fjax.typing import PyTree

# A step holds the states, and beside them gradients, updates and next states.
COPIES = 4

# For each row its place in the order of this epoch and of the next, and a copy on the device.
BYTES_PER_ROW = 12


def check_memory(
    groups: Sequence[tuple[int, PyTree]],
    data: PyTree,
    row_count: int = 0,
    placement: Placement = DEFAULT,
) -> None:
    """Raise MemoryError if the train states of all members do not fit in memory.

    Args:
        groups: For each group its number of members, and one train state or its shapes.
        data: The data that all members are trained on.
        row_count: The total number of rows of all members: each has its own order of them.
        placement: The devices, among which the members are divided.
    """
    devices = placement.batch_shards
    available = placement.free_memory()
    if available is not None and not placement.is_cpu:
        available *= devices
    data_bytes = devices * _bytes(data)
    needed = COPIES * sum(count * _bytes(state) for count, state in groups) + data_bytes
    needed += BYTES_PER_ROW * row_count
    if available is None or needed <= available:
        return
    members = sum(count for count, _ in groups)
    largest = max(_bytes(state) for _, state in groups)
    per_member = COPIES * largest + BYTES_PER_ROW * row_count // members
    fitting = max((available - data_bytes) // max(per_member, 1), 0)
    raise MemoryError(
        f"A population of {members} members with up to {_readable(largest)} of weights and "
        f"optimizer state each needs about {_readable(needed)}, and {_readable(available)} are "
        f"free: train at most {fitting} of them at a time, or smaller networks."
    )


def _bytes(tree: PyTree) -> int:
    return sum(
        math.prod(leaf.shape) * (8 if is_key(leaf) else np.dtype(leaf.dtype).itemsize)
        for leaf in jax.tree.leaves(tree)
    )


def _readable(count: int) -> str:
    for unit in ("bytes", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count = count // 1000
    return f"{count:.0f} GB"
