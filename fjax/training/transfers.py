"""Arrays on their way to devices and between them, as `placement` needs them."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from fjax.compiler import compile_function
from fjax.typing import Array, PyTree


def put_on(value: Any, mesh: Mesh, spec: PartitionSpec) -> Array:
    """Return an array on the devices of a mesh; within a traced function it is a constraint."""
    return jax.device_put(value, NamedSharding(mesh, spec))


def put_tree(tree: PyTree, shardings: PyTree) -> PyTree:
    """Return the tree with its arrays on other devices; an array that is there is not copied."""
    leaves, structure = jax.tree.flatten(tree)
    wanted = jax.tree.leaves(shardings)
    elsewhere = [
        index
        for index, (leaf, sharding) in enumerate(zip(leaves, wanted, strict=True))
        if getattr(leaf, "sharding", None) != sharding
    ]
    moved = jax.device_put(
        [leaves[index] for index in elsewhere], [wanted[index] for index in elsewhere]
    )
    for index, leaf in zip(elsewhere, moved, strict=True):
        leaves[index] = leaf
    return jax.tree.unflatten(structure, leaves)


def put_global(tree: PyTree, shardings: PyTree) -> PyTree:
    """Return the tree with its arrays on the devices of several processes."""
    from fjax.processes.arrays import of_whole

    return jax.tree.map(of_whole, tree, shardings)


def copy_array(leaf: Any) -> Any:
    """Return a copy of an array of JAX or numpy."""
    return jnp.copy(leaf) if isinstance(leaf, jax.Array) else np.copy(leaf)


def to_default_device(leaf: Any) -> Any:
    """Return an array of a mesh, or a key, on the default device; other leaves are unchanged."""
    if not isinstance(leaf, jax.Array):
        return leaf
    if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        words = jnp.asarray(_to_numpy(jax.random.key_data(leaf)))
        return jax.random.wrap_key_data(words, impl=jax.random.key_impl(leaf))
    return jnp.array(_to_numpy(leaf))


def _to_numpy(array: Array) -> np.ndarray:
    if array.is_fully_addressable:
        return np.asarray(array)
    from fjax.processes.arrays import whole

    return whole(array)


@compile_function
def take_rows(tree: PyTree, rows: Array) -> PyTree:
    """Return rows of arrays on devices, by index."""
    return jax.tree.map(lambda array: array.at[rows].get(mode="promise_in_bounds"), tree)
