"""The compiled programs of a configuration.

Programs are cached by configuration: two models of equal layers, loss, metrics and optimizer run
the same compiled code, whatever their weights and learning rates.
"""

from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from fjax.caching import Cache
from fjax.compiler import compile_function
from fjax.configuration import ByIdentity, cache_key, code_of, detached
from fjax.core.layer import Layer
from fjax.core.masking import strip_masks
from fjax.core.precision import apply_layer
from fjax.training import step as steps
from fjax.training.accumulators import Logs, Metrics, results
from fjax.training.custom_step import TestStep, custom_test_step, custom_train_step
from fjax.training.state import TrainState
from fjax.training.traced_rate import without_rate
from fjax.typing import Array, GradientTransformation, Key, PyTree

# `step(carry, batch, start)` returns the next carry; `start` is the first row of the batch.
Step = Callable[[PyTree, Any, Array], PyTree]

# The number of configurations whose programs are kept, even after the last model is deleted.
CACHE_SIZE = 16


class Programs(NamedTuple):
    """The programs of a configuration; each is compiled at its first call.

    All have the same arguments: `(carry, constants, data, order, first, last, batch_size)`. A
    program makes the steps `first` to `last`; the bounds are traced, so one compilation serves
    chunks of any length. The carry is donated; the steps read the constants.

    Attributes:
        advance: Trains: from the train state and `()` to the next train state and the logs.
        measure: Evaluates: from the accumulators and the train state (without accumulators) to
            the next accumulators and the logs.
        predict: Writes the outputs of the batches: from the outputs and `(params, state, key)` to
            the outputs.
    """

    advance: Callable[..., tuple[TrainState, Logs]]
    measure: Callable[..., tuple[PyTree, Logs]]
    predict: Callable[..., PyTree]


def programs_for(
    network: Any,
    loss: Callable[..., Array] | None,
    optimizer: GradientTransformation | None,
    metrics: Metrics,
    private: dict[Any, Any] | None = None,
) -> Programs:
    """Return the compiled programs of a configuration, the same ones for an equal configuration.

    Programs with a user's function or class are not shared, since these may change without
    comparing unequal: they are kept in the caller's `private` dict, and are created again when a
    class in them was edited.
    """
    parts = (network, loss, without_rate(optimizer), metrics)
    key = cache_key(parts)
    if key is not None:
        # A copy, since a program must not keep a model's weights alive.
        return _SHARED.get(key, lambda: _programs(*detached(parts)))
    private = {} if private is None else private
    key = ("programs", *map(private_key, parts))
    if key not in private:
        private[key] = _programs(*parts)
    return private[key]


def private_key(part: Any) -> Any:
    """Return the key of a part of a model's private programs.

    The key is the part itself, or its identity if it is not hashable, and the code of the classes
    and functions in it.
    """
    shared = cache_key(part)
    if shared is not None:
        return shared
    code = _code_in(part)
    try:
        hash(part)
    except TypeError:
        part = ByIdentity(part)
    return part, *code


def _code_in(part: Any) -> list[ByIdentity]:
    """Return the code of the classes and functions of a layer, loss, metric or optimizer."""
    classes: dict[type, ByIdentity] = {}
    functions: list[Any] = []

    def visit(part: Any) -> None:
        if isinstance(part, list | tuple):
            for entry in part:
                visit(entry)
            return
        if type(part) not in classes:
            classes[type(part)] = code_of(type(part))
        values = vars(part).values() if hasattr(part, "__dict__") else ()
        functions.extend(value.__code__ for value in values if isinstance(value, FunctionType))
        for layer in part.inside() if isinstance(part, Layer) else ():
            visit(layer)

    visit(part)
    return [*classes.values(), ByIdentity(*functions)]


def with_custom_steps(
    programs: Programs,
    train_step: steps.TrainStep | None,
    test_step: TestStep | None,
    private: dict[Any, Any],
) -> Programs:
    """Return the programs with the engine's steps replaced by a user's steps.

    A user's function may change without comparing unequal, so these programs are kept in `private`.
    """
    if train_step is not None:
        key = ("advance", _step_key(train_step))
        if key not in private:
            private[key] = _advancing(lambda: custom_train_step(train_step), partial(results, ()))
        programs = programs._replace(advance=private[key])
    if test_step is not None:
        key = ("measure", _step_key(test_step))
        if key not in private:
            private[key] = _measuring(lambda: custom_test_step(test_step), partial(results, ()))
        programs = programs._replace(measure=private[key])
    return programs


def with_stateful_steps(
    programs: Programs,
    train_step: steps.TrainStep | None,
    test_step: Callable[[PyTree, TrainState, steps.Batch], PyTree] | None,
    private: dict[Any, Any],
) -> Programs:
    """Return the programs with steps of Keras's form, which update metrics themselves.

    Their accumulators are `{"logs": …, "variables": …}`: the logs of the last step and the values
    of the metrics' variables. The programs are kept in `private`.
    """
    if train_step is not None:
        key = ("advance", _step_key(train_step))
        if key not in private:
            private[key] = _advancing(lambda: train_step, _last_logs)
        programs = programs._replace(advance=private[key])
    if test_step is not None:
        key = ("measure", _step_key(test_step))
        if key not in private:
            private[key] = _measuring(lambda: test_step, _last_logs)
        programs = programs._replace(measure=private[key])
    return programs


