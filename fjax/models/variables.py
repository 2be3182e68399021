"""The weights of layers as `Variable` objects, which read and write the slots of the layers."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import jax.numpy as jnp

from fjax.core.freezing import frozen_paths
from fjax.core.shapes import LayerShapes
from fjax.models.weight_paths import Path, weight_paths
from fjax.models.weight_tree import WeightSlot, WeightTree
from fjax.trees import branch
from fjax.typing import Array, Constrains, PyTree
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
    tree: WeightTree, shapes: LayerShapes, layer: Any, prefix: tuple[str, ...] = ()
) -> list[Variable]:
    """Return the weights of a layer as variables, in Keras's order.

    Each weight is always the same object, whichever model or layer is asked for it, and has its
    current `trainable`: the trainable weights are `[v for v in … if v.trainable]`.

    Args:
        tree: The slots of the layer and of the layers within it, which are filled.
        shapes: The shapes of the weights, whose order is Keras's.
        layer: The layer, whose `trainable` flags count.
        prefix: The names that begin the path of a new variable, such as `("sequential", "dense")`.

    >>> import jax
    >>> from fjax.core.shapes import eval_shapes
    >>> from fjax.layers import Dense
    >>> from fjax.models.weight_tree import weight_tree
    >>> layer, inputs = Dense(1), jnp.ones((1, 2))
    >>> shapes = eval_shapes(layer, inputs)
    >>> tree = weight_tree("model", layer, shapes.params, shapes.state)
    >>> tree.fill(*layer.init(jax.random.key(0), inputs))
    >>> [variable.path for variable in tree_variables(tree, shapes, layer, ("dense",))]
    ['dense/kernel', 'dense/bias']
    """
    paths = weight_paths(shapes.params, shapes.state)
    variables = variables_at(tree, paths, prefix)
    flags = are_trainable(paths, layer)
    for variable, path, trainable in zip(variables, paths, flags, strict=True):
        variable.trainable = trainable
        if trainable and isinstance(layer, Constrains):
            variable.constraint = partial(_constrained, layer, path[1:])
    return variables


def _constrained(layer: Any, path: tuple[str, ...], value: Array) -> Array:
    """Return a weight of a layer after the layer's constraint, if it has one."""
    params: Any = value
    for name in reversed(path):
        params = {name: params}
    return branch(layer.constrain(params), path)


def are_trainable(paths: Sequence[Path], layer: Any) -> list[bool]:
    """Return for each path of a weight of a layer whether the weight is trained."""
    frozen = frozen_paths(layer)
    return [
        path[0] == "params" and not any(path[1 : len(names) + 1] == names for names in frozen)
        for path in paths
    ]


def variables_at(
    tree: WeightTree, paths: Iterable[Path], prefix: tuple[str, ...] = ()
) -> list[Variable]:
    """Return the variables of the arrays at these paths, always the same objects."""
    return [_variable_at(tree, path, prefix) for path in paths]


def _variable_at(tree: WeightTree, path: Path, prefix: tuple[str, ...]) -> Variable:
    part, *names = path
    while names[0] in tree.children:
        tree = tree.children[names.pop(0)]
    known, key = tree.slot.variables, (part, *names)
    if key not in known:
        storage = SlotStorage(tree.slot, part, tuple(names))
        array = storage.read()
        whole = "/".join((*prefix, *path[1:]))
        known[key] = Variable.linked(storage, whole, array.shape, array.dtype)
    return known[key]
