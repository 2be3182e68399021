"""The first train state of a network, made in the way that takes the least time."""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import numpy as np

from fjax.compiler import compile_function
from fjax.configuration import by_value
from fjax.core.freezing import frozen_paths, trainable_part
from fjax.training.on_host import HostProgram, can_evaluate, evaluated
from fjax.training.programs import KEPT
from fjax.training.rates import with_rate, without_rate
from fjax.training.state import TrainState, create_train_state
from fjax.typing import GradientTransformation, PyTree, Spec

# Numpy takes 0.1 seconds for so many values, as long as XLA takes to compile anything.
MOST_ON_HOST = 2**20

# Of a deep network XLA would take minutes to compile all draws in one program.
MOST_DRAWS = 32

# A program that runs once is not worth optimising much; below level 1 the weights lose last bits.
RUN_ONCE = {"xla_backend_optimization_level": 1}


def initialise(
    network: Any, optimizer: GradientTransformation | None, seed: int, *specs: Spec
) -> TrainState:
    """Return `create_train_state` with the key of this seed.

    A small one is evaluated on the host, a larger one is compiled, and one of many weights is drawn
    weight by weight. The draws are the same; products of several constants, as in `RandomNormal`,
    may be rounded otherwise in the last bit.

    Args:
        network: The network.
        optimizer: The pure optimizer, or None.
        seed: Gives all that is drawn.
        specs: The network's inputs.
    """
    leaves, structure = jax.tree.flatten(specs)
    parts = (network, without_rate(optimizer), tuple(leaves), structure)
    shared = by_value(parts[:2])
    program = (_shared_host_program if shared else _host_program)(*parts)
    shapes = program.shapes
    if can_evaluate() and _values((shapes.params, shapes.state)) <= MOST_ON_HOST:
        first = program(np.uint32(seed))
    elif len(jax.tree.leaves(shapes.params)) > MOST_DRAWS:
        first = _maker(*parts)(np.uint32(seed))
    else:
        first = (_shared_program if shared else _program)(*parts)(np.uint32(seed))
    return first._replace(opt_state=with_rate(optimizer, first.opt_state))


def initialise_optimizer(network: Any, optimizer: GradientTransformation, params: PyTree) -> PyTree:
    """Return the optimizer's first state for a network's params."""
    init = without_rate(optimizer).init
    trained = trainable_part(params, frozen_paths(network))
    if can_evaluate() and _values(trained) <= MOST_ON_HOST:
        return with_rate(optimizer, evaluated(init, trained))
    return with_rate(optimizer, compile_function(init, compiler_options=RUN_ONCE)(trained))


def clear_initialisers() -> None:
    """Forget the programs of all networks."""
    _shared_program.cache_clear()
    _shared_host_program.cache_clear()


def _maker(
    network: Any, optimizer: Any, leaves: tuple[Any, ...], structure: Any
) -> Callable[[Any], TrainState]:
    # Inputs may be dicts, which are no key of a cache.
    specs = jax.tree.unflatten(structure, leaves)
    return lambda seed: create_train_state(network, optimizer, jax.random.key(seed), *specs)


def _program(*parts: Any) -> Callable[[Any], TrainState]:
    return compile_function(_maker(*parts), compiler_options=RUN_ONCE)


def _host_program(*parts: Any) -> HostProgram:
    return HostProgram(_maker(*parts), np.uint32(0))


_shared_program = lru_cache(KEPT)(_program)
_shared_host_program = lru_cache(KEPT)(_host_program)


def _values(tree: PyTree) -> int:
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(tree))
