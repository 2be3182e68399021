"""Arrays on the devices of several processes: made of the rows that each process has, and gathered.

A process puts data on its own devices only. An array of all devices is global: each process has its
part of it, and programs with global arguments run in all processes together.
"""

import dataclasses
from functools import lru_cache
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from fjax.compiler import compile_function
from fjax.processes.job import GATHER_SECONDS, shared_job
from fjax.typing import Array, PyTree, RowPart

# How many meshes have their parts kept.
CACHE_SIZE = 64


@dataclasses.dataclass(frozen=True)
class _Blocks:
    """The blocks of rows, one for each device along the batch axes, that a process has.

    Attributes:
        own: The numbers of its blocks, in order.
        count: The number of all blocks.
        part: The part of a batch that these blocks are.
    """

    own: tuple[int, ...]
    count: int
    part: RowPart


@lru_cache(CACHE_SIZE)
def process_ids(mesh: Mesh) -> tuple[int, ...]:
    """Return the processes whose devices are in a mesh, in order."""
    return tuple(sorted({device.process_index for device in mesh.devices.flat}))


def row_part(mesh: Mesh, batch_axes: Any) -> RowPart:
    """Return the part of each batch that this process has.

    Raises:
        ValueError: The mesh divides batches so that two processes share some of their rows.
    """
    return _blocks(mesh, batch_axes).part


def own_rows(mesh: Mesh, batch_axes: Any, batch_size: int) -> np.ndarray | None:
    """Return which rows of a batch this process has; None for all of them."""
    blocks = _blocks(mesh, batch_axes)
    if len(blocks.own) == blocks.count or batch_size % blocks.count:
        return None
    rows = np.arange(batch_size).reshape(blocks.count, -1)
    return rows[list(blocks.own)].ravel()


