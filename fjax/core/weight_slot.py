"""Weight slots: the arrays of the layers that are in models, or were called on arrays.

A `WeightSlot` has the arrays of one layer, and every model with that layer uses it. The train state
of a model is gathered from the slots of its layers, and scattered into them again: each array is
stored once, so that nothing has to be synchronized. Only facades use the slot of a layer: models,
and the methods of `LayerFacade`. `init` and `apply` do not, and copies of a layer, pickles and
compiled programs do not contain it.
"""

import random
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Protocol
from weakref import WeakValueDictionary

import jax

from fjax.core.author import WEIGHT_SLOT, Author
from fjax.core.calling import is_authored
from fjax.trees import first_difference
from fjax.typing import Key, PyTree, Spec

PARTS = ("params", "state")

Path = tuple[str, ...]


class LayerLink(Protocol):
    """The place of a layer in a model, which the layer's slot knows."""

    @property
    def name(self) -> str:
        """The layer's name in the model."""
        ...

    @property
    def path(self) -> Path:
        """The names of the model and of the layers that contain the layer, and its own."""
        ...

    @property
    def is_alive(self) -> bool:
        """Whether the model exists."""
        ...

    def make_weights(self) -> None:
        """Draw the weights of the model, if it is built."""
        ...

    def input_specs(self, layer: Any) -> tuple[Spec, ...] | None:
        """Return the inputs that the model is built for, if the layer is its whole network."""
        ...

    def tensors(self, layer: Any) -> Any:
        """Return the layer's `inputs` and `outputs` in the model, as symbolic tensors."""
        ...


class WeightName(str):
    """The name of the weight that an author keeps in an attribute of another name."""


class WeightSlot:
    """The arrays of one layer; for a container, only the weights that no sublayer owns.

    Attributes:
        is_filled: Whether the weights exist.
        was_called: Whether the layer was called on arrays.
        params: The layer's params.
        state: The layer's state.
        children: The slots of the sublayers that have entries in params and state, by name.
        borrowed: The slots of the sublayers whose weights are in another layer; see
            `fjax.core.ties`.
        shapes: The params and the state of the layer, sublayers included, as shapes and in the
            order of `init`; None until the layer is built.
        link: The place of the layer in a model; None outside of models.
        specs: The shapes and dtypes of the inputs that the layer was called on outside of models.
        node: A weak reference to the first symbolic call of the layer, or None.
        model: A weak reference to the model whose network the layer is, or None.
        attributes: What the author's `build` and `call` have set on the copy of their last pass:
            plain values, and `WeightName`s.
        variables: The variables that read and write the slot and are in use, by part and path.
    """

    def __init__(self) -> None:
        self.is_filled = False
        self.was_called = False
        self.params: PyTree = {}
        self.state: PyTree = {}
        self.children: Mapping[str, WeightSlot] = {}
        self.borrowed: Mapping[str, WeightSlot] = {}
        self.shapes: tuple[PyTree, PyTree] | None = None
        self.link: LayerLink | None = None
        self.specs: tuple[Spec, ...] | None = None
        self.node: Any = None
        self.model: Any = None
        self.variables: WeakValueDictionary[Path, Any] = WeakValueDictionary()
        self.attributes: dict[str, Any] = {}
        self._seed: int | None = None
        self._draws = 0

    @property
    def is_tree_filled(self) -> bool:
        """Whether the weights of the layer and of all sublayers exist."""
        return all(slot.is_filled for _, slot in self.slots())

    @property
    def is_built(self) -> bool:
        """Whether the weights exist, or can be drawn as their shapes are known."""
        if self.shapes is None:
            return False
        can_be_drawn = self.specs is not None or (self.link is not None and self.link.is_alive)
        return can_be_drawn or self.is_tree_filled

    def next_key(self) -> Key:
        """Return a new key at each call; the seed is drawn from Python's `random`."""
        if self._seed is None:
            # Python's generator, which also draws the seeds of models.
            self._seed = random.getrandbits(32)
        self._draws += 1
        return jax.random.fold_in(jax.random.key(self._seed), self._draws)

    @property
    def sublayers(self) -> Mapping[str, "WeightSlot"]:
        """The slots of all sublayers, by name."""
        return {**self.children, **self.borrowed} if self.borrowed else self.children

    def gather(self, part: str) -> PyTree:
        """Return the whole tree of "params" or "state"."""
        return self._gather(part, with_borrowed=False)

    def gather_with_borrowed(self, part: str) -> PyTree:
        """Return the whole tree of "params" or "state" for a call of this layer alone."""
        return self._gather(part, with_borrowed=True)

    def _gather(self, part: str, with_borrowed: bool) -> PyTree:
        arrays, below = getattr(self, part), self.sublayers if with_borrowed else self.children
        if not below:
            return arrays
        trees = {name: slot._gather(part, with_borrowed) for name, slot in below.items()}
        return {**arrays, **trees}

    def scatter(self, part: str, tree: PyTree) -> None:
        """Put a tree of "params" or "state" into the slots."""
        for name, child in self.children.items():
            child.scatter(part, tree[name])
        for name, slot in self.borrowed.items():
            if name in tree:
                slot.scatter(part, tree[name])
        setattr(self, part, _without(tree, self.sublayers))
        self.is_filled = True

    def fill(self, params: PyTree, state: PyTree) -> None:
        """Put initial weights into the empty slots."""
        for name, child in self.children.items():
            child.fill(params[name], state[name])
        if not self.is_filled:
            below = self.sublayers
            self.params, self.state = _without(params, below), _without(state, below)
            self.is_filled = True

    def slots(self, path: Path = ()) -> Iterator[tuple[Path, "WeightSlot"]]:
        """Return all slots with their paths."""
        yield path, self
        for name, child in self.children.items():
            yield from child.slots((*path, name))

    def __getstate__(self) -> dict[str, Any]:
        # A copy of a model links its layers again.
        left_out = dict.fromkeys(("link", "node", "model", "variables"))
        return {**vars(self), **left_out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, variables=WeakValueDictionary())


