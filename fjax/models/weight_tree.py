"""Where models keep the weights of their layers, so that models which share a layer share them.

A `WeightSlot` has the arrays of one layer, and every model with that layer uses it. A model's train
state is gathered from the slots of its layers, and scattered into them again: there is one place
for every array, and nothing to synchronize. A layer remembers its slot for the models alone: its
`init` and `apply` do not know of it, and no copy and no compiled program has it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fjax.core import Layer
from fjax.trees import first_difference
from fjax.typing import PyTree

PARTS = ("params", "state")

Path = tuple[str, ...]


class WeightSlot:
    """The arrays of one layer; for a container, only the weights that no sublayer owns.

    Attributes:
        is_filled: Whether the weights were made.
        params: The layer's params.
        state: The layer's state.
    """

    def __init__(self) -> None:
        self.is_filled = False
        self.params: PyTree = {}
        self.state: PyTree = {}


class WeightTree:
    """A layer's slot, and the trees of the layers within it."""

    def __init__(self, slot: WeightSlot, children: Mapping[str, "WeightTree"]) -> None:
        self.slot = slot
        self.children = children

    def gather(self, part: str) -> PyTree:
        """Return the whole tree of "params" or "state"."""
        arrays = getattr(self.slot, part)
        if not self.children:
            return arrays
        return {**arrays, **{name: child.gather(part) for name, child in self.children.items()}}

    def scatter(self, part: str, tree: PyTree) -> None:
        """Put a tree of "params" or "state" into the slots."""
        for name, child in self.children.items():
            child.scatter(part, tree[name])
        setattr(self.slot, part, self._own_part(tree))
        self.slot.is_filled = True

    def fill(self, params: PyTree, state: PyTree) -> None:
        """Put first weights into the slots that have none yet."""
        for name, child in self.children.items():
            child.fill(params[name], state[name])
        if not self.slot.is_filled:
            self.slot.params, self.slot.state = self._own_part(params), self._own_part(state)
            self.slot.is_filled = True

    def slots(self, path: Path = ()) -> Iterator[tuple[Path, WeightSlot]]:
        """Return all slots with their paths."""
        yield path, self.slot
        for name, child in self.children.items():
            yield from child.slots((*path, name))

    def slots_with(
        self, tree: PyTree, path: Path = ()
    ) -> Iterator[tuple[Path, WeightSlot, PyTree]]:
        """Return all slots with their paths and the parts of a tree that belong to them."""
        yield path, self.slot, self._own_part(tree)
        for name, child in self.children.items():
            yield from child.slots_with(tree[name], (*path, name))

    def _own_part(self, tree: PyTree) -> PyTree:
        return _without(tree, self.children) if self.children else tree


def weight_tree(model: str, layer: Any, params: PyTree, state: PyTree) -> WeightTree:
    """Return the slots of a network whose params and state have these shapes.

    Args:
        model: The model's name, for messages.
        layer: The network.
        params: The shapes of its params.
        state: The shapes of its state.

    Raises:
        ValueError: A layer stands at two places, or has weights of another shape from another
            model.
    """
    tree = _tree_of(layer, params, state)
    paths: dict[int, Path] = {}
    for path, slot, expected in tree.slots_with(params):
        if id(slot) in paths:
            first, second = ("/".join(steps) for steps in (paths[id(slot)], path))
            raise ValueError(
                f"A layer stands at two places of {layer!r}, {first!r} and {second!r}, which "
                "cannot both have its weights. Call the model that contains it in both places, or "
                "write a layer for each."
            )
        paths[id(slot)] = path
        difference = first_difference(expected, slot.params) if slot.is_filled else None
        if difference:
            raise ValueError(
                f"The layer {'/'.join(path)!r} of {model!r} has its weights from another "
                f"model, which do not fit here; at {difference}. Write a layer of its own for it."
            )
    return tree


def _tree_of(layer: Any, params: PyTree, state: PyTree) -> WeightTree:
    children = layer.children() if isinstance(layer, Layer) else []
    return WeightTree(
        _slot_of(layer),
        {
            name: _tree_of(child, params[name], state[name])
            for name, child in children
            if name in params
        },
    )


def _slot_of(layer: Any) -> WeightSlot:
    if not isinstance(layer, Layer):
        return WeightSlot()
    slot = vars(layer).get("weight_slot")
    if slot is None:
        slot = WeightSlot()
        object.__setattr__(layer, "weight_slot", slot)
    return slot


def _without(tree: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: value for name, value in tree.items() if name not in names}
