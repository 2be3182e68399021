"""Where the arrays of a model are in a file of Keras.

In `.weights.h5` files each layer is a group, which has its own arrays as `vars/0`, `vars/1`, …. The
groups of a model's layers are named after their classes, numbered in the order of the layers.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from fjax.authoring.attributes import author_attributes, items_of
from fjax.authoring.sublayers import as_sublayer
from fjax.configuration import snake_case
from fjax.core.calling import is_authored
from fjax.core.graph import Graph
from fjax.core.keras_layout import KerasLayout
from fjax.core.reserved import only_weights
from fjax.core.weight_slot import Path

VARIABLES = "vars"


class Located(NamedTuple):
    """An array of a model.

    Attributes:
        name: Its name in the file.
        path: Its path, which begins with "params" or "state".
        is_optional: Whether the file may lack it; see `KerasLayout`.
    """

    name: str
    path: Path
    is_optional: bool = False


class Trees(NamedTuple):
    """The params and the state of a layer, and its path in those of the model."""

    params: Any
    state: Any
    path: tuple[str, ...] = ()

    def below(self, name: str) -> "Trees":
        """Return the trees of a layer within this one."""
        params, state = (tree.get(name, {}) for tree in (self.params, self.state))
        return Trees(params, state, (*self.path, name))

    def own(self) -> list[Path]:
        """Return the paths of the layer's own arrays, params before state."""
        return [
            (part, *self.path, name)
            for part, tree in (("params", self.params), ("state", self.state))
            for name, value in tree.items()
            if not isinstance(value, Mapping)
        ]


def locate_arrays(layer: Any, params: Any, state: Any) -> Iterator[Located]:
    """Yield the arrays of a model, with their names in a `.weights.h5` file.

    Args:
        layer: The model's layers.
        params: Their params, or the shapes of these.
        state: Their state, likewise.

    >>> from fjax import serial
    >>> from fjax.core.shapes import eval_shapes
    >>> from fjax.layers import LSTM, Dense
    >>> import jax
    >>> layers = serial(LSTM(2), Dense(3, use_bias=False))
    >>> shapes = eval_shapes(layers, jax.ShapeDtypeStruct((1, 4, 2), "float32"))
    >>> for name, path, _ in locate_arrays(layers, shapes.params, shapes.state):
    ...     print(name, path)
    layers/lstm/cell/vars/0 ('params', 'lstm', 'kernel')
    layers/lstm/cell/vars/1 ('params', 'lstm', 'recurrent_kernel')
    layers/lstm/cell/vars/2 ('params', 'lstm', 'bias')
    layers/dense/vars/0 ('params', 'dense', 'kernel')
    """
    groups: dict[int, str] = {}
    _note_groups(layer, "", groups)
    yield from _locate(layer, Trees(params, only_weights(state)), "", groups)


def keras_class_name(layer: Any) -> str:
    """Return the name of a layer's class in Keras; an author's class has its own."""
    author = getattr(layer, "author", layer)
    return _layout(layer).class_name or type(author).__name__


def layer_groups(layer: Any) -> list[tuple[str, str, Any]]:
    """Return the layers within a layer: the names of their weights, their groups, and themselves.

    A group is named by its path within that of the layer.
    """
    children = layer.children() if hasattr(layer, "children") else []
    if is_authored(layer) or hasattr(layer, "author"):
        return _authored_groups(getattr(layer, "author", layer), children)
    layout = _layout(layer)
    if layout.container:
        # A graph has its inputs among its layers.
        listed = layer.layers_in_order() if isinstance(layer, Graph) else children
        groups = _numbered(layout.container, [child for _, child in listed])
        return [(name, group, child) for group, (name, child) in zip(groups, listed, strict=True)]
    if isinstance(layout.children, Mapping):
        return [(name, layout.children[name], child) for name, child in children]
    groups = list(layout.children) or [name for name, _ in children]
    return [(name, group, child) for group, (name, child) in zip(groups, children, strict=True)]


def group_names(layer: Any, group: str = "") -> Iterator[tuple[str, str]]:
    """Yield the groups of the layers within a layer, with the names of the layers."""
    for name, at, child in layer_groups(layer):
        yield _join(group, at), name
        yield from group_names(child, _join(group, at))


