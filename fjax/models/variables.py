"""The weights of layers as `Variable` objects, which read and write the slots of the layers."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax.numpy as jnp

from fjax.core.freezing import frozen_paths
from fjax.models.weight_paths import Path, weight_paths
from fjax.models.weight_tree import WeightSlot, WeightTree
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

    def __init__(self, slot: WeightSlot, part: str, path: tuple[str, ...]) -> None:
        self.slot, self.part, self.path = slot, part, path

    def read(self) -> Array:
        """Return the array."""
        return branch(getattr(self.slot, self.part), self.path)

    def write(self, value: Array) -> None:
        """Replace the array by a copy of another one, since training donates the slot's arrays."""
        tree = replace_leaf(getattr(self.slot, self.part), self.path, jnp.copy(value))
        setattr(self.slot, self.part, tree)


def replace_leaf(tree: PyTree, path: Iterable[str], value: Any) -> PyTree:
    """Return nested dicts with one leaf replaced; the tree itself is not changed.

    >>> replace_leaf({"a": {"kernel": 1, "bias": 2}}, ("a", "bias"), 3)
    {'a': {'kernel': 1, 'bias': 3}}
    """
    names = tuple(path)
    if not names:
        return value
    return {**tree, names[0]: replace_leaf(tree[names[0]], names[1:], value)}


def tree_variables(
    tree: WeightTree,
    layer: Any,
    prefix: tuple[str, ...] = (),
    list_paths: Callable[[Mapping[str, Any], Mapping[str, Any]], list[Path]] = weight_paths,
) -> list[Variable]:
    """Return the weights of a layer as variables, in Keras's order.

    Each weight is always the same object, in whichever model or layer it is asked for. The
    variables have their current `trainable`. So `[v for v in … if v.trainable]` are the trainable
    ones.

    Args:
        tree: The slots of the layer and of the layers within it, which are filled.
        layer: The layer, whose `trainable` flags count.
        prefix: The names that begin the path of a new variable, such as `("sequential", "dense")`.
        list_paths: Returns the paths of the weights in params and state; by default, all weights.

    >>> from fjax.layers import Dense
    >>> from fjax.models.weight_tree import weight_tree
    >>> layer = Dense(1)
    >>> params, state = layer.init(__import__("jax").random.key(0), jnp.ones((1, 2)))
    >>> tree = weight_tree("model", layer, params, state)
    >>> tree.fill(params, state)
    >>> [(variable.path, variable.shape) for variable in tree_variables(tree, layer, ("dense",))]
    [('dense/kernel', (2, 1)), ('dense/bias', (1,))]
    """
    frozen = frozen_paths(layer)
    variables = []
    for part, *path in list_paths(tree.gather("params"), tree.gather("state")):
        is_frozen = any(tuple(path[: len(names)]) == names for names in frozen)
        variable = _variable_at(tree, part, tuple(path), prefix)
        variable.trainable = part == "params" and not is_frozen
        variables.append(variable)
    return variables


def _variable_at(
    tree: WeightTree, part: str, path: tuple[str, ...], prefix: tuple[str, ...]
) -> Variable:
    whole = (*prefix, *path)
    while path[0] in tree.children:
        tree, path = tree.children[path[0]], path[1:]
    key = (part, *path)
    if key not in tree.slot.variables:
        storage = SlotStorage(tree.slot, part, path)
        array = storage.read()
        tree.slot.variables[key] = Variable.linked(
            storage, "/".join(whole), array.shape, array.dtype
        )
    return tree.slot.variables[key]
