"""Fully connected layers of `job.units` in a row, relu between."""

import math
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.jobs import Job


def model(library: Any, job: Job) -> Any:
    """Return the network by Keras's words."""
    layers = library.layers
    *hidden, outputs = job.units
    return library.Sequential(
        [
            layers.Input(job.input_shape),
            *([layers.Flatten()] if len(job.input_shape) > 1 else []),
            *(layers.Dense(units, activation="relu") for units in hidden),
            layers.Dense(outputs, activation=job.task.activation),
        ]
    )


def first_params(job: Job, generator: np.random.Generator) -> Any:
    """Return kernels and biases."""
    from benchmarks.networks import by_hand

    sizes = pairwise((math.prod(job.input_shape), *job.units))
    return [by_hand.dense(generator, *shape) for shape in sizes]


def outputs(job: Job, params: Any, inputs: Any, key: Any) -> list[Any]:
    """Return the logits."""
    import jax

    from benchmarks.networks.by_hand import affine

    (values,) = inputs
    values = values.reshape(len(values), -1)
    for weights in params[:-1]:
        values = jax.nn.relu(affine(values, weights))
    return [affine(values, params[-1])]


def torch_module(job: Job) -> Any:
    """Return the network of PyTorch."""
    from torch import nn

    from benchmarks.networks.by_torch import linear

    *hidden, last = pairwise((math.prod(job.input_shape), *job.units))
    module = nn.Sequential(nn.Flatten())
    for shape in hidden:
        module.append(linear(*shape)).append(nn.ReLU())
    return module.append(linear(*last))
