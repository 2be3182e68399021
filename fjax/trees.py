"""Functions of pytrees: nested dicts, lists and tuples with arrays at the leaves."""

from collections.abc import Iterable
from typing import Any

import jax
import numpy as np

from fjax.typing import PyTree


def branch(tree: PyTree, path: Iterable[str | int]) -> PyTree:
    """Return the subtree at a path of names and positions in nested dicts and lists.

    >>> branch({"dense": {"kernel": 1}}, ("dense", "kernel"))
    1
    >>> branch([{"heads": [1, 2]}], (0, "heads", 1))
    2
    """
    for name in path:
        tree = tree[name]
    return tree


def path_name(path: Iterable[Any]) -> str:
    """Return a leaf's path, as JAX's tree functions give it, as names joined by "/".

    >>> [path_name(path) for path, _ in jax.tree_util.tree_leaves_with_path({"a": {"b": [1, 2]}})]
    ['a/b/0', 'a/b/1']
    """
    return jax.tree_util.keystr(tuple(path), simple=True, separator="/")


def first_difference(expected: PyTree, received: PyTree) -> str | None:
    """Describe the first difference in containers, names or shapes of two trees, or return None.

    Dtypes and values are not compared. Leaves may be arrays, numbers, or anything with a `.shape`.

    >>> expected = {"dense": {"kernel": np.zeros((3, 4)), "bias": np.zeros(4)}}
    >>> first_difference(expected, {"dense": {"kernel": np.zeros((4, 3)), "bias": np.zeros(4)}})
    "['dense']['kernel']: expected an array of shape (3, 4), received an array of shape (4, 3)"
    >>> first_difference(expected, {"dense": {"kernel": np.zeros((3, 4))}})
    "['dense']['bias']: expected an array of shape (4,), received nothing"
    >>> first_difference(expected, expected) is None
    True
    """
    return _first_difference(expected, received, "")


def _first_difference(expected: PyTree, received: PyTree, path: str) -> str | None:
    if _is_leaf(expected) or _is_leaf(received) or type(expected) is not type(received):
        expected_node, received_node = _description(expected), _description(received)
        if expected_node == received_node:
            return None
        return _message(path, expected_node, received_node)
    expected_children, received_children = _children(expected), _children(received)
    for name, child in expected_children.items():
        if name not in received_children:
            return _message(path + name, _description(child), "nothing")
        difference = _first_difference(child, received_children[name], path + name)
        if difference is not None:
            return difference
    for name, child in received_children.items():
        if name not in expected_children:
            return _message(path + name, "nothing", _description(child))
    return None


def _message(path: str, expected: str, received: str) -> str:
    return f"{path or 'the tree itself'}: expected {expected}, received {received}"


def _is_leaf(tree: PyTree) -> bool:
    return jax.tree_util.all_leaves([tree])


def _children(tree: PyTree) -> dict[str, Any]:
    """Return the subtrees one level down, by their paths."""
    children, _ = jax.tree_util.tree_flatten_with_path(tree, is_leaf=lambda node: node is not tree)
    return {jax.tree_util.keystr(path): child for path, child in children}


def _description(tree: PyTree) -> str:
    if tree is None:
        return "None"
    if not _is_leaf(tree):
        return f"a {type(tree).__name__}"
    shape = tree.shape if hasattr(tree, "shape") else np.shape(tree)
    return f"an array of shape {tuple(shape)}"
