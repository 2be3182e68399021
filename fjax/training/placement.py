"""Placement: where the arrays of a run are, and how results are fetched.

This module and `transfers` are the only callers of `jax.device_put`. By default there is one
device. With a mesh, the arrays of a run are divided among its devices, and XLA's partitioner
divides the programs (GSPMD): they are written for one device, and no collective operation is
written by hand. The devices of a mesh may belong to several processes; `fjax.processes.arrays`
makes their arrays.
"""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from fjax.caching import Cache
from fjax.core.output_layouts import constrain_outputs
from fjax.lowering.row_shards import dividing_rows
from fjax.training.batch import Batch, rows
from fjax.training.device_memory import free_bytes, half_of_memory
from fjax.training.meshes import ids_of, mesh_of_ids
from fjax.training.output_layouts import OutputConstraint
from fjax.training.placement_table import describe_weights
from fjax.training.shardings import (
    REPLICATED,
    Replicated,
    WeightLayout,
    WeightSpecs,
    axis_size,
    with_sharding,
    with_specs,
)
from fjax.training.state import TrainState
from fjax.training.transfers import (
    copy_array,
    put_global,
    put_tree,
    take_rows,
    to_default_device,
)
from fjax.typing import PyTree, RowPart

# How many train states have their shardings kept.
CACHE_SIZE = 64


