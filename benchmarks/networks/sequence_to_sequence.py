"""An LSTM reads a sequence of words, and one that begins with its states writes another."""

from typing import Any

from benchmarks.jobs import Job


def model(library: Any, job: Job) -> Any:
    """Return the network by Keras's words."""
    layers = library.layers
    width, units = job.units
    read, written = (layers.Input(shape, dtype="int32") for shape in job.input_shapes)
    vectors = layers.Embedding(job.vocabulary, width)(read)
    _, *states = layers.LSTM(units, return_state=True)(vectors)
    vectors = layers.Embedding(job.vocabulary, width)(written)
    values = layers.LSTM(units, return_sequences=True)(vectors, initial_state=states)
    words = layers.Dense(job.vocabulary, activation=job.task.activation)(values)
    return library.Model([read, written], words)
