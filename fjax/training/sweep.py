"""A run whose learning rate is another one at each step, in one compiled program."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.compiler import compile_function
from fjax.training.batch import Batch, Source
from fjax.training.programs import over_batches
from fjax.training.state import TrainState
from fjax.training.step import TrainStep
from fjax.typing import Array, PyTree


def sweep_learning_rates(
    step: TrainStep,
    train_state: TrainState,
    empty_sums: PyTree,
    source: Source,
    learning_rates: np.ndarray,
) -> np.ndarray:
    """Return the loss of each step of a run that makes one step at each of these learning rates.

    The train state that is given stays as it is, and whole.

    Args:
        step: The training step; among its logs is "loss".
        train_state: Where the run begins; its `opt_state` has the leaf `learning_rate`.
        empty_sums: The step's accumulators before the first batch; each step begins with these, so
            that its loss is that of its own batch.
        source: The batches, as many as there are learning rates.
        learning_rates: The rates, one for each step.

    Raises:
        TypeError: The optimizer keeps no learning rate in its state.
        ValueError: The source has fewer batches.

    >>> from fjax.layers import Dense
    >>> from fjax.losses import MeanSquaredError
    >>> from fjax.optimizers import SGD
    >>> from fjax.training import create_train_state, init_accumulators, train_step
    >>> batch = Batch((np.ones((4, 1), "float32"),), np.ones((4, 1), "float32"))
    >>> network, optimizer = Dense(1, use_bias=False, kernel_initializer="zeros"), SGD(1.0)
    >>> train_state = create_train_state(network, optimizer, jax.random.key(0), *batch.inputs)
    >>> step = train_step(network, MeanSquaredError(), optimizer)
    >>> from fjax.data import ArraySource
    >>> source = ArraySource(batch, batch_size=2, steps_per_epoch=3)
    >>> sweep_learning_rates(step, train_state, init_accumulators(), source, np.array([0, 0.25, 1]))
    array([1.  , 1.  , 0.25], dtype=float32)
    """
    if not hasattr(train_state.opt_state, "learning_rate"):
        raise TypeError(
            "A sweep changes the leaf `learning_rate` of the optimizer's state, and this one has "
            "none: use one of `fjax.optimizers`."
        )

    def swept(held: TrainState, batch: Batch, start: Array) -> TrainState:
        del start
        rates, losses = held.accumulators
        here = held.batch
        opt_state: Any = held.opt_state
        held = held._replace(
            opt_state=opt_state._replace(learning_rate=rates[here]), accumulators=empty_sums
        )
        after, logs = step(held, batch)
        losses = losses.at[here].set(logs["loss"].astype(losses.dtype))
        return after._replace(accumulators=(rates, losses))

    @partial(compile_function, static_argnames="batch_size", donate_argnums=0)
    def advance(
        held: TrainState,
        data: PyTree,
        order: Array | None,
        first: Array,
        last: Array,
        batch_size: int,
    ) -> TrainState:
        return over_batches(swept, held, data, order, first, last, batch_size)

    rates = jnp.asarray(learning_rates, jnp.float32)
    held = train_state._replace(batch=np.int32(0), accumulators=(rates, jnp.zeros_like(rates)))
    # A copy: the program takes what it is given, and the run goes on elsewhere.
    held = jax.tree.map(lambda leaf: jnp.array(leaf, copy=True), held)
    for window in source.windows(0):
        held = advance(
            held,
            window.data,
            window.order,
            np.int32(window.first),
            np.int32(window.last),
            batch_size=window.batch_size,
        )
    made = int(held.batch)
    if made < len(learning_rates):
        raise ValueError(
            f"A sweep of {len(learning_rates)} learning rates needs as many batches, and `x` gave "
            f"{made}: give fewer `steps`, or an iterable that can be iterated again."
        )
    return np.asarray(held.accumulators[1])
