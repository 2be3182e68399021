"""Vectors of words that attend to one another, added and normalized, their mean, one output."""

from typing import Any

import numpy as np

from benchmarks.jobs import Job

EPSILON = 1e-3


def model(library: Any, job: Job) -> Any:
    """Return the network by Keras's words."""
    layers = library.layers
    width, heads, outputs = job.units
    words = layers.Input(job.input_shape, dtype="int32")
    vectors = layers.Embedding(job.vocabulary, width)(words)
    attended = layers.MultiHeadAttention(heads, width // heads)(vectors, vectors)
    values = layers.LayerNormalization(epsilon=EPSILON)(layers.Add()([vectors, attended]))
    values = layers.GlobalAveragePooling1D()(values)
    return library.Model(words, layers.Dense(outputs, activation=job.task.activation)(values))


def first_params(job: Job, generator: np.random.Generator) -> Any:
    """Return vectors, kernels and biases."""
    from benchmarks.networks import by_hand

    width, heads, outputs = job.units

    def kernel(*shape: int) -> np.ndarray:
        # Heads and their features are one axis to Keras, as wide as the vectors.
        return by_hand.glorot(generator, width, width).reshape(shape)

    projections = {
        name: (kernel(width, heads, width // heads), np.zeros((heads, width // heads), "float32"))
        for name in ("query", "key", "value")
    }
    return {
        "vectors": by_hand.table(generator, job.vocabulary, width),
        **projections,
        "output": (kernel(heads, width // heads, width), np.zeros(width, "float32")),
        "normalization": (np.ones(width, "float32"), np.zeros(width, "float32")),
        "dense": by_hand.dense(generator, width, outputs),
    }


def outputs(job: Job, params: Any, inputs: Any, key: Any) -> list[Any]:
    """Return the logits."""
    import jax
    import jax.numpy as jnp

    from benchmarks.networks.by_hand import affine, rows_of

    (words,) = inputs
    width, heads, _ = job.units
    vectors = rows_of(params["vectors"], words)
    query, key_, value = (
        jnp.einsum("btd,dnh->btnh", vectors, params[name][0]) + params[name][1]
        for name in ("query", "key", "value")
    )
    scores = jnp.einsum("btnh,bsnh->bnts", query, key_) / np.sqrt(width // heads)
    mixed = jnp.einsum("bnts,bsnh->btnh", jax.nn.softmax(scores), value)
    kernel, bias = params["output"]
    values = vectors + jnp.einsum("btnh,nhd->btd", mixed, kernel) + bias
    gamma, beta = params["normalization"]
    mean, variance = values.mean(-1, keepdims=True), values.var(-1, keepdims=True)
    values = (values - mean) * jax.lax.rsqrt(variance + EPSILON) * gamma + beta
    return [affine(values.mean(axis=1), params["dense"])]


def torch_module(job: Job) -> Any:
    """Return the network of PyTorch."""
    import torch
    from torch import nn

    from benchmarks.networks.by_torch import embedding, linear

    class TextAttention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            width, heads, outputs = job.units
            self.embedding = embedding(job.vocabulary, width)
            self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
            # Each projection is drawn by itself in Keras; here they stand in one matrix.
            for part in self.attention.in_proj_weight.data.split(width):
                nn.init.xavier_uniform_(part)
            nn.init.xavier_uniform_(self.attention.out_proj.weight)
            self.normalization = nn.LayerNorm(width, eps=EPSILON)
            self.dense = linear(width, outputs)

        def forward(self, words: torch.Tensor) -> torch.Tensor:
            vectors = self.embedding(words)
            attended, _ = self.attention(vectors, vectors, vectors, need_weights=False)
            return self.dense(self.normalization(vectors + attended).mean(dim=1))

    return TextAttention()
