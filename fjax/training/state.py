"""The train state: the whole state of a run, as one pytree."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fjax.core import output_specs
from fjax.core.freezing import frozen_paths, merge_params, trainable_part
from fjax.core.precision import init_layer
from fjax.training.accumulators import Metrics, init_accumulators
from fjax.typing import Array, Finalizes, GradientTransformation, Key, Params, PyTree, Spec, State

# A counter on the device, or one that the host has just set.
Counter = Array | np.ndarray | np.integer


class TrainState(NamedTuple):
    """The whole state of a training run, as one pytree.

    Attributes:
        params: The network's params.
        state: The network's state.
        opt_state: The optimizer's state; its `learning_rate` is a leaf.
        key: The PRNG key of the run; each step folds `step` into it.
        step: The number of completed steps, int32.
        epoch: The number of completed epochs, int32.
        batch: The number of completed steps in the current epoch, int32.
        accumulators: The sums for the running loss and metrics of the current epoch.
    """

    params: Params
    state: State
    opt_state: PyTree
    key: Key
    step: Counter
    epoch: Counter
    batch: Counter
    accumulators: PyTree


def create_train_state(
    network: Any,
    optimizer: GradientTransformation | None,
    key: Key,
    *specs: Spec,
    metrics: Metrics = (),
    targets: PyTree | Spec | None = None,
    loss: Any = None,
) -> TrainState:
    """Return the train state of a run before its first step.

    Args:
        network: A layer.
        optimizer: The pure optimizer, which sees the params of layers that are not frozen; None
            for a network that will not be trained.
        key: Determines the weights and all later random numbers.
        specs: The network's inputs, batch axis included.
        metrics: The metrics of the training step.
        targets: The targets or their shapes, if there are metrics.
        loss: The loss, if it is `OutputLosses`, whose parts the training step logs.

    >>> import jax
    >>> from fjax.layers import Dense
    >>> from fjax.optimizers import SGD
    >>> spec = jax.ShapeDtypeStruct((32, 8), "float32")
    >>> train_state = create_train_state(Dense(1), SGD(0.1), jax.random.key(0), spec)
    >>> train_state.params["kernel"].shape, int(train_state.step)
    ((8, 1), 0)
    """
    init_key, step_key = jax.random.split(key)
    params, state = init_layer(network, init_key, *specs)
    outputs = output_specs(network, params, state, *specs) if metrics else None
    trained = trainable_part(params, frozen_paths(network))
    return TrainState(
        params=params,
        state=state,
        opt_state=() if optimizer is None else optimizer.init(trained),
        key=step_key,
        step=jnp.zeros((), jnp.int32),
        epoch=jnp.zeros((), jnp.int32),
        batch=jnp.zeros((), jnp.int32),
        accumulators=init_accumulators(metrics, targets, outputs, loss),
    )


def run_key(seed: int) -> Key:
    """Return the key of a new run whose train state is created with this seed."""
    return jax.random.split(jax.random.key(np.uint32(seed)))[1]


def finalized(
    network: Any, optimizer: GradientTransformation, train_state: TrainState
) -> TrainState:
    """Return the train state with the params to use after training.

    An optimizer with `use_ema` replaces the params by their averages; an optimizer without a
    `finalize`, such as optax's, leaves them unchanged.

    >>> import jax
    >>> from fjax.layers import Dense
    >>> from fjax.optimizers import SGD
    >>> spec = jax.ShapeDtypeStruct((32, 8), "float32")
    >>> network, optimizer = Dense(1), SGD(0.1, use_ema=True)
    >>> train_state = create_train_state(network, optimizer, jax.random.key(0), spec)
    >>> finalized(network, optimizer, train_state).params["kernel"].shape
    (8, 1)
    """
    if not isinstance(optimizer, Finalizes):
        return train_state
    frozen = frozen_paths(network)
    trained = trainable_part(train_state.params, frozen)
    final = optimizer.finalize(trained, train_state.opt_state)
    return train_state._replace(params=merge_params(train_state.params, final) if frozen else final)
