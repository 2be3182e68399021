"""A deep network in fjax, up to the end of its first training step."""

import numpy as np

from benchmarks.compilation.sizes import BATCH_SIZE, UNITS, Timed
from fjax.layers import LSTM, Bidirectional, Dense, Input
from fjax.models import Model, Sequential
from fjax.optimizers import SGD


def sequential(layers: int) -> Timed:
    """Return what builds a `Sequential` and trains it for one step."""

    def build() -> Model:
        dense = (Dense(UNITS, activation="relu") for _ in range(layers))
        return Sequential([Input((UNITS,)), *dense], seed=0)

    return lambda: _first_step(build())


def graph(layers: int) -> Timed:
    """Return what builds a model of symbolic tensors and trains it for one step."""

    def build() -> Model:
        inputs = values = Input((UNITS,))
        for _ in range(layers):
            values = Dense(UNITS, activation="relu")(values)
        return Model(inputs=inputs, outputs=values, seed=0)

    return lambda: _first_step(build())


def bidirectional_call(length: int) -> Timed:
    """Return what calls a bidirectional LSTM on a symbolic tensor of so many positions."""
    inputs = Input((length, UNITS))
    # The first call of all starts the device too, which counts for no layer.
    Dense(UNITS)(inputs)
    return lambda: int(Bidirectional(LSTM(UNITS))(inputs).shape[-1])


def _first_step(model: Model) -> int:
    x = np.zeros((BATCH_SIZE, UNITS), "float32")
    model.compile(optimizer=SGD(1e-3), loss="mse")
    model.fit(x, x, batch_size=BATCH_SIZE, verbose=0)
    return model.count_params()
