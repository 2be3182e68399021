"""The weights of a model's layers, in slots that models with the same layer share.

A `WeightSlot` has the arrays of one layer, and every model with that layer uses it. A model's train
state is gathered from the slots of its layers, and scattered into them again: each array is stored
once, so that nothing has to be synchronized. Only models use the slot of a layer: `init` and
`apply` do not, and copies of a layer and compiled programs do not contain it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fjax.core import Layer
from fjax.trees import first_difference
from fjax.typing import PyTree
from fjax.variable import Variable

PARTS = ("params", "state")

Path = tuple[str, ...]


class WeightSlot:
    """The arrays of one layer; for a container, only the weights that no sublayer owns.

    Attributes:
        is_filled: Whether the weights exist.
        params: The layer's params.
        state: The layer's state.
        variables: The variables that read and write the arrays, by part and path; they are created
            when they are first asked for.
    """

    def __init__(self) -> None:
        self.is_filled = False
        self.params: PyTree = {}
        self.state: PyTree = {}
        self.variables: dict[Path, Variable] = {}

    def __getstate__(self) -> dict[str, Any]:
        # The variables of a copy read and write the copy.
        return {**vars(self), "variables": {}}


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
        setattr(self.slot, part, self._without_children(tree))
        self.slot.is_filled = True

    def fill(self, params: PyTree, state: PyTree) -> None:
        """Put initial weights into the empty slots."""
        for name, child in self.children.items():
            child.fill(params[name], state[name])
        if not self.slot.is_filled:
            self.slot.params, self.slot.state = (
                self._without_children(params),
                self._without_children(state),
            )
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
        yield path, self.slot, self._without_children(tree)
        for name, child in self.children.items():
            yield from child.slots_with(tree[name], (*path, name))

    def _without_children(self, tree: PyTree) -> PyTree:
        return _without(tree, self.children) if self.children else tree


def weight_tree(model: str, layer: Any, params: PyTree, state: PyTree) -> WeightTree:
    """Return the slots of a network whose params and state have these shapes.

    Args:
        model: The model's name, for errors.
        layer: The network.
        params: The shapes of its params.
        state: The shapes of its state.

    Raises:
        ValueError: A layer is used twice, or its weights in another model have other shapes.
    """
    tree = _tree_of(layer, params, state)
    paths: dict[int, Path] = {}
    for path, slot, expected in tree.slots_with(params):
        if id(slot) in paths:
            first, second = ("/".join(steps) for steps in (paths[id(slot)], path))
            raise ValueError(
                f"A layer is used twice in {layer!r}, as {first!r} and {second!r}, which "
                "cannot both have its weights. Call the model that contains it twice, or create a "
                "layer for each."
            )
        paths[id(slot)] = path
        difference = first_difference(expected, slot.params) if slot.is_filled else None
        if difference:
            raise ValueError(
                f"The layer {'/'.join(path)!r} of {model!r} has weights from another "
                f"model, which do not fit here; at {difference}. Create a new layer for this model."
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
