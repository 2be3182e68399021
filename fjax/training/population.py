"""The compiled programs of a population: many trainings of one architecture side by side.

Every array of a run has the population's axis in front: train states, the numbers in which the
members differ, the rows of the data that each is trained on. One step is the pure step of
`fjax.training.train_step` under `vmap`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from fjax.caching import Cache
from fjax.compiler import compile_function
from fjax.configuration import cache_key
from fjax.core.masking import strip_masks
from fjax.training import step as steps
from fjax.training.accumulators import Logs, Metrics, results
from fjax.training.programs import CACHE_SIZE, private_key
from fjax.training.state import TrainState
from fjax.training.step import Batch
from fjax.typing import Array, GradientTransformation, PyTree

# A search compiles a program for each architecture. On a CPU, without the newer emitters of fused
# loops, that takes a third less time, and the programs run as fast. Newer releases of JAX have no
# other emitters, and `compile_function` leaves the option out.
QUICKLY = {
    "xla_backend_optimization_level": 1,
    "xla_cpu_use_fusion_emitters": False,
    "xla_cpu_parallel_codegen_split_count": 1,
}

# The parts of one member: its network, loss and optimizer.
Parts = tuple[Any, Callable[..., Array], GradientTransformation]


class PopulationPrograms(NamedTuple):
    """What an architecture compiles to; each function compiles at its first call.

    Attributes:
        advance: `(train_states, numbers, data, rows, counts, active, batch_size, exactly) ->
            (train_states, logs)`: one epoch. `rows` has for each member the rows to train on in
            their order, filled up to whole batches, and `counts` how many of them count. Members
            that are not `active` stay as they are. With `exactly`, a Python number, all members
            have so many rows, and the last batch has the size of what is left; with None it is
            filled up with rows that do not count. The train states are donated.
        measure: `(train_states, numbers, sums, data, rows, counts, batch_size, exactly) -> logs`:
            evaluates likewise.
        predict: `(train_states, numbers, inputs, rows) -> outputs`: of one batch for each member.
    """

    advance: Callable[..., tuple[TrainState, Logs]]
    measure: Callable[..., Logs]
    predict: Callable[..., PyTree]


class Maker(Protocol):
    """Makes a member's parts of its numbers."""

    @property
    def key(self) -> Any:
        """Plain data that equal makers share; None where a user's code is among the parts."""

    @property
    def own(self) -> dict[Any, PopulationPrograms]:
        """The programs of a maker without a key."""

    def __call__(self, numbers: PyTree) -> Parts:
        """Return the parts for numbers that may be traced."""


def population_programs(make: Maker, metrics: Metrics) -> PopulationPrograms:
    """Return the programs of a population.

    Args:
        make: Returns a member's parts for its numbers, a tree of scalars that may be traced.
            Programs of one with an equal key are found again.
        metrics: What is measured beside the loss.
    """
    measured = cache_key(metrics)
    if make.key is not None and measured is not None:
        return _SHARED.get((make.key, measured), lambda: _programs(make, metrics))
    key = private_key(metrics)
    if key not in make.own:
        make.own[key] = _programs(make, metrics)
    return make.own[key]


def _programs(make: Maker, metrics: Metrics) -> PopulationPrograms:
    compiled = partial(
        compile_function, compiler_options=QUICKLY if jax.default_backend() == "cpu" else None
    )
    sizes = ("batch_size", "exactly")
    return PopulationPrograms(
        advance=compiled(partial(_advance, make, metrics), static_argnames=sizes, donate_argnums=0),
        measure=compiled(partial(_measure, make, metrics), static_argnames=sizes),
        predict=compiled(partial(_predict, make)),
    )


_SHARED: Cache[PopulationPrograms] = Cache(CACHE_SIZE)


def _advance(
    make: Maker,
    metrics: Metrics,
    train_states: TrainState,
    numbers: PyTree,
    data: Batch,
    rows: Array,
    counts: Array,
    active: Array,
    batch_size: int,
    exactly: int | None,
) -> tuple[TrainState, Logs]:
    def step(held: TrainState, own: PyTree, index: Array, valid: Array | None = None) -> TrainState:
        network, loss, optimizer = make(own)
        batch = _taken(data, index)._replace(valid=valid)
        return steps.train_step(network, loss, optimizer, metrics)(held, batch)[0]

    after = _over_batches(step, train_states, (numbers,), rows, counts, batch_size, exactly)
    after = jax.vmap(_where)(active, after, train_states)
    return after, jax.vmap(partial(results, metrics))(after.accumulators)