def of_own_rows(local: Any, mesh: Mesh, batch_axes: Any, axis: int) -> Array:
    """Return a global array of the rows that this process has.

    Args:
        local: The rows of this process, a numpy array, in the order of `own_rows`.
        mesh: The devices.
        batch_axes: The mesh axes that divide the rows.
        axis: The axis of the rows.
    """
    blocks = _blocks(mesh, batch_axes)
    size = local.shape[axis] // len(blocks.own)
    shape = (*local.shape[:axis], size * blocks.count, *local.shape[axis + 1 :])
    sharding = NamedSharding(mesh, PartitionSpec(*[None] * axis, batch_axes))

    def block(index: Any) -> np.ndarray:
        position = blocks.own.index((index[axis].start or 0) // size) * size
        own: np.ndarray = local[(*index[:axis], slice(position, position + size))]
        return own

    return jax.make_array_from_callback(shape, sharding, block)


def of_whole(value: Any, sharding: NamedSharding) -> Array:
    """Return a global array of one that every process has as a whole, or that is global.

    A PRNG key stays one.
    """
    present = getattr(value, "sharding", None)
    if present is not None and present.is_equivalent_to(sharding, value.ndim):
        return value
    if jax.dtypes.issubdtype(getattr(value, "dtype", np.float32), jax.dtypes.prng_key):
        spec = PartitionSpec(*sharding.spec, None)
        words = of_whole(jax.random.key_data(value), NamedSharding(sharding.mesh, spec))
        return jax.random.wrap_key_data(words, impl=jax.random.key_impl(value))
    if isinstance(value, jax.Array) and not value.is_fully_addressable:
        if value.sharding.device_set == sharding.device_set:
            return _resharding(sharding)(value)
        value = whole(value)
    array = np.asarray(value)
    return jax.make_array_from_callback(array.shape, sharding, lambda index: array[index])


def whole(tree: PyTree) -> PyTree:
    """Return arrays of any devices as numpy arrays, which may be read-only.

    If one is divided among processes, all of them must call this.
    """
    return jax.tree.map(np.asarray, _gathered(tree))


def readable(tree: PyTree) -> PyTree:
    """Return arrays that this process can read as a whole; PRNG keys become local ones."""
    return jax.tree.map(_local, _gathered(tree))


def _gathered(tree: PyTree) -> PyTree:
    """Return the tree with the arrays that are divided among processes whole on each device."""
    leaves, structure = jax.tree.flatten(tree)
    divided = [index for index, leaf in enumerate(leaves) if _is_divided(leaf)]
    if divided:
        # Else a process that does not take part would be waited for without end.
        topic = "to read arrays that are divided among processes"
        shared_job().exchange(topic, len(divided), GATHER_SECONDS)
        for index, leaf in zip(
            divided, replicated([leaves[index] for index in divided]), strict=True
        ):
            leaves[index] = leaf
    return jax.tree.unflatten(structure, leaves)


def _is_divided(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and not (leaf.is_fully_addressable or is_replicated(leaf))


def _local(leaf: Any) -> Any:
    if jax.dtypes.issubdtype(getattr(leaf, "dtype", np.float32), jax.dtypes.prng_key):
        words = jax.numpy.asarray(np.asarray(jax.random.key_data(leaf)))
        return jax.random.wrap_key_data(words, impl=jax.random.key_impl(leaf))
    return np.asarray(leaf)


def is_replicated(array: Array) -> bool:
    """Return whether each device has the whole array."""
    return bool(array.sharding.is_fully_replicated)


def replicated(tree: PyTree) -> PyTree:
    """Return a copy of global arrays, whole on each device; all processes must call it."""
    leaves, structure = jax.tree.flatten(tree)
    mesh = leaves[0].sharding.mesh
    return jax.tree.unflatten(structure, _resharding(NamedSharding(mesh, PartitionSpec()))(leaves))


def gather_rows(part: RowPart, mesh: Mesh, local: Any) -> np.ndarray:
    """Return the rows that the processes of all parts have, as one array in the order of the parts.

    Args:
        part: The part of this process.
        mesh: The devices of the processes.
        local: The rows of this process, a numpy array; each process has equally many.
    """
    first = {device.process_index: device for device in reversed(mesh.devices.ravel().tolist())}
    one_each = np.array([first[process] for process in sorted(first)], object)
    sharding = NamedSharding(Mesh(one_each, ("process",)), PartitionSpec("process"))
    labelled = jax.make_array_from_process_local_data(sharding, np.array([part.index]))
    rows = jax.make_array_from_process_local_data(sharding, local[None])
    owners = whole(labelled).tolist()
    parts: np.ndarray = whole(rows)[[owners.index(number) for number in range(part.count)]]
    return parts.reshape(-1, *local.shape[1:])


@lru_cache(CACHE_SIZE)
def _resharding(sharding: NamedSharding) -> Any:
    def copy(tree: PyTree) -> PyTree:
        return jax.tree.map(lambda leaf: jax.numpy.copy(leaf), tree)

    return compile_function(copy, out_shardings=sharding)


@lru_cache(CACHE_SIZE)
def _blocks(mesh: Mesh, batch_axes: Any) -> _Blocks:
    names = (
        () if batch_axes is None else (batch_axes,) if isinstance(batch_axes, str) else batch_axes
    )
    count = int(np.prod([mesh.shape[name] for name in names], dtype=int))
    sharding = NamedSharding(mesh, PartitionSpec(batch_axes))
    by_process: dict[int, set[int]] = {}
    device: Any
    for device, (rows,) in sharding.devices_indices_map((count,)).items():
        by_process.setdefault(device.process_index, set()).add(rows.start or 0)
    parts = sorted({tuple(sorted(blocks)) for blocks in by_process.values()})
    if sum(map(len, parts)) != count or len(set(map(len, parts))) != 1:
        raise ValueError(
            f"The mesh {dict(mesh.shape)} divides each batch among the processes so that they "
            f"share some rows, or have parts of different sizes: {parts}. Order its devices so "
            "that the devices of one process are next to each other along the axis of the batch."
        )
    own = tuple(sorted(by_process[jax.process_index()]))
    return _Blocks(own, count, RowPart(parts.index(own), len(parts)))
