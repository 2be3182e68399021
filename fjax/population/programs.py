"""The compiled programs of a population: many runs of one architecture side by side.

Every array has the axis of the members in front: the train states, the hyperparameters in which the
members differ, and the rows of the data that each member is trained on. One step is the pure step
of `fjax.training.train_step` under `vmap`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from fjax.caching import Cache
from fjax.compiler import compile_function
from fjax.configuration import cache_key
from fjax.core.masking import strip_masks
from fjax.core.precision import apply_layer
from fjax.population.program_groups import SharedArchitecture
from fjax.population.stacking import is_key
from fjax.training import step as steps
from fjax.training.accumulators import Logs, Metrics, results
from fjax.training.placement import DEFAULT
from fjax.training.programs import CACHE_SIZE, private_key
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


class PopulationPrograms(NamedTuple):
    """The programs of an architecture; each function compiles at its first call.

    Attributes:
        advance: `(train_states, hyperparameters, data, rows, counts, active, batch_size, exactly)
            -> (train_states, logs)`: trains for one epoch. `rows` is a table with a line for each
            member: the rows to train on in their order, padded to whole batches. `counts` are the
            numbers of rows that are not padding. Members that are not `active` do not change. With
            `exactly`, a Python number, all members have that many rows, and the last batch has the
            size of what is left. With None the last batch is padded with rows that do not count.
            The train states are donated.
        measure: `(train_states, hyperparameters, sums, data, rows, counts, batch_size, exactly) ->
            logs`: evaluates on the rows.
        predict: `(train_states, hyperparameters, inputs, rows) -> outputs`: predicts for one batch
            of each member.
    """

    advance: Callable[..., tuple[TrainState, Logs]]
    measure: Callable[..., Logs]
    predict: Callable[..., PyTree]


def population_programs(architecture: SharedArchitecture, metrics: Metrics) -> PopulationPrograms:
    """Return the programs of an architecture; equal architectures share them.

    Args:
        architecture: What the members share.
        metrics: What is measured beside the loss.
    """
    metrics_key = cache_key(metrics)
    if architecture.key is not None and metrics_key is not None:
        key = (architecture.key, metrics_key)
        return _SHARED.get(key, lambda: _programs(architecture, metrics))
    key = private_key(metrics)
    if key not in architecture.programs:
        architecture.programs[key] = _programs(architecture, metrics)
    return architecture.programs[key]


_SHARED: Cache[PopulationPrograms] = Cache(CACHE_SIZE)


def _programs(architecture: SharedArchitecture, metrics: Metrics) -> PopulationPrograms:
    options = FAST_COMPILATION if DEFAULT.is_cpu else None
    compiled = partial(compile_function, compiler_options=options)
    sizes = ("batch_size", "exactly")
    return PopulationPrograms(
        advance=compiled(
            partial(_advance, architecture, metrics), static_argnames=sizes, donate_argnums=0
        ),
        measure=compiled(partial(_measure, architecture, metrics), static_argnames=sizes),
        predict=compiled(partial(_predict, architecture)),
    )


def _advance(
    architecture: SharedArchitecture,
    metrics: Metrics,
    train_states: TrainState,
    hyperparameters: PyTree,
    data: Batch,
    rows: Array,
    counts: Array,
    active: Array,
    batch_size: int,
    exactly: int | None,
) -> tuple[TrainState, Logs]:
    def step(
        train_state: TrainState, values: PyTree, index: Array, valid: Array | None = None
    ) -> TrainState:
        network, loss, optimizer = architecture.parts_for(values)
        batch = _take(data, index)._replace(valid=valid)
        return steps.train_step(network, loss, optimizer, metrics)(train_state, batch)[0]

    trained = _over_batches(
        step, train_states, (hyperparameters,), rows, counts, batch_size, exactly
    )
    trained = jax.vmap(_where)(active, trained, train_states)
    return trained, jax.vmap(partial(results, metrics))(trained.accumulators)


def _measure(
    architecture: SharedArchitecture,
    metrics: Metrics,
    train_states: TrainState,
    hyperparameters: PyTree,
    sums: PyTree,
    data: Batch,
    rows: Array,
    counts: Array,
    batch_size: int,
    exactly: int | None,
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

    members = rows.shape[0]
    totals = jax.tree.map(lambda leaf: jnp.zeros((members, *leaf.shape), leaf.dtype) + leaf, sums)
    fixed = (hyperparameters, train_states)
    totals = _over_batches(step, totals, fixed, rows, counts, batch_size, exactly)
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


def _over_batches(
    step: Callable[..., PyTree],
    carry: PyTree,
    fixed: tuple[PyTree, ...],
    rows: Array,
    counts: Array,
    batch_size: int,
    exactly: int | None,
) -> PyTree:
    """Return the carry after `step(carry, *fixed, rows of a batch, valid)` for each batch.

    With `exactly` the last batch has the rows that are left. Without it the last batch is padded,
    and the carry of a member that has no rows left does not change.
    """

    def padded_batch(number: Array, carry: PyTree) -> PyTree:
        def one_member(carry: PyTree, index: Array, count: Array, *fixed: PyTree) -> PyTree:
            left = count - number * batch_size
            valid = (jnp.arange(batch_size) < left).astype(jnp.float32)
            return _where(left > 0, step(carry, *fixed, index, valid), carry)

        return jax.vmap(one_member)(carry, _batch_of(rows, number, batch_size), counts, *fixed)

    def whole_batch(number: Array, carry: PyTree) -> PyTree:
        return jax.vmap(step)(carry, *fixed, _batch_of(rows, number, batch_size))

    if exactly is None:
        # A traced bound, not the width of the table: one program serves any number of rows.
        batches = (jnp.max(counts) + batch_size - 1) // batch_size
        return lax.fori_loop(0, batches, padded_batch, carry)
    full, rest = divmod(exactly, batch_size)
    carry = lax.fori_loop(0, full, whole_batch, carry) if full else carry
    return jax.vmap(step)(carry, *fixed, rows[:, exactly - rest : exactly]) if rest else carry


def _batch_of(rows: Array, number: Array, batch_size: int) -> Array:
    return lax.dynamic_slice_in_dim(rows, number * batch_size, batch_size, axis=1)


def _take(data: Any, rows: Array) -> Any:
    # The rows are those of the data: no index can be out of bounds.
    return jax.tree.map(lambda leaf: leaf.at[rows].get(mode="promise_in_bounds"), data)


def _where(condition: Array, new: PyTree, old: PyTree) -> PyTree:
    # Keys never change, and `jnp.where` does not take them.
    return jax.tree.map(
        lambda one, other: other if is_key(other) else jnp.where(condition, one, other), new, old
    )
