"""`compile` and `fit` as a user writes them, by Keras's words: those of fjax are the same lines."""

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.child import Turns
from benchmarks.jobs import Job


def train_fjax(
    job: Job, inputs: list[np.ndarray], targets: np.ndarray, epochs: int, turns: Turns
) -> None:
    """Train with fjax."""
    _train(importlib.import_module("fjax"), job, inputs, targets, epochs, turns)


def train_keras(
    job: Job, inputs: list[np.ndarray], targets: np.ndarray, epochs: int, turns: Turns
) -> None:
    """Train with Keras; the environment chooses the backend."""
    _train(importlib.import_module("keras"), job, inputs, targets, epochs, turns)


def compiled(library: Any, job: Job) -> Any:
    """Return the job's model, compiled."""
    library.utils.set_random_seed(0)
    model = job.module.model(library, job)
    count, task = len(job.loss_weights), job.task
    metrics = [] if task.metric is None else [task.metric]
    several = {"loss": [task.loss] * count, "metrics": [metrics] * count}
    one = {"loss": task.loss, "metrics": metrics}
    if count > 1:
        several["loss_weights"] = list(job.loss_weights)
    optimizer = getattr(library.optimizers, job.optimizer)(job.learning_rate)
    model.compile(optimizer=optimizer, **(several if count > 1 else one))
    return model


def _train(
    library: Any,
    job: Job,
    inputs: list[np.ndarray],
    targets: np.ndarray,
    epochs: int,
    turns: Turns,
) -> None:
    class InTurn(library.callbacks.Callback):
        """Makes each epoch wait for its turn."""

        def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
            turns.begin()

        def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
            turns.end((logs or {})["loss"])

    count = len(job.loss_weights)
    x = inputs if len(inputs) > 1 else inputs[0]
    y = [targets] * count if count > 1 else targets
    compiled(library, job).fit(
        x, y, batch_size=job.batch_size, epochs=epochs, verbose=0, callbacks=[InTurn()]
    )
