"""Where a model keeps the weights of its layers, so that models which share a layer share them.

A `Home` has the arrays of one layer, and every model with that layer uses it. A model's train state
is put together from the homes of its layers, and taken apart into them again: there is one place
for every array, and nothing to keep in step. The layer remembers its home for the models alone: its
`init` and `apply` know nothing of it, and no copy and no compiled program has it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from fjax.core import Layer
from fjax.training import TrainState
from fjax.typing import PyTree

PARTS = ("params", "state")

Path = tuple[str, ...]


class Home:
    """The arrays of one layer; of a container those alone that no layer within it has."""

    def __init__(self) -> None:
        self.made = False
        self.params: PyTree = {}
        self.state: PyTree = {}


class Place:
    """A layer's place in a network: its home, and the places of the layers within it."""

    def __init__(self, home: Home, children: Mapping[str, "Place"]) -> None:
        self.home = home
        self.children = children

    def gather(self, part: str) -> PyTree:
        """Return the tree of this part, "params" or "state", from here down."""
        own = getattr(self.home, part)
        if not self.children:
            return own
        return {**own, **{name: child.gather(part) for name, child in self.children.items()}}

    def scatter(self, part: str, tree: PyTree) -> None:
        """Put a tree of this part into the homes from here down."""
        if self.children:
            for name, child in self.children.items():
                child.scatter(part, tree[name])
            tree = {name: value for name, value in tree.items() if name not in self.children}
        setattr(self.home, part, tree)

    def fill(self, params: PyTree, state: PyTree) -> None:
        """Put first weights into the homes that have none yet."""
        for name, child in self.children.items():
            child.fill(params[name], state[name])
        if not self.home.made:
            names = self.children.keys()
            own = ((_without(tree, names) if names else tree) for tree in (params, state))
            self.home.params, self.home.state = own
            self.home.made = True

    def with_trees(self, tree: PyTree, path: Path = ()) -> Iterator[tuple[Path, Home, PyTree]]:
        """Return all homes from here down, with their paths and their own parts of a tree."""
        yield path, self.home, _without(tree, self.children.keys()) if self.children else tree
        for name, child in self.children.items():
            yield from child.with_trees(tree[name], (*path, name))

    def homes(self, path: Path = ()) -> Iterator[tuple[Path, Home]]:
        """Return all homes from here down, with their paths."""
        yield path, self.home
        for name, child in self.children.items():
            yield from child.homes((*path, name))


class Holder:
    """Keeps a train state: the weights in the homes of the layers, the rest here."""

    def __init__(self, place: Place, train_state: TrainState) -> None:
        self.place = place
        place.fill(train_state.params, train_state.state)
        self._rest = train_state._replace(params={}, state={})

    @property
    def train_state(self) -> TrainState:
        """The whole run as one value."""
        return self._rest._replace(
            params=self.place.gather("params"), state=self.place.gather("state")
        )

    @train_state.setter
    def train_state(self, value: TrainState) -> None:
        for part in PARTS:
            self.place.scatter(part, getattr(value, part))
        for _, home in self.place.homes():
            home.made = True
        self._rest = value._replace(params={}, state={})


def own_arrays(value: TrainState, held: TrainState | None) -> TrainState:
    """Return a train state of arrays that nobody else has: what is not held already is copied.

    The next step gives its arrays away, and whoever else had one would be left without.

    Raises:
        ValueError: An array was given away in a step since the state was taken.
    """
    mine = {id(leaf) for leaf in jax.tree.leaves(held)}

    def own(leaf: Any) -> Any:
        if not isinstance(leaf, jax.Array):
            return leaf
        if leaf.is_deleted():
            raise ValueError(
                "The arrays of this train state are gone: a model with these layers was trained "
                "since it was taken, and a step gives its arrays away. Take a copy before, by "
                "`jax.tree.map(jnp.copy, model.train_state)`."
            )
        if id(leaf) in mine:
            # A second time in the same state it is another's.
            mine.discard(id(leaf))
            return leaf
        return jnp.copy(leaf)

    return jax.tree.map(own, value)


def place_of(layer: Any, params: PyTree, state: PyTree) -> Place:
    """Return the place of a layer whose params and state have this structure.

    Raises:
        ValueError: A layer stands at two places within it.
    """
    place = _place_of(layer, params, state)
    paths: dict[int, Path] = {}
    for path, home in place.homes():
        if id(home) in paths:
            one, other = ("/".join(way) for way in (paths[id(home)], path))
            raise ValueError(
                f"A layer stands at two places of {layer!r}, {one!r} and {other!r}, which cannot "
                "both have its weights. Call the model that contains it in both places, or write a "
                "layer for each."
            )
        paths[id(home)] = path
    return place


def _place_of(layer: Any, params: PyTree, state: PyTree) -> Place:
    children = layer.children() if isinstance(layer, Layer) else []
    inner = {
        name: _place_of(child, params[name], state[name])
        for name, child in children
        if name in params
    }
    return Place(_home_of(layer), inner)


def _home_of(layer: Any) -> Home:
    if not isinstance(layer, Layer):
        return Home()
    home = vars(layer).get("_home")
    if home is None:
        home = Home()
        object.__setattr__(layer, "_home", home)
    return home


def _without(tree: Mapping[str, Any], names: Any) -> dict[str, Any]:
    return {name: value for name, value in tree.items() if name not in names}
