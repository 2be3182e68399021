"""Trees of arrays with the axis of the members in front."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.training.placement import DEFAULT, Placement
from fjax.typing import PyTree


def is_key(leaf: Any) -> bool:
    """Return whether a leaf is an array of typed PRNG keys."""
    return bool(jax.dtypes.issubdtype(getattr(leaf, "dtype", None), jax.dtypes.prng_key))


def stack_members(trees: list[PyTree], placement: Placement = DEFAULT) -> PyTree:
    """Return the trees of the members as one tree of stacked arrays, on the devices.

    Args:
        trees: The trees, as many as the devices divide.
        placement: The devices, among which the members are divided.
    """

    def stack(*leaves: Any) -> Any:
        if is_key(leaves[0]):
            words = np.stack([np.asarray(jax.random.key_data(leaf)) for leaf in leaves])
            return jax.random.wrap_key_data(jnp.asarray(words), impl=jax.random.key_impl(leaves[0]))
        return np.stack([np.asarray(leaf) for leaf in leaves])

    return put_members(jax.tree.map(stack, *trees), placement)


def put_members(tree: PyTree, placement: Placement) -> PyTree:
    """Return a stacked tree with its members divided among the devices."""
    return placement.put(tree) if placement.mesh is None else placement.put_rows(tree)


def take_member(tree: PyTree, index: int) -> PyTree:
    """Return the tree of one member as numpy arrays; keys remain keys.

    >>> both = stack_members([{"w": np.ones(2)}, {"w": np.zeros(2)}])
    >>> take_member(both, 1)
    {'w': array([0., 0.], dtype=float32)}
    """

    def take(leaf: Any) -> Any:
        if is_key(leaf):
            words = np.asarray(jax.random.key_data(leaf))[index]
            return jax.random.wrap_key_data(jnp.asarray(words), impl=jax.random.key_impl(leaf))
        return np.array(np.asarray(leaf)[index])

    return jax.tree.map(take, tree)


def replace_member(
    tree: PyTree, index: int, member: PyTree, placement: Placement = DEFAULT
) -> PyTree:
    """Return the stacked tree with the arrays of one member replaced; keys do not change."""

    def replace(leaf: Any, value: Any) -> Any:
        if is_key(leaf):
            return leaf
        values = np.array(leaf)
        values[index] = value
        return put_members(values, placement)

    return jax.tree.map(replace, tree, member)
