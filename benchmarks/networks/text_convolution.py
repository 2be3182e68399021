"""Vectors of words, a convolution along them, the maximum of each filter, one output."""

from typing import Any

import numpy as np

from benchmarks.jobs import Job

WINDOW = 5


def model(library: Any, job: Job) -> Any:
    """Return the network by Keras's words."""
    layers = library.layers
    width, filters, outputs = job.units
    return library.Sequential(
        [
            layers.Input(job.input_shape, dtype="int32"),
            layers.Embedding(job.vocabulary, width),
            layers.Conv1D(filters, WINDOW, activation="relu"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(outputs, activation=job.task.activation),
        ]
    )


def first_params(job: Job, generator: np.random.Generator) -> Any:
    """Return vectors, kernels and biases."""
    from benchmarks.networks import by_hand

    width, filters, outputs = job.units
    kernel = by_hand.glorot(generator, WINDOW, width, filters)
    return {
        "vectors": by_hand.table(generator, job.vocabulary, width),
        "convolution": (kernel, np.zeros(filters, "float32")),
        "dense": by_hand.dense(generator, filters, outputs),
    }


def outputs(job: Job, params: Any, inputs: Any, key: Any) -> list[Any]:
    """Return the logits."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    from benchmarks.networks.by_hand import affine, rows_of

    (words,) = inputs
    kernel, bias = params["convolution"]
    values = lax.conv_general_dilated(
        rows_of(params["vectors"], words), kernel, (1,), "VALID",
        dimension_numbers=("NWC", "WIO", "NWC"),
    )  # fmt: skip
    return [affine(jnp.max(jax.nn.relu(values + bias), axis=1), params["dense"])]


def torch_module(job: Job) -> Any:
    """Return the network of PyTorch."""
    import torch
    from torch import nn

    from benchmarks.networks.by_torch import as_keras_begins, embedding, linear

    class TextConvolution(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            width, filters, outputs = job.units
            self.embedding = embedding(job.vocabulary, width)
            self.convolution = as_keras_begins(nn.Conv1d(width, filters, WINDOW))
            self.dense = linear(filters, outputs)

        def forward(self, words: torch.Tensor) -> torch.Tensor:
            values = self.convolution(self.embedding(words).transpose(1, 2))
            return self.dense(torch.relu(values).amax(dim=2))

    return TextConvolution()
