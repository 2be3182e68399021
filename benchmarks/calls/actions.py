"""The calls as a user writes them, by Keras's words: those of fjax are the same lines.

The result of every call is read on the host, so that nothing is left to compute.
"""

import dataclasses
import importlib
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from benchmarks.contestants.fit import compiled
from benchmarks.jobs import find_job

Answers = Mapping[str, Callable[[], dict[str, float]]]

BATCH_SIZE = 32

# Calls are not repeated after so many seconds.
ENOUGH = 0.5


def of_fjax(quick: bool) -> Answers:
    """Return the calls of fjax."""
    return _answers(importlib.import_module("fjax"), quick)


def of_keras(quick: bool) -> Answers:
    """Return the calls of Keras; the environment chooses the backend."""
    return _answers(importlib.import_module("keras"), quick)


def row_counts() -> Iterator[int]:
    """Return numbers of rows. The last batches of the first 30 have 30 sizes, from 2 to 31 rows.

    All other calls have batches of 1 or of 32 rows, so each of these sizes is new.
    """
    return (count for count in itertools.count(101, 7) if count % BATCH_SIZE > 1)


def _answers(library: Any, quick: bool) -> Answers:
    steps, repeats, fits = (5, 2, 1) if quick else (400, 200, 20)
    small = dataclasses.replace(find_job("mnist_cnn", quick), units=(8, 16, 10))
    model = compiled(library, find_job("california", quick))
    convolutions = compiled(library, small)
    generator = np.random.default_rng(0)
    x = generator.standard_normal((steps * BATCH_SIZE, 8), dtype="float32")
    y = generator.standard_normal((len(x), 1), dtype="float32")
    batch = x[:BATCH_SIZE], y[:BATCH_SIZE]
    reader = _log_reader(library)

    def fit_generator() -> None:
        model.fit(_batches(x, y), steps_per_epoch=steps, verbose=0)

    def fit_callback() -> None:
        model.fit(x, y, batch_size=BATCH_SIZE, verbose=0, callbacks=[reader])

    answers = {
        "fit_generator": lambda: mean_seconds(fit_generator) / steps,
        "fit_callback": lambda: mean_seconds(fit_callback) / steps,
        "train_on_batch": lambda: mean_seconds(
            lambda: float(model.train_on_batch(*batch)), repeats
        ),
        "test_on_batch": lambda: mean_seconds(lambda: float(model.test_on_batch(*batch)), repeats),
        "predict_on_batch": lambda: mean_seconds(
            lambda: np.asarray(model.predict_on_batch(batch[0])), repeats
        ),
        "predict_row": lambda: mean_seconds(lambda: model.predict(x[:1], verbose=0), repeats),
        "call_row": lambda: mean_seconds(lambda: np.asarray(model(x[:1])), repeats),
        "fit_batch": lambda: mean_seconds(lambda: model.fit(*batch, verbose=0), fits),
        "predict_new": _predictions(model, (8,)),
        "predict_new_convolutions": _predictions(convolutions, small.input_shape),
    }
    for answer in answers.values():
        # The first call compiles; that of a new number of rows compiles what every number needs.
        answer()
    return {order: _report(answer) for order, answer in answers.items()}


def _predictions(model: Any, shape: tuple[int, ...]) -> Callable[[], float]:
    counts = row_counts()

    def predict() -> float:
        x = np.zeros((next(counts), *shape), "float32")
        return mean_seconds(lambda: model.predict(x, batch_size=BATCH_SIZE, verbose=0))

    return predict


def _batches(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    while True:
        for start in range(0, len(x), BATCH_SIZE):
            yield x[start : start + BATCH_SIZE], y[start : start + BATCH_SIZE]


def _log_reader(library: Any) -> Any:
    class LogReader(library.callbacks.Callback):
        """Reads the loss after every step."""

        def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
            self.loss = float((logs or {})["loss"])

    return LogReader()


def _report(answer: Callable[[], float]) -> Callable[[], dict[str, float]]:
    return lambda: {"seconds": answer()}


def mean_seconds(call: Callable[[], Any], repeats: int = 1) -> float:
    """Return the mean time of the calls: `repeats`, or fewer if they take longer than `ENOUGH`."""
    started, taken, made = time.perf_counter(), 0.0, 0
    while made < repeats and taken < ENOUGH:
        call()
        made += 1
        taken = time.perf_counter() - started
    return taken / made
