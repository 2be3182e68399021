"""Weights by path: reading and replacing arrays in nested dicts."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from fjax.training import TrainState
from fjax.trees import branch
from fjax.typing import PyTree

# A path begins with "params" or "state".
Path = tuple[str, ...]


def read_weights(train_state: TrainState, paths: Sequence[Path]) -> list[np.ndarray]:
    """Return copies of the weights at these paths."""
    homes = {"params": train_state.params, "state": train_state.state}
    return [np.array(branch(homes, path)) for path in paths]


def write_weights(
    train_state: TrainState, paths: Sequence[Path], weights: Sequence[Any], owner: str
) -> TrainState:
    """Return the train state with the weights at these paths replaced; an error names the owner.

    Raises:
        ValueError: The number of arrays or a shape is another.
    """
    if len(paths) != len(weights):
        named = ", ".join("/".join(path[1:]) for path in paths)
        raise ValueError(
            f"`set_weights`: {owner} has {len(paths)} weights ({named}), received {len(weights)}."
        )
    homes = {"params": _copied(train_state.params), "state": _copied(train_state.state)}
    for path, weight in zip(paths, weights, strict=True):
        place = branch(homes, path[:-1])
        old, new = place[path[-1]], np.asarray(weight)
        if new.shape != old.shape:
            raise ValueError(
                f"`set_weights`: the weight {'/'.join(path[1:])} of {owner} has shape "
                f"{tuple(old.shape)}, received {new.shape}."
            )
        # A copy: what the caller does to its array later is its own affair.
        place[path[-1]] = jnp.array(new, old.dtype, copy=True)
    return train_state._replace(**homes)


def kept_weights(old: PyTree, new: PyTree) -> PyTree:
    """Return `new` with every array that `old` has in the same place and shape.

    >>> kept_weights({"a": np.ones(2), "b": np.ones(1)}, {"a": np.zeros(2), "c": np.zeros(1)})
    {'a': array([1., 1.]), 'c': array([0.])}
    """
    if isinstance(new, Mapping) and isinstance(old, Mapping):
        return {name: kept_weights(old.get(name), value) for name, value in new.items()}
    same = hasattr(old, "shape") and hasattr(new, "shape") and old.shape == new.shape
    return old if same else new


def _copied(tree: PyTree) -> PyTree:
    if isinstance(tree, Mapping):
        return {name: _copied(value) for name, value in tree.items()}
    return tree
