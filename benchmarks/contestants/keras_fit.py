"""Keras: the same lines as in `fjax_fit.py`; the environment chooses the backend."""

from typing import Any

import keras
import numpy as np

from benchmarks.child import Turns
from benchmarks.jobs import Job


class InTurn(keras.callbacks.Callback):
    """Makes each epoch wait for its turn."""

    def __init__(self, turns: Turns) -> None:
        super().__init__()
        self._turns = turns

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._turns.begin()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._turns.end((logs or {})["loss"])


def train(
    job: Job, inputs: list[np.ndarray], targets: np.ndarray, epochs: int, turns: Turns
) -> None:
    """Train the job, epoch by epoch in turn."""
    keras.utils.set_random_seed(0)
    if job.vocabulary:
        model = reviews(job)
    elif job.convolutions:
        model = images(job)
    else:
        model = wide_and_deep(job) if job.features else sequential(job)
    x, y = (inputs, [targets, targets]) if job.features else (inputs[0], targets)
    model.fit(
        x, y, batch_size=job.batch_size, epochs=epochs, verbose=0, callbacks=[InTurn(turns)]
    )  # fmt: skip


def sequential(job: Job) -> keras.Model:
    """Return the compiled network of layers in a row."""
    *hidden, outputs = job.units
    model = keras.Sequential(
        [
            keras.layers.Input(job.input_shape),
            *([keras.layers.Flatten()] if len(job.input_shape) > 1 else []),
            *(keras.layers.Dense(units, activation="relu") for units in hidden),
            keras.layers.Dense(outputs, activation="softmax" if job.classifies else None),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(job.learning_rate),
        loss="sparse_categorical_crossentropy" if job.classifies else "mse",
        metrics=["accuracy"] if job.classifies else None,
    )
    return model


def reviews(job: Job) -> keras.Model:
    """Return the compiled network for texts."""
    width, units, outputs = job.units
    model = keras.Sequential(
        [
            keras.layers.Input(job.input_shape, dtype="int32"),
            keras.layers.Embedding(job.vocabulary, width),
            keras.layers.LSTM(units),
            keras.layers.Dense(outputs, activation="sigmoid"),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(job.learning_rate), loss="binary_crossentropy")
    return model


def images(job: Job) -> keras.Model:
    """Return the compiled network for images."""
    model = keras.Sequential(
        [
            keras.layers.Input(job.input_shape),
            *(
                layer
                for filters in job.convolutions
                for layer in (
                    keras.layers.Conv2D(filters, 3, activation="relu"),
                    keras.layers.MaxPooling2D(2),
                )
            ),
            keras.layers.Flatten(),
            keras.layers.Dropout(job.dropout),
            keras.layers.Dense(job.units[-1], activation="softmax"),
        ],
    )
    model.compile(
        optimizer=keras.optimizers.Adam(job.learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def wide_and_deep(job: Job) -> keras.Model:
    """Return the compiled network of two inputs and two outputs."""
    *hidden, outputs = job.units
    wide, deep = (keras.layers.Input(shape) for shape in job.input_shapes)
    values = deep
    for units in hidden:
        values = keras.layers.Dense(units, activation="relu")(values)
    main = keras.layers.Dense(outputs)(keras.layers.Concatenate()([wide, values]))
    auxiliary = keras.layers.Dense(outputs)(values)
    model = keras.Model(inputs=[wide, deep], outputs=[main, auxiliary])
    model.compile(
        optimizer=keras.optimizers.SGD(job.learning_rate),
        loss=["mse", "mse"],
        loss_weights=list(job.loss_weights),
        metrics=[["mae"], ["mae"]],
    )
    return model