@dataclasses.dataclass(frozen=True)
class Placement:
    """The devices for the arrays of a run: the default device, or those of a mesh.

    `fjax.distribution` has functions that create placements.

    Attributes:
        mesh: The devices, along named axes; None for the default device.
        batch_axes: The mesh axes that divide each batch: a name, several names, or None, with which
            each device has the whole batch.
        layout: The rule that divides the weights; by default each device has all of them.
        auto_shard_dataset: Whether an iterable of batches would be the same in all processes, so
            that it had to be divided, which only Keras does, and only for `tf.data`.

    >>> import numpy as np
    >>> isinstance(Placement().put(np.ones(3)), jax.Array)
    True
    """

    mesh: Mesh | None = None
    batch_axes: str | tuple[str, ...] | None = None
    layout: WeightLayout = dataclasses.field(default_factory=Replicated)
    auto_shard_dataset: bool = False

    def put(self, tree: PyTree) -> PyTree:
        """Return the tree with every array whole on each device; it may still be transferred."""
        if self.is_shared:
            return self._global(tree, lambda leaf: self._sharding(REPLICATED))
        return jax.device_put(tree, self._sharding(REPLICATED))

    def put_window(self, tree: PyTree) -> PyTree:
        """Return the batches of a window for a program; on one CPU it reads them where they are."""
        if self.mesh is None:
            return tree if self.is_cpu else self.put(tree)
        if self.is_shared:
            return self._global(tree, lambda leaf: self._of_rows(leaf, 1))
        return jax.tree.map(lambda leaf: jax.device_put(leaf, self._of_rows(leaf, 1)), tree)

    def put_own_window(self, tree: PyTree) -> PyTree:
        """Return the batches of a window of which each process has its own rows.

        Args:
            tree: Arrays of shape (batches, own rows of a batch, …): the part `row_part` of each
                batch, with equally many rows in all processes. With one process, whole batches.
        """
        if not self.is_shared or self.row_part.count == 1:
            return self.put_window(tree)
        from fjax.processes.arrays import of_own_rows

        mesh, axes = self._require_mesh(), self.batch_axes
        return jax.tree.map(lambda leaf: of_own_rows(leaf, mesh, axes, 1), tree)

    def put_rows(self, tree: PyTree) -> PyTree:
        """Return the inputs of one call, divided by rows if the mesh divides their number."""
        if self.mesh is None:
            return tree
        if self.is_shared:
            return self._global(tree, lambda leaf: self._of_rows(leaf, 0))
        return jax.tree.map(lambda leaf: jax.device_put(leaf, self._of_rows(leaf, 0)), tree)

    def batch(self, batch: Batch) -> Batch:
        """Return a batch for a step of your own, its rows divided among the devices.

        Raises:
            ValueError: The mesh does not divide the number of rows.
        """
        for leaf in jax.tree.leaves(batch):
            self.check_batch_size(leaf.shape[0])
        return self.put_rows(batch)

    def shard(self, train_state: TrainState) -> TrainState:
        """Return the train state with its arrays on the devices where this placement has them.

        On the default device it is returned as it is.

        Raises:
            ValueError: The layout does not fit the weights.
        """
        if self.mesh is None:
            return train_state
        if self.is_shared:
            return put_global(train_state, self.shardings(train_state))
        return put_tree(train_state, self.shardings(train_state))

    def shard_weights(self, params: PyTree, state: PyTree) -> tuple[PyTree, PyTree]:
        """Return params and state on the devices where this placement has them."""
        if self.mesh is None:
            return params, state
        train_state = TrainState(params, state, (), (), (), (), (), ())  # type: ignore[arg-type]
        return self.shard(train_state)[:2]

    def constrain(self, train_state: TrainState) -> TrainState:
        """Return a traced train state that the compiled program keeps where `shard` puts it."""
        if self.mesh is None:
            return train_state
        return jax.lax.with_sharding_constraint(train_state, self.shardings(train_state))

    def step(self, step: Callable[[TrainState, Any], Any]) -> Callable[[TrainState, Any], Any]:
        """Return a pure step whose arrays this placement divides, for `jax.jit`.

        The outputs of layers are divided by rows, and the next train state is as `shard` puts it.

        Args:
            step: `step(train_state, batch)`, which returns the next train state and something else.

        >>> step = lambda train_state, batch: (train_state, {})
        >>> Placement().step(step) is step
        True
        """
        if self.mesh is None:
            return step

        def divided(train_state: TrainState, batch: Any) -> tuple[TrainState, Any]:
            with self.dividing_outputs(rows(batch)) as outputs:
                next_state, logs = step(train_state, batch)
            if outputs is not None:
                self.layout.check_outputs(outputs.paths)
            return self.constrain(next_state), logs

        return divided

    @contextmanager
    def dividing_outputs(self, row_count: int) -> Iterator[OutputConstraint | None]:
        """Let programs that are traced in the block divide outputs of layers with so many rows."""
        if self.mesh is None:
            yield None
            return
        constraint = OutputConstraint(self.mesh, self.batch_axes, self.layout, row_count)
        with constrain_outputs(constraint), dividing_rows(self.batch_shards):
            yield constraint

    def constrain_window(self, tree: PyTree) -> PyTree:
        """Return traced arrays that the compiled program divides as the batches of a window."""
        if self.mesh is None:
            return tree
        shardings = jax.tree.map(lambda leaf: self._of_rows(leaf, 1), tree)
        return jax.lax.with_sharding_constraint(tree, shardings)

    def constrain_results(self, tree: PyTree) -> PyTree:
        """Return traced results that every process can read, if several share the mesh."""
        if not self.is_shared:
            return tree
        return jax.lax.with_sharding_constraint(tree, self._sharding(REPLICATED))

    def shardings(self, train_state: TrainState) -> TrainState:
        """Return the sharding of each array of a train state, or of its shapes.

        Raises:
            ValueError: The layout does not fit the weights.
        """
        mesh = self._require_mesh()
        leaves, structure = jax.tree.flatten(train_state)
        key = (self, structure, tuple(map(np.shape, leaves)))
        return _SHARDINGS.get(key, lambda: _shardings(self, mesh, train_state))

    def shard_shapes(self, train_state: TrainState, batch: Any) -> tuple[TrainState, Any]:
        """Return the shapes of a train state and of a batch, with the shardings that they have.

        Args:
            train_state: The train state or its shapes.
            batch: The batch or its shapes.
        """
        if self.mesh is None:
            return train_state, batch
        sharded = jax.tree.map(with_sharding, train_state, self.shardings(train_state))
        return sharded, jax.tree.map(
            lambda leaf: with_sharding(leaf, self._of_rows(leaf, 0)), batch
        )

    def check_weights(self, params: PyTree, state: PyTree) -> None:
        """Raise ValueError if the layout does not fit weights, or their shapes."""
        if self.mesh is not None:
            WeightSpecs(self.layout, self.mesh, params, state)

    def check_batch_size(self, size: int) -> None:
        """Raise ValueError if the mesh does not divide batches of this size."""
        count = self.batch_shards
        if size % count:
            raise ValueError(
                f"A batch of {size} rows cannot be divided among the {count} devices along the "
                f"mesh axis {self.batch_axes!r}: use a batch size that is a multiple of {count}, "
                f"such as {-(-size // count) * count}."
            )

    @property
    def is_shared(self) -> bool:
        """Whether several processes share the mesh."""
        return self.mesh is not None and self.mesh.is_multi_process

    @property
    def process_count(self) -> int:
        """The number of processes whose devices are in the mesh."""
        return len(self._process_ids()) if self.is_shared else 1

    @property
    def process_index(self) -> int:
        """The position of this process among them."""
        return self._process_ids().index(jax.process_index()) if self.is_shared else 0

    @property
    def row_part(self) -> RowPart:
        """The part of each batch that this process has: its index, and the number of parts.

        Processes have the same part if the mesh divides only weights between them.

        Raises:
            ValueError: The mesh divides batches so that two processes share some of their rows.
        """
        if not self.is_shared:
            return RowPart(0, 1)
        from fjax.processes.arrays import row_part

        return row_part(self._require_mesh(), self.batch_axes)

    def own_rows(self, batch_size: int) -> np.ndarray | None:
        """Return which rows of a batch this process has, by index; None for all of them.

        It has all rows if the mesh does not divide their number.
        """
        if not self.is_shared:
            return None
        from fjax.processes.arrays import own_rows

        return own_rows(self._require_mesh(), self.batch_axes, batch_size)

    def gather_rows(self, tree: PyTree) -> PyTree:
        """Return the rows of all parts of a batch, numpy arrays; all processes must call it."""
        if self.row_part.count == 1:
            return tree
        from fjax.processes.arrays import gather_rows

        return jax.tree.map(partial(gather_rows, self.row_part, self._require_mesh()), tree)

    def check_streams(self) -> None:
        """Raise ValueError if batches of an iterable cannot be used with this placement."""
        if self.auto_shard_dataset and self.is_shared:
            raise ValueError(
                "`x` yields batches, which are not divided among processes: let each process yield "
                "its own part of every batch, and say so by `auto_shard_dataset=False`."
            )

    @property
    def batch_shards(self) -> int:
        """The number of parts into which each batch is divided."""
        return 1 if self.mesh is None else axis_size(self.mesh, self.batch_axes)

    def for_model(self, name: str) -> "Placement":
        """Return the placement of a model with this name, whose weights rules may name."""
        return dataclasses.replace(self, layout=self.layout.for_model(name))

    def describe(self, model: Any) -> None:
        """Print the weights of a built model, their specs and their bytes a device.

        >>> from fjax import Sequential
        >>> from fjax.distribution import data_parallel
        >>> from fjax.layers import Dense, Input
        >>> data_parallel().describe(Sequential([Input((8,)), Dense(3)]))
        weight        shape   spec        bytes a device
        dense/bias    (3,)    replicated              12
        dense/kernel  (8, 3)  replicated              96
        Weights: 108 bytes a device of 108. Optimizer: 0 bytes a device of 0.
        """
        print(describe_weights(self, model))

    def fetch(self, tree: PyTree) -> PyTree:
        """Return the tree as numpy arrays, which may be read-only.

        If several processes share the mesh, all of them must call this.
        """
        if self.is_shared:
            from fjax.processes.arrays import whole

            return whole(tree)
        # `device_get` starts all transfers before it waits; a CPU has none, and is read directly.
        return jax.tree.map(np.asarray, tree) if self.is_cpu else jax.device_get(tree)

    def readable(self, tree: PyTree) -> PyTree:
        """Return the tree with arrays that this process can read as a whole; keys stay keys.

        If several processes share the mesh, all of them must call this.
        """
        if not self.is_shared:
            return tree
        from fjax.processes.arrays import readable

        return readable(tree)

    def copies(self, tree: PyTree) -> PyTree:
        """Return copies of arrays that this process can read, and that survive a donation."""
        return jax.tree.map(copy_array if self.is_shared else jnp.copy, self.readable(tree))

    def take(self, tree: PyTree, rows: np.ndarray) -> PyTree:
        """Return batches of rows, by index, of arrays that `put` has put on the devices.

        The indices are within bounds. With a mesh each device takes its own rows.
        """
        return take_rows(tree, rows if self.mesh is None else self.put_window(rows))

    @property
    def is_cpu(self) -> bool:
        """Whether the device is a CPU."""
        return jax.default_backend() == "cpu"

    def capacity(self) -> int | None:
        """Return how many bytes of data may be on the device; None if its memory is unknown.

        This is half of the device's memory; the other half is for weights and results.
        """
        return half_of_memory()

    def free_memory(self) -> int | None:
        """Return the bytes that are free on the device, or on the host; None if unknown."""
        return free_bytes()

    def move(self, train_state: TrainState) -> TrainState:
        """Return the train state of another placement in this one."""
        if self.mesh is not None:
            return self.shard(train_state)
        return jax.tree.map(to_default_device, train_state)

    def _global(self, tree: PyTree, sharding_of: Any) -> PyTree:
        return put_global(tree, jax.tree.map(sharding_of, tree))

    def _sharding(self, spec: PartitionSpec) -> NamedSharding | None:
        return None if self.mesh is None else NamedSharding(self.mesh, spec)

    def _of_rows(self, leaf: Any, axis: int) -> NamedSharding:
        """Return the sharding of an array whose rows are along an axis.

        If the mesh does not divide their number, each device has all rows. This is so for a last,
        smaller batch that may not be filled: all devices compute the same.
        """
        is_divided = leaf.ndim > axis and leaf.shape[axis] % self.batch_shards == 0
        spec = PartitionSpec(*[None] * axis, self.batch_axes) if is_divided else REPLICATED
        return NamedSharding(self._require_mesh(), spec)

    def _process_ids(self) -> tuple[int, ...]:
        from fjax.processes.arrays import process_ids

        return process_ids(self.mesh)

    def _require_mesh(self) -> Mesh:
        assert self.mesh is not None
        return self.mesh

    def __copy__(self) -> "Placement":
        return self

    def __deepcopy__(self, memo: Any) -> "Placement":
        return self

    def __getstate__(self) -> dict[str, Any]:
        mesh = self.mesh
        plain = None if mesh is None else (ids_of(mesh), mesh.axis_names)
        return {**vars(self), "mesh": plain}

    def __setstate__(self, state: dict[str, Any]) -> None:
        mesh = state["mesh"]
        vars(self).update(state, mesh=None if mesh is None else mesh_of_ids(*mesh))


_SHARDINGS: Cache[TrainState] = Cache(CACHE_SIZE)


def _shardings(placement: Placement, mesh: Mesh, train_state: TrainState) -> TrainState:
    params, state = train_state.params, train_state.state
    specs = WeightSpecs(placement.layout, mesh, params, state)
    replicated = with_specs(train_state, mesh, lambda path, shape: REPLICATED)
    return replicated._replace(
        params=with_specs(params, mesh, specs.for_params),
        state=with_specs(state, mesh, specs.for_state),
        opt_state=with_specs(train_state.opt_state, mesh, specs.for_params),
    )


DEFAULT = Placement()
