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
        below = weight_paths(*(tree.get(name, {}) for tree in trees.values()))
        paths += [(part, name, *path) for part, *path in below]
    return paths


def read_weights(train_state: TrainState, paths: Sequence[Path]) -> list[np.ndarray]:
    """Return copies of the weights at these paths."""
    trees = {"params": train_state.params, "state": train_state.state}
    return [np.array(branch(trees, path)) for path in paths]


def write_weights(
    train_state: TrainState, paths: Sequence[Path], weights: Sequence[Any], owner: str
) -> TrainState:
    """Return the train state with the weights at these paths replaced; `owner` is named in errors.

    Raises:
        ValueError: The number of arrays or a shape does not fit.
    """
    if len(paths) != len(weights):
        named = ", ".join("/".join(path[1:]) for path in paths)
        raise ValueError(
            f"`set_weights`: {owner} has {len(paths)} weights ({named}), received {len(weights)}."
        )
    trees = {"params": _copy_dicts(train_state.params), "state": _copy_dicts(train_state.state)}
    for path, weight in zip(paths, weights, strict=True):
        parent = branch(trees, path[:-1])
        old, new = parent[path[-1]], np.asarray(weight)
        if new.shape != old.shape:
            raise ValueError(
                f"`set_weights`: the weight {'/'.join(path[1:])} of {owner} has shape "
                f"{tuple(old.shape)}, received {new.shape}."
            )
        # A copy, since the caller may change its array later.
        parent[path[-1]] = jnp.array(new, old.dtype, copy=True)
    return train_state._replace(**trees)


def _copy_dicts(tree: PyTree) -> PyTree:
    if isinstance(tree, Mapping):
        return {name: _copy_dicts(value) for name, value in tree.items()}
    return tree
