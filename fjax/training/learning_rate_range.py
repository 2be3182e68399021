"""The learning rate range test: a run whose learning rate changes at each step."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.training.batch import Batch, Source
from fjax.training.programs import compile_loop
from fjax.training.state import TrainState
from fjax.training.step import TrainStep
from fjax.typing import Array, HasLearningRate, PyTree


def range_test(
    step: TrainStep,
    train_state: TrainState,
    empty_sums: PyTree,
    source: Source,
    learning_rates: np.ndarray,
    fill: bool = False,
) -> np.ndarray:
    """Return the loss of each step of a run with one step at each of these learning rates.

    `train_state` is neither changed nor donated.

    Args:
        step: The training step; its logs include "loss".
        train_state: The initial state; its `opt_state` has the leaf `learning_rate`.
        empty_sums: The accumulators before the first batch. Each step starts from them, so that its
            loss is the loss of its batch alone.
        source: The batches, as many as there are learning rates.
        learning_rates: The learning rate of each step.
        fill: Whether smaller batches may be filled; see `fjax.training.filled_batches`.

    Raises:
        TypeError: The optimizer has no learning rate in its state.
        ValueError: The source has fewer batches.

    Source: Smith, "Cyclical Learning Rates for Training Neural Networks", 2017, section 3.3.

    >>> from fjax.data import ArraySource
    >>> from fjax.layers import Dense
    >>> from fjax.losses import MeanSquaredError
    >>> from fjax.optimizers import SGD
    >>> from fjax.training import create_train_state, init_accumulators, train_step
    >>> batch = Batch((np.ones((4, 1), "float32"),), np.ones((4, 1), "float32"))
    >>> network, optimizer = Dense(1, use_bias=False, kernel_initializer="zeros"), SGD(1.0)
    >>> train_state = create_train_state(network, optimizer, jax.random.key(0), *batch.inputs)
    >>> step = train_step(network, MeanSquaredError(), optimizer)
    >>> source = ArraySource(batch, batch_size=2, steps_per_epoch=3)
    >>> range_test(step, train_state, init_accumulators(), source, np.array([0, 0.25, 1]))
    array([1.  , 1.  , 0.25], dtype=float32)
    """
    if not isinstance(train_state.opt_state, HasLearningRate):
        raise TypeError(
            "A range test changes the leaf `learning_rate` of the optimizer's state, and this "
            "state has no such leaf: use one of `fjax.optimizers`."
        )

    def step_at_rate(carry: TrainState, batch: Batch, start: Array) -> TrainState:
        del start
        rates, losses = carry.accumulators
        index = carry.batch
        opt_state: Any = carry.opt_state
        carry = carry._replace(
            opt_state=opt_state._replace(learning_rate=rates[index]), accumulators=empty_sums
        )
        carry, logs = step(carry, batch)
        losses = losses.at[index].set(logs["loss"].astype(losses.dtype))
        return carry._replace(accumulators=(rates, losses))

    advance = compile_loop("range_test", lambda: step_at_rate)
    rates = jnp.asarray(learning_rates, jnp.float32)
    carry = train_state._replace(batch=np.int32(0), accumulators=(rates, jnp.zeros_like(rates)))
    # A copy, since the program donates its first argument.
    carry = jax.tree.map(lambda leaf: jnp.array(leaf, copy=True), carry)
    for window in source.windows(0, fill=fill):
        carry = advance(
            carry, (), window.data, window.bounds(window.first, window.last),
            is_filled=window.is_filled,
        )  # fmt: skip
    steps = int(carry.batch)
    if steps < len(learning_rates):
        raise ValueError(
            f"A range test of {len(learning_rates)} learning rates needs as many batches, but `x` "
            f"has {steps}: use fewer `steps`, or an iterable that can be iterated again."
        )
    return np.asarray(carry.accumulators[1])
