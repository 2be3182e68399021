"""Fully connected layers that make an image small and rebuild it."""

import math
from typing import Any

from benchmarks.jobs import Job


def model(library: Any, job: Job) -> Any:
    """Return the network by Keras's words."""
    layers = library.layers
    return library.Sequential(
        [
            layers.Input(job.input_shape),
            layers.Flatten(),
            *(layers.Dense(units, activation="relu") for units in job.units),
            layers.Dense(math.prod(job.input_shape), activation=job.task.activation),
            layers.Reshape(job.input_shape),
        ]
    )
