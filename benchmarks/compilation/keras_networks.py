"""Keras: the same lines as in `fjax_networks.py`."""

import keras
import numpy as np

from benchmarks.compilation.sizes import BATCH_SIZE, UNITS, Timed


def sequential(layers: int) -> Timed:
    """Return what builds a `Sequential` and trains it for one step."""

    def build() -> keras.Model:
        dense = (keras.layers.Dense(UNITS, activation="relu") for _ in range(layers))
        return keras.Sequential([keras.layers.Input((UNITS,)), *dense])

    return lambda: _first_step(build())


def graph(layers: int) -> Timed:
    """Return what builds a model of symbolic tensors and trains it for one step."""

    def build() -> keras.Model:
        inputs = values = keras.layers.Input((UNITS,))
        for _ in range(layers):
            values = keras.layers.Dense(UNITS, activation="relu")(values)
        return keras.Model(inputs=inputs, outputs=values)

    return lambda: _first_step(build())


def bidirectional_call(length: int) -> Timed:
    """Return what calls a bidirectional LSTM on a symbolic tensor of so many positions."""
    inputs = keras.layers.Input((length, UNITS))
    # The first call of all starts the device too, which counts for no layer.
    keras.layers.Dense(UNITS)(inputs)
    return lambda: int(keras.layers.Bidirectional(keras.layers.LSTM(UNITS))(inputs).shape[-1])


def _first_step(model: keras.Model) -> int:
    x = np.zeros((BATCH_SIZE, UNITS), "float32")
    model.compile(optimizer=keras.optimizers.SGD(1e-3), loss="mse")
    model.fit(x, x, batch_size=BATCH_SIZE, verbose=0)
    return model.count_params()
