"""The axes of attention inputs: which ones attention runs over, and how they are flattened."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from fjax.typing import Array, Shape


class AttentionLayout(NamedTuple):
    """The axes of query and value, split into batch axes and the time axes attention runs over.

    Attributes:
        batch_axes: The axes that attention does not run over, features excluded.
        time_axes: The axes that attention runs over.
        batch: The sizes of the batch axes.
        targets: The sizes of the query's time axes.
        sources: The sizes of the value's time axes.
    """

    batch_axes: tuple[int, ...]
    time_axes: tuple[int, ...]
    batch: Shape
    targets: Shape
    sources: Shape

    @property
    def order(self) -> list[int]:
        """All axes but the features, batch axes first."""
        return [*self.batch_axes, *self.time_axes]

    @property
    def flat_sizes(self) -> tuple[int, int, int]:
        """The total sizes of the batch, target and source axes."""
        return math.prod(self.batch), math.prod(self.targets), math.prod(self.sources)

    def flatten(self, projection: Array) -> Array:
        """Return a projection `(…, heads, size)` as `(batch, time, heads, size)`."""
        if projection.ndim == 4:
            return projection
        rank = projection.ndim
        moved = jnp.transpose(projection, [*self.order, rank - 2, rank - 1])
        time = math.prod(moved.shape[len(self.batch_axes) : -2])
        return moved.reshape(math.prod(self.batch), time, *projection.shape[-2:])

    def unflatten(self, outputs: Array) -> Array:
        """Return `(batch, targets, heads, size)` in the order of the query's axes."""
        if len(self.order) == 2:
            return outputs
        inverse = [int(axis) for axis in np.argsort(self.order)]
        shaped = outputs.reshape(*self.batch, *self.targets, *outputs.shape[-2:])
        return jnp.transpose(shaped, [*inverse, len(inverse), len(inverse) + 1])

    def unflatten_weights(self, weights: Array) -> Array:
        """Return weights `(batch, heads, targets, sources)` with an axis for each flattened one."""
        return weights.reshape(*self.batch, weights.shape[1], *self.targets, *self.sources)


def attention_layout(
    owner: str, axes: Sequence[int] | None, query: Shape, value: Shape
) -> AttentionLayout:
    """Return the layout for inputs of these shapes.

    Args:
        owner: The layer that an error names.
        axes: The axes that attention runs over; None means all between batch and features.
        query: The shape of the query.
        value: The shape of the value.

    Raises:
        ValueError: An axis is out of range or repeated, or the batch axes differ in size.

    >>> attention_layout("MultiHeadAttention", (2,), (8, 5, 7, 3), (8, 5, 9, 3))
    AttentionLayout(batch_axes=(0, 1), time_axes=(2,), batch=(8, 5), targets=(7,), sources=(9,))
    """
    rank = len(query)
    time_axes = tuple(range(1, rank - 1))
    if axes is not None:
        time_axes = tuple(axis + rank if axis < 0 else axis for axis in axes)
        in_range = all(0 < axis < rank - 1 for axis in time_axes)
        if not in_range or len(set(time_axes)) < len(time_axes):
            raise ValueError(
                f"`{owner}`: `attention_axes` {tuple(axes)} must be distinct axes between the "
                f"batch axis and the features of inputs of {rank} axes."
            )
    batch_axes = tuple(axis for axis in range(rank - 1) if axis not in time_axes)
    batch = tuple(query[axis] for axis in batch_axes)
    if batch != tuple(value[axis] for axis in batch_axes):
        raise ValueError(
            f"`{owner}`: query and value must have equal sizes on the axes that attention does not "
            f"run over, received {tuple(query)} and {tuple(value)}, with attention over axes "
            f"{time_axes}."
        )
    targets = tuple(query[axis] for axis in time_axes)
    sources = tuple(value[axis] for axis in time_axes)
    return AttentionLayout(batch_axes, time_axes, batch, targets, sources)
