"""The compiled programs of a population: many runs of one architecture side by side.

Every array has the axis of the members in front: the train states, the hyperparameters in which the
members differ, and the rows of the data that each member is trained on. One step is the pure step
of `fjax.training.train_step` under `vmap`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import PartitionSpec

from fjax.caching import Cache
from fjax.compiler import compile_function
from fjax.configuration import cache_key
from fjax.core.masking import strip_masks
from fjax.core.precision import apply_layer
from fjax.population.program_groups import SharedArchitecture
from fjax.population.stacking import is_key
from fjax.training import step as steps
from fjax.training.accumulators import Logs, Metrics, results
from fjax.training.placement import DEFAULT, Placement
from fjax.training.program_keys import private_key
from fjax.training.programs import CACHE_SIZE
from fjax.training.shardings import REPLICATED
from fjax.training.state import TrainState
from fjax.training.step import Batch
from fjax.typing import Array, PyTree

# A search compiles a program for each architecture. On a CPU, without the newer emitters of fused
# loops, that takes a third less time, and the programs run as fast. Newer releases of JAX have no
# other emitters; there `compile_function` drops the option.
FAST_COMPILATION = {
    "xla_backend_optimization_level": 1,
    "xla_cpu_use_fusion_emitters": False,
    "xla_cpu_parallel_codegen_split_count": 1,
}


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class RowTable:
    """The rows of the data that each member takes, as batches.

    Attributes:
        rows: A line for each member: its rows in their order, padded to whole batches.
        counts: The number of rows of each line that are not padding.
        batch_size: The number of rows in a batch.
        exactly: How many rows all members have, if the last batch has the size of what is left;
            None if it is padded with rows that do not count.
    """

    rows: Array | np.ndarray
    counts: Array | np.ndarray
    batch_size: int = field(metadata={"static": True})
    exactly: int | None = field(metadata={"static": True})

    def fold(self, step: Callable[..., PyTree], carry: PyTree, *fixed: PyTree) -> PyTree:
        """Return the carry after `step(carry, *fixed, rows of a batch, valid)` for each batch.

        The carry of a member that has no rows left does not change.
        """

        def padded_batch(number: Array, carry: PyTree) -> PyTree:
            def one_member(carry: PyTree, index: Array, count: Any, *fixed: PyTree) -> PyTree:
                left = count - number * self.batch_size
                valid = (jnp.arange(self.batch_size) < left).astype(jnp.float32)
                return _where(left > 0, step(carry, *fixed, index, valid), carry)

            return jax.vmap(one_member)(carry, self._batch(number), self.counts, *fixed)

        def whole_batch(number: Array, carry: PyTree) -> PyTree:
            return jax.vmap(step)(carry, *fixed, self._batch(number))

        if self.exactly is None:
            # A traced bound, not the width of the table: one program serves any number of rows.
            batches = (jnp.max(self.counts) + self.batch_size - 1) // self.batch_size
            return lax.fori_loop(0, batches, padded_batch, carry)
        full, rest = divmod(self.exactly, self.batch_size)
        carry = lax.fori_loop(0, full, whole_batch, carry) if full else carry
        last = self.rows[:, self.exactly - rest : self.exactly]
        return jax.vmap(step)(carry, *fixed, last) if rest else carry

    def _batch(self, number: Array) -> Array:
        size = self.batch_size
        return lax.dynamic_slice_in_dim(self.rows, number * size, size, axis=1)


class PopulationPrograms(NamedTuple):
    """The programs of an architecture; each function compiles at its first call.

    Attributes:
        advance: `(train_states, hyperparameters, data, table, active) -> (train_states, logs)`:
            trains for one epoch on the rows of a `RowTable`. Members that are not `active` do not
            change. The train states are donated.
        measure: `(train_states, hyperparameters, sums, data, table) -> logs`: evaluates on the
            rows of a `RowTable`.
        predict: `(train_states, hyperparameters, inputs, rows) -> outputs`: predicts for one batch
            of each member.
    """

    advance: Callable[..., tuple[TrainState, Logs]]
    measure: Callable[..., Logs]
    predict: Callable[..., PyTree]


def population_programs(
    architecture: SharedArchitecture, metrics: Metrics, placement: Placement = DEFAULT
) -> PopulationPrograms:
    """Return the programs of an architecture; equal architectures share them.

    Args:
        architecture: What the members share.
        metrics: What is measured beside the loss.
        placement: The devices. Each runs the program for its members, and none waits for another.
    """
    metrics_key = cache_key(metrics)
    if architecture.key is not None and metrics_key is not None:
        key = (architecture.key, metrics_key, placement)
        return _SHARED.get(key, lambda: _programs(architecture, metrics, placement))
    private = (private_key(metrics), placement)
    if private not in architecture.programs:
        architecture.programs[private] = _programs(architecture, metrics, placement)
    return architecture.programs[private]


_SHARED: Cache[PopulationPrograms] = Cache(CACHE_SIZE)


def _programs(
    architecture: SharedArchitecture, metrics: Metrics, placement: Placement
) -> PopulationPrograms:
    options = FAST_COMPILATION if DEFAULT.is_cpu else None
    compiled = partial(compile_function, compiler_options=options)
    divided = partial(_divided, placement)
    # For each argument whether it has the axis of the members.
    advance = divided(partial(_advance, architecture, metrics), (True, True, False, True, True))
    measure = divided(partial(_measure, architecture, metrics), (True, True, False, False, True))
    predict = divided(partial(_predict, architecture), (True, True, False, True))
    return PopulationPrograms(
        advance=compiled(advance, donate_argnums=0),
        measure=compiled(measure),
        predict=compiled(predict),
    )


def _divided(
    placement: Placement, program: Callable[..., PyTree], has_members: Sequence[bool]
) -> Callable[..., PyTree]:
    """Return a program that each device runs for its members; all devices have other arguments."""
    if placement.mesh is None:
        return program
    members = PartitionSpec(placement.batch_axes)
    return jax.shard_map(
        program,
        mesh=placement.mesh,
        in_specs=tuple(members if each else REPLICATED for each in has_members),
        out_specs=members,
        check_vma=False,
    )


def _advance(
    architecture: SharedArchitecture,
    metrics: Metrics,
    train_states: TrainState,
    hyperparameters: PyTree,
    data: Batch,
    table: RowTable,
    active: Array,
) -> tuple[TrainState, Logs]:
    def step(
        train_state: TrainState, values: PyTree, index: Array, valid: Array | None = None
    ) -> TrainState:
        network, loss, optimizer = architecture.parts_for(values)
        batch = _take(data, index)._replace(valid=valid)
        return steps.train_step(network, loss, optimizer, metrics)(train_state, batch)[0]

    trained = table.fold(step, train_states, hyperparameters)
    trained = jax.vmap(_where)(active, trained, train_states)
    return trained, jax.vmap(partial(results, metrics))(trained.accumulators)


def _measure(
    architecture: SharedArchitecture,
    metrics: Metrics,
    train_states: TrainState,
    hyperparameters: PyTree,
    sums: PyTree,
    data: Batch,
    table: RowTable,
) -> Logs:
    def step(
        total: PyTree,
        values: PyTree,
        train_state: TrainState,
        index: Array,
        valid: Array | None = None,
    ) -> PyTree:
        network, loss, _ = architecture.parts_for(values)
        batch = _take(data, index)._replace(valid=valid)
        key = jax.random.fold_in(train_state.key, train_state.step)
        measure = steps.test_step(network, loss, metrics)
        return measure(total, train_state.params, train_state.state, batch, key)

    members = len(table.counts)
    totals = jax.tree.map(lambda leaf: jnp.zeros((members, *leaf.shape), leaf.dtype) + leaf, sums)
    totals = table.fold(step, totals, hyperparameters, train_states)
    return jax.vmap(partial(results, metrics))(totals)


def _predict(
    architecture: SharedArchitecture,
    train_states: TrainState,
    hyperparameters: PyTree,
    inputs: tuple[PyTree, ...],
    rows: Array,
) -> PyTree:
    def predict_one(train_state: TrainState, values: PyTree, index: Array) -> PyTree:
        network, _, _ = architecture.parts_for(values)
        key = jax.random.fold_in(train_state.key, train_state.step)
        batch = _take(inputs, index)
        outputs, _ = apply_layer(network, train_state.params, train_state.state, *batch, key=key)
        return strip_masks(outputs)

    return jax.vmap(predict_one)(train_states, hyperparameters, rows)


def _take(data: Any, rows: Array) -> Any:
    # The rows are those of the data: no index can be out of bounds.
    return jax.tree.map(lambda leaf: leaf.at[rows].get(mode="promise_in_bounds"), data)


def _where(condition: Array, new: PyTree, old: PyTree) -> PyTree:
    # Keys never change, and `jnp.where` does not take them.
    return jax.tree.map(
        lambda one, other: other if is_key(other) else jnp.where(condition, one, other), new, old
    )