def _last_logs(accumulators: PyTree) -> Logs:
    logs: Logs = accumulators["logs"]
    return logs


def _step_key(step: Callable[..., Any]) -> Any:
    # A method is a new object at each access.
    function = getattr(step, "__func__", step)
    return ByIdentity(function, getattr(step, "__self__", None), getattr(function, "__code__", 0))


@compile_function
def copy_of(tree: PyTree) -> PyTree:
    """Return a copy of a tree, which survives the donation of the original."""
    return jax.tree.map(jnp.copy, tree)


def _programs(network: Any, loss: Any, optimizer: Any, metrics: Metrics) -> Programs:
    def evaluation() -> Callable[..., PyTree]:
        step = steps.test_step(network, loss or no_loss, metrics)
        return lambda sums, train_state, batch: step(
            sums,
            train_state.params,
            train_state.state,
            batch,
            jax.random.fold_in(train_state.key, train_state.step),
        )

    measure = _measuring(evaluation, partial(results, metrics))

    def prediction(params: PyTree, state: PyTree, key: Key) -> Step:
        def fill(filled: PyTree, batch: steps.Batch, start: Array) -> PyTree:
            # Some layers draw random numbers outside of training, too, such as Monte Carlo dropout.
            batch_key = jax.random.fold_in(key, start)
            rows, _ = apply_layer(network, params, state, *batch.inputs, key=batch_key)
            return jax.tree.map(partial(_put, start), filled, strip_masks(rows))

        return fill

    return Programs(
        advance=_advancing(
            lambda: steps.train_step(network, loss, optimizer, metrics), partial(results, metrics)
        ),
        # Without the optimizer's state, so that the program is the same for every optimizer.
        measure=lambda sums, train_state, *chunk, batch_size: measure(
            sums, _without_optimizer(train_state), *chunk, batch_size=batch_size
        ),
        predict=compile_loop("predict", prediction),
    )


def _advancing(
    make_step: Callable[[], steps.TrainStep], result: Callable[[PyTree], Logs]
) -> Callable[..., Any]:
    def advancing() -> Step:
        step = make_step()
        return lambda train_state, batch, _: step(train_state, batch)[0]

    return compile_loop("advance", advancing, lambda state: (state, result(state.accumulators)))


def _measuring(
    make_step: Callable[[], Callable[..., PyTree]], result: Callable[[PyTree], Logs]
) -> Callable[..., Any]:
    def measuring(*fields: PyTree) -> Step:
        step, train_state = make_step(), TrainState(*fields)
        return lambda sums, batch, start: step(sums, _with_batch_key(train_state, start), batch)

    return compile_loop("measure", measuring, lambda sums: (sums, result(sums)))


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

    The last batch has the remaining rows, without padding, as in Keras.

    Args:
        name: The program's name in profiles.
        make_step: Returns `step(carry, batch, start)`, given the constants as arguments; `start`
            is the first row of the batch.
        finish: Returns the result for the last carry.

    >>> import jax.numpy as jnp
    >>> rows = jnp.arange(5)
    >>> weigh = lambda: lambda total, batch, start: total + batch.sum() * batch.shape[0]
    >>> compile_loop("weigh", weigh)(jnp.int32(0), (), rows, None, 0, 3, batch_size=2).item()
    16
    """

    def loop(
        carry: PyTree,
        constants: PyTree,
        data: PyTree,
        order: Array | None,
        first: Array,
        last: Array,
        batch_size: int,
    ) -> Any:
        step = make_step(*constants)
        full, rest = divmod(jax.tree.leaves(data)[0].shape[0], batch_size)

        def batch_at(start: Array | int, size: int) -> PyTree:
            if order is None:
                return jax.tree.map(lambda a: lax.dynamic_slice_in_dim(a, start, size), data)
            return _rows(data, lax.dynamic_slice_in_dim(order, start, size))

        if full:
            carry = lax.fori_loop(
                first,
                jnp.minimum(last, full),
                lambda index, carry: step(
                    carry, batch_at(index * batch_size, batch_size), index * batch_size
                ),
                carry,
            )
        if rest:
            start = full * batch_size
            remaining = batch_at(start, rest)
            carry = lax.cond(
                last > full, lambda c: step(c, remaining, jnp.int32(start)), lambda c: c, carry
            )
        return finish(carry)

    loop.__name__ = name
    return compile_function(loop, static_argnames="batch_size", donate_argnums=0)


def no_loss(*_: PyTree) -> Array:
    """Return 0, the loss of a model that was compiled without a loss."""
    return jnp.zeros(())


def _rows(data: PyTree, rows: Array) -> PyTree:
    # The order is a permutation of the rows, so that no index is out of bounds.
    return jax.tree.map(lambda a: a.at[rows].get(mode="promise_in_bounds"), data)


def _put(start: Array, filled: Array, rows: Array) -> Array:
    return lax.dynamic_update_slice_in_dim(filled, rows.astype(filled.dtype), start, 0)