def find_slot(layer: Any) -> WeightSlot | None:
    """Return the slot of a layer, if it has one."""
    return vars(layer).get(WEIGHT_SLOT)


def slot_of(layer: Any) -> WeightSlot:
    """Return the slot of a layer, which gets one if it has none."""
    slot = find_slot(layer)
    if slot is None:
        slot = WeightSlot()
        set_slot(layer, slot)
    return slot


def give_slots(layer: Any) -> None:
    """Give slots to a layer and its sublayers, which take note of what an author's pass sets."""
    if _has_slot(layer):
        slot_of(layer)
        for _, child in layer.children():
            give_slots(child)


def set_slot(layer: Any, slot: WeightSlot) -> None:
    """Set the slot of a layer."""
    object.__setattr__(layer, WEIGHT_SLOT, slot)


def renew_slot(layer: Any) -> None:
    """Give a layer an empty slot, as if it had not been used; it keeps its place in a model."""
    before = find_slot(layer)
    if before is not None:
        slot = WeightSlot()
        slot.link, slot.specs, slot.node = before.link, before.specs, before.node
        set_slot(layer, slot)


def connect_slots(owner: str, layer: Any, params: PyTree, state: PyTree) -> WeightSlot:
    """Return the slot of a layer, connected to those of its sublayers.

    Args:
        owner: The name of the model or layer, for errors.
        layer: The layer.
        params: The shapes of its params.
        state: The shapes of its state.

    Raises:
        ValueError: A layer is used twice, or its weights have other shapes.
    """
    planned = list(_plan(layer, params, state, (), {}))
    paths: dict[int, Path] = {}
    for each in planned:
        if id(each.slot) in paths:
            first, second = ("/".join(steps) for steps in (paths[id(each.slot)], each.path))
            raise ValueError(
                f"A layer is used twice in {layer!r}, as {first!r} and {second!r}, which "
                "cannot both have its weights. Call the model that contains it twice, or create a "
                "layer for each."
            )
        paths[id(each.slot)] = each.path
        difference = (
            first_difference(_without(each.params, each.children), each.slot.params)
            if each.slot.is_filled
            else None
        )
        if difference:
            raise ValueError(
                f"The layer {'/'.join(each.path)!r} of {owner!r} has weights from another "
                f"model, which do not fit here; at {difference}. Create a new layer for this model."
            )
    for each in planned:
        each.slot.children, each.slot.borrowed = each.children, each.borrowed
        each.slot.shapes = each.shapes
        if is_authored(each.layer):
            author = getattr(each.layer, "author", each.layer)
            Author._authoring.note_variables(author, each.slot)
    return planned[-1].slot


class _PlannedSlot:
    """A slot, and what it will be connected to."""

    def __init__(self, layer: Any, path: Path, params: PyTree, state: PyTree) -> None:
        self.layer, self.path = layer, path
        self.slot = slot_of(layer) if _has_slot(layer) else WeightSlot()
        self.children: dict[str, WeightSlot] = {}
        self.borrowed: dict[str, WeightSlot] = {}
        self.params, self.state = params, state
        # Those of the borrowed weights included.
        self.shapes = (params, state)


def _plan(
    layer: Any, params: PyTree, state: PyTree, path: Path, known: dict[int, _PlannedSlot]
) -> Iterator[_PlannedSlot]:
    """Yield the slots below a layer, and last its own."""
    planned = _PlannedSlot(layer, path, params, state)
    for name, child in layer.children() if _has_slot(layer) else []:
        if name in params:
            for below in _plan(child, params[name], state[name], (*path, name), known):
                yield below
            planned.children[name] = below.slot
        elif is_authored(layer) and id(child) in known:
            owner = known[id(child)]
            planned.borrowed[name] = owner.slot
            own, borrowed = planned.shapes, owner.shapes
            planned.shapes = {**own[0], name: borrowed[0]}, {**own[1], name: borrowed[1]}
    known[id(layer)] = planned
    yield planned


def _has_slot(layer: Any) -> bool:
    # Any object with `init` and `apply` can be a layer; only those of our class have sublayers.
    return hasattr(layer, "children")


def _without(tree: PyTree, names: Collection[str]) -> PyTree:
    if not names or not isinstance(tree, Mapping):
        return tree
    return {name: value for name, value in tree.items() if name not in names}
