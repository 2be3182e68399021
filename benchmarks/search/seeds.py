"""One network with many seeds: side by side, and one after another."""

import jax.numpy as jnp
import numpy as np

import fjax
from benchmarks.search.sizes import BATCH_SIZE, FEATURES, Sizes, Timed


def side_by_side(x: np.ndarray, y: np.ndarray, sizes: Sizes) -> Timed:
    """Train all seeds as one program; the score is the mean loss."""
    jnp.zeros(1).block_until_ready()

    def timed() -> float:
        history = _model(0).fit(
            x, y, epochs=sizes.epochs, batch_size=BATCH_SIZE, verbose=0, replicas=sizes.seeds
        )
        return float(history.history["loss"][-1])

    return timed


def one_after_another(x: np.ndarray, y: np.ndarray, sizes: Sizes) -> Timed:
    """Train one seed after another; only the first one compiles."""
    jnp.zeros(1).block_until_ready()

    def timed() -> float:
        fits = [
            _model(seed).fit(x, y, epochs=sizes.epochs, batch_size=BATCH_SIZE, verbose=0)
            for seed in range(sizes.seeds)
        ]
        return float(np.mean([fit.history["loss"][-1] for fit in fits]))

    return timed


def _model(seed: int) -> fjax.Sequential:
    layers = fjax.layers
    hidden = layers.Dense(30, activation="relu")
    model = fjax.Sequential([layers.Input((FEATURES,)), hidden, layers.Dense(1)], seed=seed)
    model.compile(fjax.optimizers.SGD(1e-3), "mse")
    return model
