"""fjax: `Sequential`, `compile` and `fit`, as a user writes it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.child import Turns
from benchmarks.jobs import Job
from fjax.callbacks import Callback
from fjax.layers import Dense, Flatten, Input
from fjax.models import Sequential
from fjax.optimizers import SGD


class InTurn(Callback):
    """Makes each epoch wait for its turn."""

    def __init__(self, turns: Turns) -> None:
        super().__init__()
        self._turns = turns

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._turns.begin()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._turns.end((logs or {})["loss"])


def train(job: Job, x: np.ndarray, y: np.ndarray, epochs: int, turns: Turns) -> None:
    """Train the job, epoch by epoch in turn."""
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
    model.fit(
        x, y, batch_size=job.batch_size, epochs=epochs, verbose=0, callbacks=[InTurn(turns)]
    )  # fmt: skip
