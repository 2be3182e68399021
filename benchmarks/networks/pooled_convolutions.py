"""Convolutions of 3 x 3 with relu, each with a pooling of 2 x 2, dropout, and classes."""

from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.jobs import Job

DROPOUT = 0.5


def kernels(job: Job) -> list[tuple[int, ...]]:
    """Return the shapes of the kernels."""
    *filters, classes = job.units
    height, width, channels = job.input_shape
    windows: list[tuple[int, ...]] = [(3, 3, *pair) for pair in pairwise((channels, *filters))]
    for _ in filters:
        height, width = (height - 2) // 2, (width - 2) // 2
    return [*windows, (height * width * filters[-1], classes)]


def model(library: Any, job: Job) -> Any:
    """Return the network by Keras's words."""
    layers = library.layers
    *filters, classes = job.units
    convolutions = [
        layer
        for count in filters
        for layer in (layers.Conv2D(count, 3, activation="relu"), layers.MaxPooling2D(2))
    ]
    return library.Sequential(
        [
            layers.Input(job.input_shape),
            *convolutions,
            layers.Flatten(),
            layers.Dropout(DROPOUT),
            layers.Dense(classes, activation=job.task.activation),
        ]
    )


def first_params(job: Job, generator: np.random.Generator) -> Any:
    """Return kernels and biases."""
    from benchmarks.networks.by_hand import glorot

    return [(glorot(generator, *shape), np.zeros(shape[-1], "float32")) for shape in kernels(job)]


def outputs(job: Job, params: Any, inputs: Any, key: Any) -> list[Any]:
    """Return the logits."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    from benchmarks.networks.by_hand import affine, dropped

    (values,) = inputs
    numbers = ("NHWC", "HWIO", "NHWC")
    for kernel, bias in params[:-1]:
        values = lax.conv_general_dilated(
            values, kernel, (1, 1), "VALID", dimension_numbers=numbers
        )
        window = (1, 2, 2, 1)
        values = jax.nn.relu(values + bias)
        values = lax.reduce_window(values, -jnp.inf, lax.max, window, window, "VALID")
    values = values.reshape(len(values), -1)
    if key is not None:
        values = dropped(values, DROPOUT, key)
    return [affine(values, params[-1])]


def torch_module(job: Job) -> Any:
    """Return the network of PyTorch."""
    from torch import nn

    from benchmarks.networks.by_torch import as_keras_begins, linear

    *windows, (values, classes) = kernels(job)
    module = nn.Sequential()
    for _, _, channels, filters in windows:
        module.append(as_keras_begins(nn.Conv2d(channels, filters, 3))).append(nn.ReLU())
        module.append(nn.MaxPool2d(2))
    module.append(nn.Flatten()).append(nn.Dropout(DROPOUT))
    return module.append(linear(values, classes))
