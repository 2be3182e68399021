"""Tied layers: one layer in several of an author's objects, with one set of weights.

A decoder that is given the embedding of its encoder has it as an attribute, too. In `params` and
`state` the weights are once: at the first path of the layer, in the order of the attributes. During
a pass they are at each of its paths, so that all objects find them; gradients sum up in the one
array.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jax

from fjax.core.reserved import PENALTY
from fjax.trees import branch
from fjax.typing import PyTree, State

Path = tuple[str, ...]


class Tie(NamedTuple):
    """A further path of a layer.

    Attributes:
        path: The path.
        owner: The first path of the layer, where its weights are.
        layer: The layer.
    """

    path: Path
    owner: Path
    layer: Any


def find_ties(children: list[tuple[str, Any]]) -> list[Tie]:
    """Return the further paths of the layers within an author's object.

    Args:
        children: The sublayers of the object, by name.

    >>> from fjax import Layer
    >>> from fjax.layers import Dense
    >>> class Held(Layer):
    ...     def __init__(self, layer):
    ...         super().__init__()
    ...         self.layer = layer
    ...
    ...     def call(self, inputs):
    ...         return self.layer(inputs)
    >>> layer = Dense(3)
    >>> [(tie.path, tie.owner) for tie in find_ties([("first", layer), ("second", Held(layer))])]
    [(('second', 'layer'), ('first',))]
    """
    owners: dict[int, Path] = {}

    def walk(children: list[tuple[str, Any]], path: Path) -> Iterator[Tie]:
        for name, layer in children:
            here = (*path, name)
            owner = owners.setdefault(id(layer), here)
            # A pure combinator with one object at two positions makes two layers of it.
            if owner != here and owner[:-1] != path:
                yield Tie(here, owner, layer)
            elif owner == here:
                yield from walk(layer.children() if hasattr(layer, "children") else [], here)

    return list(walk(children, ()))


def with_ties(tree: PyTree, ties: list[Tie]) -> PyTree:
    """Return params or state with the weights of tied layers at each of their paths.

    >>> with_ties({"a": {"kernel": 1}, "b": {}}, [Tie(("b", "layer"), ("a",), None)])
    {'a': {'kernel': 1}, 'b': {'layer': {'kernel': 1}}}
    """
    for tie in ties:
        if _has(tree, tie.owner) and _has(tree, tie.path[:-1]):
            tree = _set(tree, tie.path, branch(tree, tie.owner))
    return tree


def without_ties(tree: PyTree, ties: list[Tie]) -> PyTree:
    """Return params or state with the weights of tied layers only at their first paths.

    >>> ties = [Tie(("b", "layer"), ("a",), None)]
    >>> without_ties(with_ties({"a": {"kernel": 1}, "b": {}}, ties), ties)
    {'a': {'kernel': 1}, 'b': {}}
    """
    for tie in ties:
        if not _has(tree, tie.path):
            continue
        if not _has(tree, tie.owner):
            # Only the later object calls the layer.
            tree = _set(tree, tie.owner, branch(tree, tie.path))
        *parents, name = tie.path
        holder = branch(tree, parents)
        tree = _set(tree, tuple(parents), {k: v for k, v in holder.items() if k != name})
    return tree


def join_ties(label: str, before: State, after: State, ties: list[Tie]) -> State:
    """Return the next state, with what each of a layer's calls has changed at its first path.

    Args:
        label: The class of the author's object, for errors.
        before: The state before the pass, with the weights at each path.
        after: The state after it, likewise.
        ties: The ties.

    Raises:
        ValueError: Two objects changed the state of one layer, such as a `BatchNormalization`.
    """
    for tie in ties:
        if _has(after, tie.path) and _has(after, tie.owner):
            old, new, other = (
                branch(before, tie.owner), branch(after, tie.owner), branch(after, tie.path),
            )  # fmt: skip
            after = _set(after, tie.owner, _joined(label, tie, old, new, other))
    return without_ties(after, ties)


def _joined(label: str, tie: Tie, before: PyTree, one: PyTree, other: PyTree) -> PyTree:
    if not isinstance(one, Mapping):
        if other is before:
            return one
        if one is before:
            return other
        raise ValueError(
            f"`{label}`: the layer {tie.layer!r} has state, and is called both as "
            f"{'/'.join(tie.owner)!r} and as {'/'.join(tie.path)!r}, which would change it in one "
            "pass. Call it in one object, and give the other one its outputs."
        )
    joined = {}
    for name, value in one.items():
        if name == PENALTY:
            joined[name] = _joined_penalties(before[name], value, other[name])
        else:
            joined[name] = _joined(label, tie, before[name], value, other[name])
    return joined


def _joined_penalties(before: State, one: State, other: State) -> State:
    """Return the penalties of calls in both objects: of the weights once, of the calls in sum."""
    if _is_same(other, before):
        return one
    if _is_same(one, before):
        return other
    return {**one, "calls": one["calls"] + other["calls"]}


def _is_same(one: PyTree, other: PyTree) -> bool:
    return all(a is b for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True))


def _has(tree: PyTree, path: Path) -> bool:
    for name in path:
        if not isinstance(tree, Mapping) or name not in tree:
            return False
        tree = tree[name]
    return True


def _set(tree: PyTree, path: Path, value: Any) -> PyTree:
    if not path:
        return value
    name, *rest = path
    below = tree[name] if rest else value
    return {**tree, name: _set(below, tuple(rest), value)}
