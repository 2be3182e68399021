"""The initial train state of a network, computed in the fastest way for its size."""

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
from fjax.training.numpy_eval import HostProgram, can_evaluate, evaluate_on_host
from fjax.training.placement import DEFAULT, Placement
from fjax.training.programs import CACHE_SIZE
from fjax.training.state import TrainState, create_train_state
from fjax.training.traced_rate import with_rate, without_rate
from fjax.typing import GradientTransformation, PyTree, Spec

# numpy draws this many values in 0.1 seconds, the time that XLA takes to compile any program.
MAX_HOST_VALUES = 2**20

# XLA takes minutes to compile the draws of many weights in one program.
MAX_COMPILED_DRAWS = 32

# A program that runs once is hardly worth optimizing; level 0 changes last bits of the weights.
RUN_ONCE = {"xla_backend_optimization_level": 1}


def initialize(
    network: Any,
    optimizer: GradientTransformation | None,
    seed: int,
    *specs: Spec,
    placement: Placement = DEFAULT,
) -> TrainState:
    """Return the train state of `create_train_state` with the key of this seed.

    A small network is evaluated by numpy, a larger one is compiled, and one with many weights is
    drawn weight by weight. The draws are the same; products of several constants, as in
    `RandomNormal`, may differ in the last bit.

    Args:
        network: The network.
        optimizer: The pure optimizer, or None.
        seed: Determines all random numbers.
        specs: The network's inputs.
        placement: The devices for the train state. A compiled program draws each part of a weight
            on its device.
    """
    initializer = _initializer(network, without_rate(optimizer), specs, placement)
    train_state: TrainState = initializer(np.uint32(seed))
    train_state = train_state._replace(opt_state=with_rate(optimizer, train_state.opt_state))
    return placement.shard(train_state)


class _Initializer:
    """Computes the initial train state of a network from a seed, in one of three ways."""

    def __init__(
        self, network: Any, optimizer: Any, specs: tuple[PyTree, ...], placement: Placement
    ) -> None:
        def make(seed: Any) -> TrainState:
            return create_train_state(network, optimizer, jax.random.key(seed), *specs)

        self._make = make
        self._on_host = HostProgram(make, np.uint32(0))
        self._compiled = compile_function(
            lambda seed: placement.constrain(make(seed)), compiler_options=RUN_ONCE
        )

    def __call__(self, seed: np.uint32) -> TrainState:
        shapes = self._on_host.shapes
        if can_evaluate() and _count_values((shapes.params, shapes.state)) <= MAX_HOST_VALUES:
            return self._on_host(seed)
        if len(jax.tree.leaves(shapes.params)) > MAX_COMPILED_DRAWS:
            return self._make(seed)
        return self._compiled(seed)


_SHARED: Cache[_Initializer] = Cache(CACHE_SIZE)


def _initializer(
    network: Any, optimizer: Any, specs: tuple[PyTree, ...], placement: Placement
) -> _Initializer:
    """Return the initializer of a configuration, the same one for an equal configuration."""
    key = shapes_key((network, optimizer), specs)
    if key is None:
        return _Initializer(network, optimizer, specs, placement)

    def make() -> _Initializer:
        # Copies, since the cache must not keep a model's weights alive.
        parts = detached(network), detached(optimizer), jax.tree.map(spec_of, specs)
        return _Initializer(*parts, placement)

    return _SHARED.get((key, placement), make)


def initialize_optimizer(network: Any, optimizer: GradientTransformation, params: PyTree) -> PyTree:
    """Return the optimizer's initial state for a network's params."""
    init = without_rate(optimizer).init
    trained = trainable_part(params, frozen_paths(network))
    is_local = all(getattr(leaf, "is_fully_addressable", True) for leaf in jax.tree.leaves(trained))
    if is_local and can_evaluate() and _count_values(trained) <= MAX_HOST_VALUES:
        return with_rate(optimizer, evaluate_on_host(init, trained))
    return with_rate(optimizer, compile_function(init, compiler_options=RUN_ONCE)(trained))


def _count_values(tree: PyTree) -> int:
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(tree))