def arrays_beside_weights(layer: Any, group: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """Yield what layers within a layer learned that Keras has among the weights, with names."""
    for _, at, child in layer_groups(layer):
        below = _join(group, at)
        if hasattr(child, "arrays_beside_weights"):
            for name, array in child.arrays_beside_weights().items():
                yield _join(below, name), array
        yield from arrays_beside_weights(child, below)


def _note_groups(layer: Any, group: str, groups: dict[int, str]) -> None:
    """Note the first group of each layer: Keras saves a layer where it first meets it."""
    for _, at, child in layer_groups(layer):
        if id(child) not in groups:
            groups[id(child)] = _join(group, at)
            _note_groups(child, groups[id(child)], groups)


def _locate(layer: Any, trees: Trees, group: str, groups: Mapping[int, str]) -> Iterator[Located]:
    layout = _layout(layer)
    own = {path[-1]: path for path in trees.own()}
    beside = [own[name] for name in (*layout.repeated, *layout.beside) if name in own]
    grouped = [path for name, path in own.items() if name not in layout.beside]
    for at, paths in (("", beside), (layout.group, grouped)):
        for number, path in enumerate(paths):
            name = _join(group, at, VARIABLES, str(number))
            yield Located(name, path, layout.is_optional)
    below: dict[str, tuple[str, Any]] = {
        name: (groups[id(child)], child) for name, _, child in layer_groups(layer)
    }
    if isinstance(layout.children, Mapping):
        # Projections are no layers here, and layers in Keras.
        below |= {name: (_join(group, at), None) for name, at in layout.children.items()}
    for name, (at, child) in below.items():
        if name in trees.params or name in trees.state:
            yield from _locate(child, trees.below(name), at, groups)


def _authored_groups(author: Any, children: list[tuple[str, Any]]) -> list[tuple[str, str, Any]]:
    """Return the groups of the layers in an author's attributes, private ones last."""
    names = {id(child): name for name, child in children}
    found: dict[int, tuple[str, str, Any]] = {}

    def search(value: Any, group: str) -> None:
        layer = as_sublayer(value)
        if layer is not None:
            if id(layer) in names:
                found.setdefault(id(layer), (names[id(layer)], group, layer))
            return
        items = [item for _, item in items_of(value)]
        for at, item in zip(_numbered(group, items), items, strict=True):
            search(item, at)

    attributes = author_attributes(author)
    if hasattr(author, "layer_tree"):
        # Of a model, `layers` is an attribute like the others.
        attributes["layers"] = [child for _, child in children]
    for name in sorted(attributes, key=lambda name: f"~{name}" if name[0] == "_" else name):
        search(attributes[name], name)
    return list(found.values())


def described_groups(group: str, layers: list[Any]) -> list[str]:
    """Return the groups of the layers of a model, from their configurations.

    >>> described_groups("", [{"class_name": "Dense"}, {"class_name": "Dense"}])
    ['layers/dense', 'layers/dense_1']
    """
    names = [str(each.get("class_name")) if isinstance(each, dict) else "" for each in layers]
    return _numbered_names(_join(group, "layers"), names)


def _numbered(container: str, items: list[Any]) -> list[str]:
    """Return the group of each entry of a list, which are layers and lists of layers."""
    layers = map(as_sublayer, items)
    names = ["container" if layer is None else keras_class_name(layer) for layer in layers]
    return _numbered_names(container, names)


def _numbered_names(container: str, names: list[str]) -> list[str]:
    """Return a group for each name of a class, numbered if the name is repeated."""
    counts: dict[str, int] = {}
    groups = []
    for name in map(snake_case, names):
        counts[name] = counts.get(name, -1) + 1
        groups.append(_join(container, f"{name}_{counts[name]}" if counts[name] else name))
    return groups


def _layout(layer: Any) -> KerasLayout:
    layout: KerasLayout = getattr(type(layer), "keras_layout", KerasLayout())
    return layout


def _join(*parts: str) -> str:
    return "/".join(part for part in parts if part)
