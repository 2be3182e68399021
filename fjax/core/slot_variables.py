"""The weights of a layer as variables, and as arrays, which read and write its weight slot."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from fjax.core.reserved import only_weights
from fjax.core.weight_slot import Path, WeightSlot
from fjax.trees import branch
from fjax.typing import Array, PyTree
from fjax.variable import Variable


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
    their current `trainable`.

    Args:
        layer: The layer, whose `trainable` flags count.
        slot: Its slot, which is filled.
        prefix: The names that begin the path of a new variable, such as `("sequential", "dense")`.
    """
    variables = []
    for storage, path in slot_storages(slot):
        key = (storage.part, *storage.path)
        variable = storage.slot.variables.get(key)
        if variable is None:
            array = storage.read()
            link = storage.slot.link
            whole = (*prefix, *path) if link is None else (*link.path, *storage.path)
            variable = Variable.linked(storage, "/".join(whole), array.shape, array.dtype)
            storage.slot.variables[key] = variable
        variable.trainable = storage.part == "params" and not _is_frozen(layer, path)
        variables.append(variable)
    return variables


def slot_storages(slot: WeightSlot) -> Iterator[tuple[SlotStorage, Path]]:
    """Yield the storage of each weight of a built layer, with its path in the layer."""
    if slot.shapes is None:
        return
    for part, *path in weight_paths(*slot.shapes):
        owner, rest = slot, tuple(path)
        while rest[0] in owner.children:
            owner, rest = owner.children[rest[0]], rest[1:]
        yield SlotStorage(owner, part, rest), tuple(path)


def read_weights(slot: WeightSlot) -> list[np.ndarray]:
    """Return copies of the weights in a filled slot and below, in Keras's order."""
    return [np.array(storage.read()) for storage, _ in slot_storages(slot)]


def write_weights(slot: WeightSlot, weights: Sequence[Any], owner: str) -> None:
    """Replace the weights in a filled slot and below; `owner` is named in errors.

    Raises:
        ValueError: The number of arrays or a shape does not fit; then nothing is replaced.
    """
    storages = list(slot_storages(slot))
    if len(storages) != len(weights):
        named = ", ".join("/".join(path) for _, path in storages)
        raise ValueError(
            f"`set_weights`: {owner} has {len(storages)} weights ({named}), received "
            f"{len(weights)}."
        )
    arrays = [np.asarray(weight) for weight in weights]
    for (storage, path), array in zip(storages, arrays, strict=True):
        expected = tuple(storage.read().shape)
        if array.shape != expected:
            raise ValueError(
                f"`set_weights`: the weight {'/'.join(path)} of {owner} has shape {expected}, "
                f"received {array.shape}."
            )
    for (storage, _), array in zip(storages, arrays, strict=True):
        storage.write(array)


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
