"""The first train state of a network, made in the way that takes the least time."""

import math
from typing import Any

import jax
import numpy as np

from fjax.caching import Cache
from fjax.compiler import compile_function
from fjax.configuration import detached
from fjax.core.freezing import frozen_paths, trainable_part
from fjax.core.shapes import shapes_key
from fjax.core.specs import spec_of
from fjax.training.numpy_eval import HostProgram, can_evaluate, evaluated
from fjax.training.programs import CACHE_SIZE
from fjax.training.rates import with_rate, without_rate
from fjax.training.state import TrainState, create_train_state
from fjax.typing import GradientTransformation, PyTree, Spec

# Numpy takes 0.1 seconds for so many values, as long as XLA takes to compile anything.
MOST_ON_HOST = 2**20

# Of a deep network XLA would take minutes to compile all draws in one program.
MOST_DRAWS = 32

# A program that runs once is not worth optimizing much; below level 1 the weights lose last bits.
RUN_ONCE = {"xla_backend_optimization_level": 1}


def initialize(
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
    initializer = _initializer(network, without_rate(optimizer), specs)
    first: TrainState = initializer(np.uint32(seed))
    return first._replace(opt_state=with_rate(optimizer, first.opt_state))


class _Initializer:
    """Makes the first train state of a network from a seed, in one of three ways."""

    def __init__(self, network: Any, optimizer: Any, specs: tuple[PyTree, ...]) -> None:
        def make(seed: Any) -> TrainState:
            return create_train_state(network, optimizer, jax.random.key(seed), *specs)

        self._make = make
        self._on_host = HostProgram(make, np.uint32(0))
        self._compiled = compile_function(make, compiler_options=RUN_ONCE)

    def __call__(self, seed: np.uint32) -> TrainState:
        shapes = self._on_host.shapes
        if can_evaluate() and _values((shapes.params, shapes.state)) <= MOST_ON_HOST:
            return self._on_host(seed)
        if len(jax.tree.leaves(shapes.params)) > MOST_DRAWS:
            return self._make(seed)
        return self._compiled(seed)


_SHARED: Cache[_Initializer] = Cache(CACHE_SIZE)


def _initializer(network: Any, optimizer: Any, specs: tuple[PyTree, ...]) -> _Initializer:
    """Return what makes the first train state, the same one for an equal description."""
    key = shapes_key((network, optimizer), specs)
    if key is None:
        return _Initializer(network, optimizer, specs)

    def make() -> _Initializer:
        # Copies: the cache must not keep alive what a model keeps with its layers.
        return _Initializer(detached(network), detached(optimizer), jax.tree.map(spec_of, specs))

    return _SHARED.get(key, make)


def initialize_optimizer(network: Any, optimizer: GradientTransformation, params: PyTree) -> PyTree:
    """Return the optimizer's first state for a network's params."""
    init = without_rate(optimizer).init
    trained = trainable_part(params, frozen_paths(network))
    if can_evaluate() and _values(trained) <= MOST_ON_HOST:
        return with_rate(optimizer, evaluated(init, trained))
    return with_rate(optimizer, compile_function(init, compiler_options=RUN_ONCE)(trained))


def _values(tree: PyTree) -> int:
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(tree))
