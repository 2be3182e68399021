"""Blocks in the manner of a transformer's: one training step, traced and compiled."""

from typing import Any

import jax

import fjax
from benchmarks.compilation.sizes import BATCH_SIZE, Timed
from fjax.layers import BatchNormalization, Dense, Dropout
from fjax.losses import MeanSquaredError
from fjax.optimizers import SGD
from fjax.training import Batch, create_train_state, train_step

WIDTH, HIDDEN = 64, 256


def repeated(blocks: int) -> Timed:
    """Return what compiles a step of `fjax.repeat`."""
    return _compiling(fjax.repeat(_block(), blocks))


def in_a_row(blocks: int) -> Timed:
    """Return what compiles a step of `fjax.serial`."""
    return _compiling(fjax.serial(*(_block() for _ in range(blocks))))


def _block() -> Any:
    return fjax.residual(
        fjax.serial(BatchNormalization(), Dense(HIDDEN, "relu"), Dropout(0.1), Dense(WIDTH))
    )


def _compiling(network: Any) -> Timed:
    optimizer = SGD(1e-3)
    spec = jax.ShapeDtypeStruct((BATCH_SIZE, WIDTH), "float32")
    batch = Batch((spec,), spec)
    state = jax.eval_shape(
        lambda key: create_train_state(network, optimizer, key, spec), jax.random.key(0)
    )
    # The first program of a process starts the compiler too, which counts for no network.
    jax.jit(lambda values: values + 1).lower(spec).compile()

    def compiling() -> int:
        step = train_step(network, MeanSquaredError(), optimizer)
        jax.jit(step).lower(state, batch).compile()
        return sum(leaf.size for leaf in jax.tree.leaves(state.params))

    return compiling
