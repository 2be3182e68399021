"""Outputs and gradients of layers in a compiled program, compared with numpy in float64.

The expected values are formulas and finite differences. They need no other framework, so these
tests also run where none is installed for a new Python. The batch ends just after a tile of 2**15
rows, where jaxlib 0.10.2 went wrong (jax#39103).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from fjax import layers, losses

pytestmark = pytest.mark.short


class Case(NamedTuple):
    layer: Any
    shape: tuple[int, ...]
    formula: Callable[..., np.ndarray]


def dense(params, inputs):
    return np.tanh(inputs @ params["kernel"] + params["bias"])


def convolution(params, inputs):
    windows = sliding_window_view(inputs, (3, 3), axis=(1, 2))
    return np.einsum("nijcab,abcf->nijf", windows, params["kernel"]) + params["bias"]


def batch_normalization(params, inputs):
    centered = inputs - inputs.mean(axis=0)
    return centered / np.sqrt(inputs.var(axis=0) + 1e-3) * params["gamma"] + params["beta"]


def layer_normalization(params, inputs):
    centered = inputs - inputs.mean(axis=-1, keepdims=True)
    scaled = centered / np.sqrt(inputs.var(axis=-1, keepdims=True) + 1e-3)
    return scaled * params["gamma"] + params["beta"]


def embedding(params, inputs):
    return params["embeddings"][inputs]


def attention(params, inputs):
    query, key, value = (
        np.einsum("btf,fhs->bths", inputs, params[name]["kernel"]) + params[name]["bias"]
        for name in ("query", "key", "value")
    )
    scores = np.exp(np.einsum("bths,buhs->bhtu", query, key) / np.sqrt(query.shape[-1]))
    weights = scores / scores.sum(axis=-1, keepdims=True)
    heads = np.einsum("bhtu,buhs->bths", weights, value)
    output = params["attention_output"]
    return np.einsum("bths,hsf->btf", heads, output["kernel"]) + output["bias"]


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def lstm(params, inputs):
    hidden = cell = np.zeros((len(inputs), len(params["recurrent_kernel"])))
    for entry in np.swapaxes(inputs, 0, 1):
        sums = entry @ params["kernel"] + hidden @ params["recurrent_kernel"] + params["bias"]
        enter, keep, candidate, leave = np.split(sums, 4, axis=-1)
        cell = sigmoid(keep) * cell + sigmoid(enter) * np.tanh(candidate)
        hidden = sigmoid(leave) * np.tanh(cell)
    return hidden


CASES = {
    "Dense": Case(layers.Dense(3, "tanh"), (2**15 + 1, 3), dense),
    "Conv2D": Case(layers.Conv2D(3, 3), (33, 9, 9, 2), convolution),
    "BatchNormalization": Case(layers.BatchNormalization(), (2**15 + 1, 3), batch_normalization),
    "LayerNormalization": Case(layers.LayerNormalization(), (2**15 + 1, 3), layer_normalization),
    "Embedding": Case(layers.Embedding(5, 3), (2**15 + 1,), embedding),
    "MultiHeadAttention": Case(layers.MultiHeadAttention(2, 3), (65, 7, 4), attention),
    "LSTM": Case(layers.LSTM(3), (33, 5, 2), lstm),
}


@pytest.mark.parametrize("name", CASES)
def test_outputs_and_gradients(compiled, name):
    layer, shape, formula = CASES[name]
    rng = np.random.default_rng(0)
    whole = name == "Embedding"
    inputs = rng.integers(0, 5, shape) if whole else rng.normal(size=shape).astype("float32")
    arguments = (inputs, inputs) if name == "MultiHeadAttention" else (inputs,)
    params, state = layer.init(jax.random.key(0), *arguments)
    # Biases and offsets of zero would hide errors.
    params = jax.tree.map(lambda leaf: leaf + 0.1 * rng.normal(size=leaf.shape), params)
    params = jax.tree.map(lambda leaf: leaf.astype("float32"), params)
    wide = jax.tree.map(lambda leaf: np.asarray(leaf, "float64"), params)
    wide_inputs = inputs if whole else inputs.astype("float64")
    expected = formula(wide, wide_inputs)
    factors = rng.normal(size=expected.shape).astype("float32")

    def total(params):
        outputs, _ = layer.apply(params, state, *arguments, training=True)
        return jnp.sum(outputs * factors), outputs

    gradient, outputs = compiled(jax.grad(total, has_aux=True))(params)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)

    def value_at(distance, direction):
        moved = jax.tree.map(lambda leaf, step: leaf + distance * step, wide, direction)
        return np.sum(formula(moved, wide_inputs) * factors)

    length = np.sqrt(sum(np.sum(np.square(leaf)) for leaf in jax.tree.leaves(gradient)))
    for _ in range(3):
        direction = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape), wide)
        slope = (value_at(1e-5, direction) - value_at(-1e-5, direction)) / 2e-5
        products = jax.tree.map(lambda leaf, step: np.sum(leaf * step), gradient, direction)
        np.testing.assert_allclose(sum(jax.tree.leaves(products)), slope, atol=1e-4 * length)


def test_maximum_and_its_gradient(compiled):
    """The first maximum of each window receives the whole gradient."""
    inputs = np.random.default_rng(0).integers(0, 4, (17, 6, 6, 2)).astype("float32")
    layer = layers.MaxPooling2D(2)

    def total(inputs):
        outputs, _ = layer.apply({}, {}, inputs)
        return outputs.sum(), outputs

    gradient, outputs = compiled(jax.grad(total, has_aux=True))(inputs)
    windows = inputs.reshape(17, 3, 2, 3, 2, 2).transpose(0, 1, 3, 5, 2, 4).reshape(-1, 4)
    first = np.eye(4)[windows.argmax(axis=-1)]
    expected = first.reshape(17, 3, 3, 2, 2, 2).transpose(0, 1, 4, 2, 5, 3).reshape(17, 6, 6, 2)
    np.testing.assert_array_equal(outputs.ravel(), windows.max(axis=-1))
    np.testing.assert_array_equal(gradient, expected)


def test_crossentropy_and_its_gradient(compiled):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2**15 + 1, 3)).astype("float32")
    targets = rng.integers(0, 3, len(logits))
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    value, gradient = compiled(jax.value_and_grad(lambda values: loss(targets, values)))(logits)
    odds = np.exp(logits.astype("float64"))
    probabilities = odds / odds.sum(axis=-1, keepdims=True)
    chosen = probabilities[np.arange(len(targets)), targets]
    np.testing.assert_allclose(value, -np.log(chosen).mean(), rtol=1e-5)
    expected = (probabilities - np.eye(3)[targets]) / len(targets)
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-10)