def _measure(
    make: Maker,
    metrics: Metrics,
    train_states: TrainState,
    numbers: PyTree,
    sums: PyTree,
    data: Batch,
    rows: Array,
    counts: Array,
    batch_size: int,
    exactly: int | None,
) -> Logs:
    def step(
        total: PyTree, own: PyTree, held: TrainState, index: Array, valid: Array | None = None
    ) -> PyTree:
        network, loss, _ = make(own)
        batch = _taken(data, index)._replace(valid=valid)
        key = jax.random.fold_in(held.key, held.step)
        measure = steps.test_step(network, loss, metrics)
        return measure(total, held.params, held.state, batch, key)

    members = rows.shape[0]
    totals = jax.tree.map(lambda leaf: jnp.zeros((members, *leaf.shape), leaf.dtype) + leaf, sums)
    fixed = (numbers, train_states)
    totals = _over_batches(step, totals, fixed, rows, counts, batch_size, exactly)
    return jax.vmap(partial(results, metrics))(totals)


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

    Where all members have exactly so many rows the last batch has the rows that are left; else it
    is filled up, and of a member that has none left the carry stays.
    """

    def filled(number: Array, carry: PyTree) -> PyTree:
        def one(carry: PyTree, index: Array, count: Array, *fixed: PyTree) -> PyTree:
            left = count - number * batch_size
            valid = (jnp.arange(batch_size) < left).astype(jnp.float32)
            return _where(left > 0, step(carry, *fixed, index, valid), carry)

        return jax.vmap(one)(carry, _batch_of(rows, number, batch_size), counts, *fixed)

    def whole(number: Array, carry: PyTree) -> PyTree:
        return jax.vmap(step)(carry, *fixed, _batch_of(rows, number, batch_size))

    if exactly is None:
        # Not the width of the table: so one program serves any number of rows.
        most = (jnp.max(counts) + batch_size - 1) // batch_size
        return lax.fori_loop(0, most, filled, carry)
    full, rest = divmod(exactly, batch_size)
    carry = lax.fori_loop(0, full, whole, carry) if full else carry
    return jax.vmap(step)(carry, *fixed, rows[:, exactly - rest : exactly]) if rest else carry


def _predict(
    make: Maker,
    train_states: TrainState,
    numbers: PyTree,
    inputs: tuple[PyTree, ...],
    rows: Array,
) -> PyTree:
    def one(held: TrainState, own: PyTree, index: Array) -> PyTree:
        network, _, _ = make(own)
        key = jax.random.fold_in(held.key, held.step)
        outputs, _ = network.apply(held.params, held.state, *_taken(inputs, index), key=key)
        return strip_masks(outputs)

    return jax.vmap(one)(train_states, numbers, rows)


def _batch_of(rows: Array, number: Array, batch_size: int) -> Array:
    return lax.dynamic_slice_in_dim(rows, number * batch_size, batch_size, axis=1)


def _taken(data: Any, rows: Array) -> Any:
    # The rows are those of the data: no index can be out of bounds.
    return jax.tree.map(lambda leaf: leaf.at[rows].get(mode="promise_in_bounds"), data)


def _where(condition: Array, one: PyTree, other: PyTree) -> PyTree:
    # Keys never change, and cannot be chosen between.
    return jax.tree.map(
        lambda new, old: old if _is_key(old) else jnp.where(condition, new, old), one, other
    )


def _is_key(leaf: Any) -> bool:
    return bool(jax.dtypes.issubdtype(getattr(leaf, "dtype", None), jax.dtypes.prng_key))


def stacked(trees: list[PyTree]) -> PyTree:
    """Return trees of arrays as one, with the population's axis in front, on the device."""

    def stack(*leaves: Any) -> Any:
        if _is_key(leaves[0]):
            words = np.stack([np.asarray(jax.random.key_data(leaf)) for leaf in leaves])
            return jax.random.wrap_key_data(jnp.asarray(words), impl=jax.random.key_impl(leaves[0]))
        return jax.device_put(np.stack([np.asarray(leaf) for leaf in leaves]))

    return jax.tree.map(stack, *trees)


def member(tree: PyTree, index: int) -> PyTree:
    """Return one member's tree of a population's, as numpy arrays; keys stay keys.

    >>> both = stacked([{"w": np.ones(2)}, {"w": np.zeros(2)}])
    >>> member(both, 1)
    {'w': array([0., 0.], dtype=float32)}
    """

    def take(leaf: Any) -> Any:
        if _is_key(leaf):
            words = np.asarray(jax.random.key_data(leaf))[index]
            return jax.random.wrap_key_data(jnp.asarray(words), impl=jax.random.key_impl(leaf))
        return np.array(np.asarray(leaf)[index])

    return jax.tree.map(take, tree)


def with_member(tree: PyTree, index: int, own: PyTree) -> PyTree:
    """Return a population's tree with another tree in the place of one member; keys stay."""

    def put(leaf: Any, value: Any) -> Any:
        if _is_key(leaf):
            return leaf
        values = np.array(leaf)
        values[index] = value
        return jax.device_put(values)

    return jax.tree.map(put, tree, own)
