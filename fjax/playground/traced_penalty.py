"""Programs whose factor of the regularizers is an input, so that changing it compiles nothing."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from fjax.caching import Cache
from fjax.configuration import cache_key, detached
from fjax.population.hyperparameters import Path, replace_at
from fjax.training import Batch, Programs, TrainState
from fjax.training import step as steps
from fjax.training.accumulators import Metrics, results
from fjax.training.programs import CACHE_SIZE, compile_loop
from fjax.training.traced_rate import without_rate
from fjax.typing import Array, PyTree

FIELD = "kernel_regularizer"


def with_traced_penalty(
    programs: Programs,
    network: Any,
    loss: Callable[..., Array],
    optimizer: Any,
    metrics: Metrics,
    rate: Callable[[], float],
) -> Programs:
    """Return programs that read the factor of all kernel regularizers at each call.

    Args:
        programs: The programs of the same configuration, whose other functions are kept.
        network: A network of layers in sequence.
        loss: The loss.
        optimizer: The optimizer.
        metrics: The metrics.
        rate: Returns the factor.
    """
    parts = (_with_rate(network, 1.0), loss, without_rate(optimizer), metrics)
    advance, measure = _SHARED.get(cache_key(parts), lambda: _compiled(*detached(parts)))

    def advance_with_rate(train_state: TrainState, _: tuple[()], *window: Any, **sizes: Any) -> Any:
        return advance(train_state, (np.float32(rate()),), *window, **sizes)

    def measure_with_rate(sums: PyTree, train_state: TrainState, *window: Any, **sizes: Any) -> Any:
        constants = (np.float32(rate()), train_state.params, train_state.state)
        return measure(sums, constants, *window, **sizes)

    return programs._replace(advance=advance_with_rate, measure=measure_with_rate)


def _compiled(
    network: Any, loss: Callable[..., Array], optimizer: Any, metrics: Metrics
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return the loops of training and of evaluation; see `compile_loop`."""

    def advancing(rate: Array) -> Callable[..., TrainState]:
        step = steps.train_step(_with_rate(network, rate), loss, optimizer, metrics)
        return lambda train_state, batch, _: step(train_state, batch)[0]

    def measuring(rate: Array, params: PyTree, state: PyTree) -> Callable[..., PyTree]:
        step = steps.test_step(_with_rate(network, rate), loss, metrics)

        def measure(sums: PyTree, batch: Batch, start: Array) -> PyTree:
            del start
            return step(sums, params, state, batch)

        return measure

    result = partial(results, metrics)
    return (
        compile_loop("advance", advancing, lambda state: (state, result(state.accumulators))),
        compile_loop("measure", measuring, lambda sums: (sums, result(sums))),
    )


def _with_rate(network: Any, rate: Any) -> Any:
    """Return a network whose kernel regularizers have this factor."""
    changes: dict[Path, Callable[[Any], Any]] = {}
    for position, layer in enumerate(network.layers):
        regularizer = getattr(layer, FIELD, None)
        for name in type(regularizer).traceable_fields if regularizer is not None else ():
            changes["layers", position, FIELD, name] = lambda _: rate
    return replace_at(network, changes)


_SHARED: Cache[tuple[Callable[..., Any], Callable[..., Any]]] = Cache(CACHE_SIZE)
