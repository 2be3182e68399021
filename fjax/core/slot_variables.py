"""The weights of a layer as variables, and as arrays, which read and write its weight slot."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np

from fjax.core.reserved import only_weights
from fjax.core.weight_slot import Path, WeightSlot
from fjax.trees import branch
from fjax.typing import Array, Constrains, PyTree
from fjax.variable import Variable, to_numpy


class SlotStorage:
    """Storage of a variable whose array is in a weight slot.

    Args:
        slot: The slot, which has the array.
        part: "params" or "state".
        path: The path of the array within the part.
    """

    def __init__(self, slot: WeightSlot, part: str, path: Path) -> None:
        self.slot, self.part, self.path = slot, part, path

    def read(self) -> Array:
        """Return the array."""
        return branch(getattr(self.slot, self.part), self.path)

    def write(self, value: Any) -> None:
        """Replace the array by a copy of another one, since training donates the slot's arrays."""
        old = self.read()
        value = jnp.array(value, old.dtype, copy=True)
        tree = _replace_leaf(getattr(self.slot, self.part), self.path, value)
        setattr(self.slot, self.part, tree)


def weight_paths(params: Mapping[str, Any], state: Mapping[str, Any]) -> list[Path]:
    """Return the paths of all weights in Keras's order: layer by layer, params before state.

    A path begins with "params" or "state".

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


def slot_variables(layer: Any, slot: WeightSlot, prefix: Path) -> list[Variable]:
    """Return the weights of a layer as variables, in Keras's order.

    A weight is the same object in whichever layer or model it is asked for. The variables have
    their current `trainable` and constraint.

    Args:
        layer: The layer, whose `trainable` flags count.
        slot: Its slot, which is filled.
        prefix: The names that begin the path of a new variable, such as `("sequential", "dense")`.
    """
    paths = slot_paths(slot)
    variables = variables_at(slot, paths, prefix)
    flags = are_trainable(paths, layer)
    for variable, path, trainable in zip(variables, paths, flags, strict=True):
        variable.trainable = trainable
        has_constraint = trainable and isinstance(layer, Constrains)
        variable.constraint = partial(_constrained, layer, path[1:]) if has_constraint else None
    return variables


def _constrained(layer: Any, path: Path, value: Array) -> Array:
    """Return a weight of a layer after the layer's constraint, if it has one."""
    params: Any = value
    for name in reversed(path):
        params = {name: params}
    return branch(layer.constrain(params), path)


def slot_paths(slot: WeightSlot) -> list[Path]:
    """Return the paths of the weights of a built layer, as `weight_paths`."""
    return [] if slot.shapes is None else weight_paths(*slot.shapes)


def variables_at(slot: WeightSlot, paths: Iterable[Path], prefix: Path = ()) -> list[Variable]:
    """Return the variables of the arrays at these paths, always the same objects."""
    return [_variable_at(slot, path, prefix) for path in paths]


def are_trainable(paths: Sequence[Path], layer: Any) -> list[bool]:
    """Return for each path of a weight of a layer whether training updates it."""
    return [part == "params" and not _is_frozen(layer, tuple(path)) for part, *path in paths]


def read_weights(slot: WeightSlot) -> list[np.ndarray]:
    """Return copies of the weights in a filled slot and below, in Keras's order."""
    arrays: list[np.ndarray] = to_numpy(
        [_storage_at(slot, path).read() for path in slot_paths(slot)]
    )
    return arrays


def write_weights(slot: WeightSlot, weights: Sequence[Any], owner: str) -> None:
    """Replace the weights in a filled slot and below; `owner` is named in errors.

    Raises:
        ValueError: The number of arrays or a shape does not fit; then nothing is replaced.
    """
    paths = slot_paths(slot)
    if len(paths) != len(weights):
        named = ", ".join("/".join(path[1:]) for path in paths)
        raise ValueError(
            f"`set_weights`: {owner} has {len(paths)} weights ({named}), received {len(weights)}."
        )
    storages = [_storage_at(slot, path) for path in paths]
    arrays = [np.asarray(weight) for weight in weights]
    for path, storage, array in zip(paths, storages, arrays, strict=True):
        expected = tuple(storage.read().shape)
        if array.shape != expected:
            raise ValueError(
                f"`set_weights`: the weight {'/'.join(path[1:])} of {owner} has shape {expected}, "
                f"received {array.shape}."
            )
    for storage, array in zip(storages, arrays, strict=True):
        storage.write(array)


def _storage_at(slot: WeightSlot, path: Path) -> SlotStorage:
    part, *names = path
    while names[0] in (below := slot.sublayers):
        slot = below[names.pop(0)]
    return SlotStorage(slot, part, tuple(names))


def _variable_at(slot: WeightSlot, path: Path, prefix: Path) -> Variable:
    storage = _storage_at(slot, path)
    key, known, link = (storage.part, *storage.path), storage.slot.variables, storage.slot.link
    variable = known.get(key)
    if variable is None:
        array = storage.read()
        whole = (*prefix, *path[1:]) if link is None else (*link.path, *storage.path)
        variable = Variable.linked(storage, "/".join(whole), array.shape, array.dtype)
        known[key] = variable
    return variable


def _is_frozen(layer: Any, path: Path) -> bool:
    """Tell whether a layer, or one within it on the way to a weight, is frozen."""
    for name in path:
        if not getattr(layer, "trainable", True):
            return True
        children = dict(layer.children()) if hasattr(layer, "children") else {}
        if name not in children:
            # The weights of a repeated block have no key of their own.
            inside = layer.inside() if hasattr(layer, "inside") and not children else []
            return any(not getattr(sublayer, "trainable", True) for sublayer in inside)
        layer = children[name]
    return False


def _replace_leaf(tree: PyTree, path: Path, value: Any) -> PyTree:
    if not path:
        return value
    return {**tree, path[0]: _replace_leaf(tree[path[0]], path[1:], value)}
