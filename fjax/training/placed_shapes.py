"""Shapes with the devices that their arrays are for, and arrays put there part by part."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.training.placement import Placement
from fjax.training.shardings import with_sharding
from fjax.training.state import TrainState
from fjax.typing import Array


def with_shardings(shapes: TrainState, placement: Placement) -> TrainState:
    """Return the shapes of a train state, with the sharding of each array if there is a mesh.

    Args:
        shapes: A train state of arrays or their shapes.
        placement: The devices for the arrays.

    Raises:
        ValueError: The layout does not fit the weights.
    """
    if placement.mesh is None:
        return jax.tree.map(lambda leaf: with_sharding(leaf, None), shapes)
    return jax.tree.map(with_sharding, shapes, placement.shardings(shapes))


def is_divided(shapes: TrainState, placement: Placement) -> bool:
    """Tell whether some array of a train state of these shapes is divided among devices."""
    if placement.mesh is None:
        return False
    shardings: list[Any] = jax.tree.leaves(placement.shardings(shapes))
    return not all(sharding.is_fully_replicated for sharding in shardings)


def put_like(value: np.ndarray, spec: jax.ShapeDtypeStruct) -> Array:
    """Return a copy of an array on the devices of a spec; each device gets only its own part.

    Args:
        value: The array, on the host.
        spec: Its shape, with a sharding; without one it goes to the default device.
    """
    if spec.sharding is None:
        return jnp.array(value, copy=True)
    # Copied, because a CPU would otherwise read the host's memory.
    return jax.make_array_from_callback(
        value.shape, spec.sharding, lambda index: np.array(value[index])
    )


def default_sharding() -> jax.sharding.Sharding:
    """Return the sharding of an array on the default device."""
    return jnp.zeros(()).sharding
