"""Vectors of words, an LSTM along them in both directions, one output."""

from typing import Any

from benchmarks.jobs import Job


def model(library: Any, job: Job) -> Any:
    """Return the network by Keras's words."""
    layers = library.layers
    width, units, outputs = job.units
    return library.Sequential(
        [
            layers.Input(job.input_shape, dtype="int32"),
            layers.Embedding(job.vocabulary, width),
            layers.Bidirectional(layers.LSTM(units)),
            layers.Dense(outputs, activation=job.task.activation),
        ]
    )
