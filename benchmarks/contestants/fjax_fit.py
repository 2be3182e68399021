"""fjax: `Sequential` or `Model`, `compile` and `fit`, as a user writes it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.child import Turns
from benchmarks.jobs import Job
from fjax.callbacks import Callback
from fjax.layers import (
    LSTM,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    MaxPooling2D,
)
from fjax.models import Model, Sequential
from fjax.optimizers import SGD, Adam


class InTurn(Callback):
    """Makes each epoch wait for its turn."""

    def __init__(self, turns: Turns) -> None:
        super().__init__()
        self._turns = turns

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._turns.begin()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._turns.end((logs or {})["loss"])


def train(
    job: Job, inputs: list[np.ndarray], targets: np.ndarray, epochs: int, turns: Turns
) -> None:
    """Train the job, epoch by epoch in turn."""
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


def sequential(job: Job) -> Model:
    """Return the compiled network of layers in a row."""
    *hidden, outputs = job.units
    model = Sequential(
        [
            Input(job.input_shape),
            *([Flatten()] if len(job.input_shape) > 1 else []),
            *(Dense(units, activation="relu") for units in hidden),
            Dense(outputs, activation="softmax" if job.classifies else None),
        ],
        seed=0,
    )
    model.compile(
        optimizer=SGD(job.learning_rate),
        loss="sparse_categorical_crossentropy" if job.classifies else "mse",
        metrics=["accuracy"] if job.classifies else None,
    )
    return model


def reviews(job: Job) -> Model:
    """Return the compiled network for texts."""
    width, units, outputs = job.units
    model = Sequential(
        [
            Input(job.input_shape, dtype="int32"),
            Embedding(job.vocabulary, width),
            LSTM(units),
            Dense(outputs, activation="sigmoid"),
        ],
        seed=0,
    )
    model.compile(optimizer=Adam(job.learning_rate), loss="binary_crossentropy")
    return model


def images(job: Job) -> Model:
    """Return the compiled network for images."""
    model = Sequential(
        [
            Input(job.input_shape),
            *(
                layer
                for filters in job.convolutions
                for layer in (
                    Conv2D(filters, 3, activation="relu"),
                    MaxPooling2D(2),
                )
            ),
            Flatten(),
            Dropout(job.dropout),
            Dense(job.units[-1], activation="softmax"),
        ],
        seed=0,
    )
    model.compile(
        optimizer=Adam(job.learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def wide_and_deep(job: Job) -> Model:
    """Return the compiled network of two inputs and two outputs."""
    *hidden, outputs = job.units
    wide, deep = (Input(shape) for shape in job.input_shapes)
    values = deep
    for units in hidden:
        values = Dense(units, activation="relu")(values)
    main = Dense(outputs)(Concatenate()([wide, values]))
    auxiliary = Dense(outputs)(values)
    model = Model(inputs=[wide, deep], outputs=[main, auxiliary], seed=0)
    model.compile(
        optimizer=SGD(job.learning_rate),
        loss=["mse", "mse"],
        loss_weights=list(job.loss_weights),
        metrics=[["mae"], ["mae"]],
    )
    return model
