"""Weights by path: listing, reading and replacing arrays in nested dicts."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from fjax.core.reserved import only_weights
from fjax.training import TrainState
from fjax.trees import branch
from fjax.typing import PyTree

# A path begins with "params" or "state".
Path = tuple[str, ...]


def weight_paths(params: Mapping[str, Any], state: Mapping[str, Any]) -> list[Path]:
    """Return the paths of all weights in Keras's order: layer by layer, params before state.

    >>> weight_paths({"a": {"kernel": 0}, "b": {"gamma": 0}}, {"a": {}, "b": {"mean": 0}})
    [('params', 'a', 'kernel'), ('params', 'b', 'gamma'), ('state', 'b', 'mean')]
    """
    trees = {"params": params, "state": only_weights(state)}
    paths: list[Path] = [
        (part, name)
        for part, tree in trees.items()
        for name, value in tree.items()
        if not isinstance(value, Mapping)
    ]
    layers = dict.fromkeys(
        name
        for tree in trees.values()
        for name, value in tree.items()
        if isinstance(value, Mapping)
    )
    for name in layers:
        inside = weight_paths(*(tree.get(name, {}) for tree in trees.values()))
        paths += [(part, name, *path) for part, *path in inside]
    return paths


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


def _copied(tree: PyTree) -> PyTree:
    if isinstance(tree, Mapping):
        return {name: _copied(value) for name, value in tree.items()}
    return tree
