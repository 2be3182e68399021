"""The compiled programs of a configuration.

Programs are cached by configuration: two models of equal layers, loss, metrics and optimizer run
the same compiled code, whatever their weights and learning rates.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from fjax.caching import Cache
from fjax.compiler import compile_function
from fjax.configuration import cache_key, detached
from fjax.core.masking import strip_masks
from fjax.core.penalties import penalty_terms
from fjax.core.precision import apply_layer
from fjax.training import step as steps
from fjax.training.accumulators import Logs, Metrics, results
from fjax.training.batch import Batch, rows
from fjax.training.custom_step import TestStep, custom_test_step, custom_train_step
from fjax.training.placement import DEFAULT, Placement
from fjax.training.program_keys import private_key, step_key
from fjax.training.state import TrainState
from fjax.training.traced_rate import without_rate
from fjax.typing import Array, GradientTransformation, Key, PyTree

# `step(carry, batch, start)` returns the next carry; `start` is the first row of the batch.
Step = Callable[[PyTree, Any, Array], PyTree]


class Draw(NamedTuple):
    """Identifies the random numbers of one call outside of training.

    Attributes:
        key: The key of the run.
        step: The number of completed training steps.
        call: The number of calls before.
    """

    key: Key
    step: Any
    call: Any

    def call_key(self) -> Key:
        """Return the key of the call."""
        return jax.random.fold_in(jax.random.fold_in(self.key, self.step), self.call)


# In place of a key that a program gets as a constant.
NO_KEY: Any = ()

# The number of configurations whose programs are kept, even after the last model is deleted.
CACHE_SIZE = 16


class Programs(NamedTuple):
    """The programs of a configuration; each is compiled at its first call.

    The first two have the arguments `(carry, constants, data, bounds, is_filled)`: the data and the
    `bounds` of a `Window`. The bounds are traced, so that one compilation serves any
    number of batches. The carry is donated; the steps read the constants.

    Attributes:
        advance: Trains: from the train state and `()` to the next train state and the logs.
        measure: Evaluates: from the accumulators and the train state (without accumulators) to
            the next accumulators and the logs.
        predict: Returns the outputs of the batches, from the first on, and zeros up to the outputs
            of `most` batches: `predict((params, state, draw), data, bounds, most, outputs)`. The
            shapes of the outputs of one batch are flattened, to be hashed.
        call: Returns the outputs of one call, and the penalties of each layer that depend on the
            inputs: `call((params, state, draw), inputs, training)`.
    """

    advance: Callable[..., tuple[TrainState, Logs]]
    measure: Callable[..., tuple[PyTree, Logs]]
    predict: Callable[..., PyTree]
    call: Callable[..., PyTree]


def programs_for(
    network: Any,
    loss: Callable[..., Array] | None,
    optimizer: GradientTransformation | None,
    metrics: Metrics,
    private: dict[Any, Any] | None = None,
    placement: Placement = DEFAULT,
) -> Programs:
    """Return the compiled programs of a configuration, the same ones for an equal configuration.

    With a placement on a mesh the programs put their arguments on it, and XLA partitions them.

    Programs with a user's function or class are not shared, since these may change without
    comparing unequal: they are kept in the caller's `private` dict, and are created again when a
    class in them was edited.
    """
    parts = (network, loss, without_rate(optimizer), metrics)
    key = cache_key(parts)
    if key is not None:
        # Copies, since a program must not keep a model's weights alive.
        return _SHARED.get((key, placement), lambda: _programs(placement, *detached(parts)))
    private = {} if private is None else private
    key = ("programs", placement, *map(private_key, parts))
    if key not in private:
        private[key] = _programs(placement, *parts)
    return private[key]


def with_custom_steps(
    programs: Programs,
    train_step: steps.TrainStep | None,
    test_step: TestStep | None,
    private: dict[Any, Any],
    placement: Placement = DEFAULT,
) -> Programs:
    """Return the programs with the engine's steps replaced by a user's steps.

    A user's function may change without comparing unequal, so these programs are kept in `private`.
    """
    if train_step is not None:
        key = ("advance", step_key(train_step))
        if key not in private:
            private[key] = _advancing(
                lambda: custom_train_step(train_step), partial(results, ()), placement
            )
        programs = programs._replace(advance=private[key])
    if test_step is not None:
        key = ("measure", step_key(test_step))
        if key not in private:
            private[key] = _measuring(
                lambda: custom_test_step(test_step), partial(results, ()), placement
            )
        programs = programs._replace(measure=private[key])
    return programs


def with_stateful_steps(
    programs: Programs,
    train_step: steps.TrainStep | None,
    test_step: Callable[[PyTree, TrainState, Batch], PyTree] | None,
    private: dict[Any, Any],
    placement: Placement = DEFAULT,
) -> Programs:
    """Return the programs with steps of Keras's form, which update metrics themselves.

    Their accumulators are `{"logs": …, "variables": …}`: the logs of the last step and the values
    of the metrics' variables. The programs are kept in `private`.
    """
    if train_step is not None:
        key = ("advance", step_key(train_step))
        if key not in private:
            private[key] = _advancing(lambda: train_step, _last_logs, placement)
        programs = programs._replace(advance=private[key])
    if test_step is not None:
        key = ("measure", step_key(test_step))
        if key not in private:
            private[key] = _measuring(lambda: test_step, _last_logs, placement)
        programs = programs._replace(measure=private[key])
    return programs


def _last_logs(accumulators: PyTree) -> Logs:
    logs: Logs = accumulators["logs"]
    return logs


@compile_function
def copy_of(tree: PyTree) -> PyTree:
    """Return a copy of a tree, which survives the donation of the original."""
    return jax.tree.map(jnp.copy, tree)


def _programs(
    placement: Placement, network: Any, loss: Any, optimizer: Any, metrics: Metrics
) -> Programs:
    def evaluation() -> Callable[..., PyTree]:
        step = steps.test_step(network, loss or no_loss, metrics)
        return lambda sums, train_state, batch: step(
            sums,
            train_state.params,
            train_state.state,
            batch,
            jax.random.fold_in(train_state.key, train_state.step),
        )

    measure = _measuring(evaluation, partial(results, metrics), placement)

    return Programs(
        advance=_with_constant_key(
            lambda: steps.train_step(network, loss, optimizer, metrics),
            partial(results, metrics),
            placement,
        ),
        # Without the optimizer's state, so that the program is the same for every optimizer.
        measure=lambda sums, train_state, *window, **sizes: measure(
            sums, _without_optimizer(train_state), *window, **sizes
        ),
        predict=_predicting(network, placement),
        call=_calling(network, placement),
    )


def _advancing(
    make_step: Callable[[], steps.TrainStep],
    result: Callable[[PyTree], Logs],
    placement: Placement,
) -> Callable[..., Any]:
    def advancing() -> Step:
        step = placement.step(make_step())
        return lambda train_state, batch, _: step(train_state, batch)[0]

    program = compile_loop("advance", advancing, _finishing(result, placement))
    if placement.mesh is None:
        return program
    return lambda train_state, *window, **sizes: program(
        placement.shard(train_state), *window, **sizes
    )


def _finishing(
    result: Callable[[PyTree], Logs], placement: Placement
) -> Callable[[TrainState], tuple[TrainState, Logs]]:
    # XLA chooses the layout of a loop's result anew, whatever that of the carry is.
    return lambda state: (
        placement.constrain(state),
        placement.constrain_results(result(state.accumulators)),
    )


def _with_constant_key(
    make_step: Callable[[], steps.TrainStep],
    result: Callable[[PyTree], Logs],
    placement: Placement,
) -> Callable[..., Any]:
    """Return the program of steps that do not change the key, which need not be returned then."""

    def advancing(key: Key) -> Step:
        step = placement.step(make_step())

        def keyless_step(state: TrainState, batch: Batch, _: Array) -> TrainState:
            return step(state._replace(key=key), batch)[0]._replace(key=NO_KEY)

        return keyless_step

    program = compile_loop("advance", advancing, _finishing(result, placement))

    def advance(
        train_state: TrainState, constants: tuple[()], *window: Any, **sizes: Any
    ) -> tuple[TrainState, Logs]:
        train_state = placement.shard(train_state)
        key = train_state.key
        next_state, logs = program(train_state._replace(key=NO_KEY), (key,), *window, **sizes)
        return next_state._replace(key=key), logs

    return advance


def _measuring(
    make_step: Callable[[], Callable[..., PyTree]],
    result: Callable[[PyTree], Logs],
    placement: Placement,
) -> Callable[..., Any]:
    def measuring(*fields: PyTree) -> Step:
        step, train_state = make_step(), TrainState(*fields)

        def measure_batch(sums: PyTree, batch: Batch, start: Array) -> PyTree:
            with placement.dividing_outputs(rows(batch)):
                return step(sums, _with_batch_key(train_state, start), batch)

        return measure_batch

    def finish(sums: PyTree) -> tuple[PyTree, Logs]:
        return sums, placement.constrain_results(result(sums))

    program = compile_loop("measure", measuring, finish)
    if placement.mesh is None:
        return program
    return lambda sums, train_state, *window, **sizes: program(
        placement.put(sums), placement.shard(train_state), *window, **sizes
    )


def _without_optimizer(train_state: TrainState) -> TrainState:
    return train_state._replace(opt_state=(), epoch=np.int32(0), batch=np.int32(0))


def _with_batch_key(train_state: TrainState, start: Array) -> TrainState:
    # Each batch has its own key, since some layers draw random numbers outside of training, too.
    return train_state._replace(key=jax.random.fold_in(train_state.key, start))


_SHARED: Cache[Programs] = Cache(CACHE_SIZE)


def compile_loop(
    name: str, make_step: Callable[..., Step], finish: Callable[[PyTree], Any] = lambda carry: carry
) -> Callable[..., Any]:
    """Return a compiled loop over batches; see `Programs` for its arguments.

    Args:
        name: The program's name in profiles.
        make_step: Returns `step(carry, batch, start)`, given the constants as arguments; `start`
            is the first row of the batch.
        finish: Returns the result for the last carry.

    >>> import jax.numpy as jnp
    >>> batches = Batch((jnp.arange(6).reshape(3, 2),))
    >>> add = lambda: lambda total, batch, start: total + batch.inputs[0].sum()
    >>> compile_loop("add", add)(jnp.int32(0), (), batches, jnp.array([1, 3, 6, 0]))
    Array(14, dtype=int32)
    """

    def loop(
        carry: PyTree, constants: PyTree, data: Batch, bounds: Array, is_filled: bool = False
    ) -> Any:
        step = make_step(*constants)
        return finish(_over_batches(step, carry, data, bounds, is_filled))

    loop.__name__ = name
    return compile_function(loop, static_argnames="is_filled", donate_argnums=0)


def _over_batches(
    step: Step, carry: PyTree, data: Batch, bounds: Array, is_filled: bool = False
) -> PyTree:
    """Return the last carry of a loop over the batches of a window; see `Window`."""
    first, last, count, offset = bounds
    batch_size = _batch_size(data)

    def body(index: Array, carry: PyTree) -> PyTree:
        start = index * batch_size
        batch = jax.tree.map(lambda a: lax.dynamic_index_in_dim(a, index, keepdims=False), data)
        if is_filled:
            valid = start + jnp.arange(batch_size) < count
            batch = batch._replace(valid=valid.astype(jnp.float32))
        return step(carry, batch, offset + start)

    return lax.fori_loop(first, last, body, carry)


def _batch_size(data: Batch) -> int:
    return int(jax.tree.leaves(data)[0].shape[1])


def _predicting(network: Any, placement: Placement) -> Callable[..., PyTree]:
    """Return the program that predicts; see `Programs`."""

    def predict(
        constants: PyTree,
        data: Batch,
        bounds: Array,
        most: int,
        outputs: tuple[tuple[Any, ...], Any],
    ) -> PyTree:
        params, state, draw = constants
        first, _, _, offset = bounds
        key = draw.call_key()

        def fill(filled: PyTree, batch: Batch, start: Array) -> PyTree:
            # Some layers draw random numbers outside of training, too, such as Monte Carlo dropout.
            batch_key = jax.random.fold_in(key, start)
            with placement.dividing_outputs(batch_size):
                outputs, _ = apply_layer(network, params, state, *batch.inputs, key=batch_key)
            position = (start - offset) // batch_size - first
            return jax.tree.map(partial(_put, position), filled, strip_masks(outputs))

        leaves, structure = outputs
        batch_size = _batch_size(data)
        empty = [jnp.zeros((most, batch_size, *leaf.shape[1:]), leaf.dtype) for leaf in leaves]
        filled = placement.constrain_window(jax.tree.unflatten(structure, empty))
        return placement.constrain_results(_over_batches(fill, filled, data, bounds))

    program = compile_function(predict, static_argnames=("most", "outputs"))
    if placement.mesh is None:
        return program
    return lambda constants, *window, **sizes: program(
        _on_mesh(placement, constants), *window, **sizes
    )


def _calling(network: Any, placement: Placement) -> Callable[..., PyTree]:
    """Return the program of a call; see `Programs`."""

    def call(constants: PyTree, inputs: tuple[PyTree, ...], training: bool | None) -> PyTree:
        params, state, draw = constants
        with placement.dividing_outputs(rows(inputs)):
            outputs, state = apply_layer(
                network, params, state, *inputs, key=draw.call_key(), training=training
            )
        results = strip_masks(outputs), penalty_terms(state, ("calls",))
        return placement.constrain_results(results)

    program = compile_function(call, static_argnames="training")
    if placement.mesh is None:
        return program
    return lambda constants, inputs, training: program(
        _on_mesh(placement, constants), placement.put_rows(inputs), training=training
    )


def _on_mesh(placement: Placement, constants: PyTree) -> PyTree:
    """Return params, state and a `Draw` on the devices of a placement."""
    params, state, draw = constants
    return *placement.shard_weights(params, state), placement.put(draw)


def no_loss(*_: PyTree) -> Array:
    """Return 0, the loss of a model that was compiled without a loss."""
    return jnp.zeros(())


def _put(position: Array, filled: Array, rows: Array) -> Array:
    return lax.dynamic_update_index_in_dim(filled, rows.astype(filled.dtype), position, 0)
