"""Two inputs, two outputs: the first input goes around the hidden layers, the second through them.

The main output is made of the first input and the last hidden layer together, the auxiliary one of
that layer alone. Both learn the same targets.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.jobs import Job


def kernels(job: Job) -> list[tuple[int, int]]:
    """Return the shapes of the kernels: those of the hidden layers, then those of the outputs."""
    (around,), (through,) = job.input_shapes
    *hidden, (width, units) = pairwise((through, *job.units))
    return [*hidden, (around + width, units), (width, units)]


def model(library: Any, job: Job) -> Any:
    """Return the network by Keras's words."""
    layers = library.layers
    *hidden, outputs = job.units
    wide, deep = (layers.Input(shape) for shape in job.input_shapes)
    values = deep
    for units in hidden:
        values = layers.Dense(units, activation="relu")(values)
    main = layers.Dense(outputs)(layers.Concatenate()([wide, values]))
    return library.Model(inputs=[wide, deep], outputs=[main, layers.Dense(outputs)(values)])


def first_params(job: Job, generator: np.random.Generator) -> Any:
    """Return kernels and biases."""
    from benchmarks.networks import by_hand

    return [by_hand.dense(generator, *shape) for shape in kernels(job)]


def outputs(job: Job, params: Any, inputs: Any, key: Any) -> list[Any]:
    """Return the main and the auxiliary output."""
    import jax
    import jax.numpy as jnp

    from benchmarks.networks.by_hand import affine

    wide, values = inputs
    *hidden, main, auxiliary = params
    for weights in hidden:
        values = jax.nn.relu(affine(values, weights))
    return [affine(jnp.concatenate([wide, values], axis=1), main), affine(values, auxiliary)]


def torch_module(job: Job) -> Any:
    """Return the network of PyTorch."""
    import torch
    from torch import nn

    from benchmarks.networks.by_torch import linear

    class WideAndDeep(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            *hidden, main, auxiliary = kernels(job)
            self.hidden = nn.Sequential()
            for shape in hidden:
                self.hidden.append(linear(*shape)).append(nn.ReLU())
            self.main, self.auxiliary = linear(*main), linear(*auxiliary)

        def forward(self, wide: torch.Tensor, deep: torch.Tensor) -> list[torch.Tensor]:
            values = self.hidden(deep)
            return [self.main(torch.cat([wide, values], dim=1)), self.auxiliary(values)]

    return WideAndDeep()
