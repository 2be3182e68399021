"""Vectors of words, an LSTM along them, one output."""

from typing import Any

import numpy as np

from benchmarks.jobs import Job


def model(library: Any, job: Job) -> Any:
    """Return the network by Keras's words."""
    layers = library.layers
    width, units, outputs = job.units
    return library.Sequential(
        [
            layers.Input(job.input_shape, dtype="int32"),
            layers.Embedding(job.vocabulary, width),
            layers.LSTM(units),
            layers.Dense(outputs, activation=job.task.activation),
        ]
    )


def first_params(job: Job, generator: np.random.Generator) -> Any:
    """Return vectors, kernels and biases."""
    from benchmarks.networks import by_hand

    width, units, outputs = job.units
    recurrent = np.linalg.qr(generator.standard_normal((4 * units, units)))[0].T
    bias = np.zeros(4 * units, "float32")
    bias[units : 2 * units] = 1
    return {
        "vectors": by_hand.table(generator, job.vocabulary, width),
        "lstm": (by_hand.glorot(generator, width, 4 * units), recurrent.astype("float32"), bias),
        "dense": by_hand.dense(generator, units, outputs),
    }


def outputs(job: Job, params: Any, inputs: Any, key: Any) -> list[Any]:
    """Return the logits."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    from benchmarks.networks.by_hand import affine, rows_of

    (words,) = inputs
    kernel, recurrent_kernel, bias = params["lstm"]
    zeros = jnp.zeros((len(words), recurrent_kernel.shape[0]))

    def step(states: Any, vectors: Any) -> Any:
        hidden, carry = states
        i, f, g, o = jnp.split(vectors @ kernel + hidden @ recurrent_kernel + bias, 4, axis=-1)
        carry = jax.nn.sigmoid(f) * carry + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(carry), carry), None

    vectors = rows_of(params["vectors"], words)
    (hidden, _), _ = lax.scan(step, (zeros, zeros), jnp.swapaxes(vectors, 0, 1))
    return [affine(hidden, params["dense"])]


def torch_module(job: Job) -> Any:
    """Return the network of PyTorch."""
    import torch
    from torch import nn

    from benchmarks.networks.by_torch import embedding, linear

    class TextLSTM(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            width, units, outputs = job.units
            self.embedding = embedding(job.vocabulary, width)
            self.lstm = nn.LSTM(width, units, batch_first=True)
            weights = dict(self.lstm.named_parameters())
            nn.init.xavier_uniform_(weights["weight_ih_l0"])
            nn.init.orthogonal_(weights["weight_hh_l0"])
            for name in ("bias_ih_l0", "bias_hh_l0"):
                nn.init.zeros_(weights[name])
            with torch.no_grad():
                weights["bias_ih_l0"][units : 2 * units] = 1
            self.dense = linear(units, outputs)

        def forward(self, words: torch.Tensor) -> torch.Tensor:
            _, (hidden, _) = self.lstm(self.embedding(words))
            return self.dense(hidden[0])

    return TextLSTM()
