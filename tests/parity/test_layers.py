"""Layers compared with Keras, with the same weights."""

import jax
import keras
import numpy as np
import pytest

from fjax.layers import Dropout, Normalization
from fjax.layers.augmentation.image_layer import ImageLayer
from fjax.layers.random_layer import RandomLayer
from tests.layers.catalogue import CATALOGUE, samples

WITH_KERAS = [entry for entry in CATALOGUE if entry.keras is not None]
DETERMINISTIC = [
    entry for entry in WITH_KERAS
    if not isinstance(entry.layer, RandomLayer | ImageLayer) or not hasattr(entry.layer, "seed")
]  # fmt: skip


def pair(entry):
    """Return a Keras layer with weights, and ours with the same weights."""
    name, config = entry.keras
    theirs = getattr(keras.layers, name)(**config)
    inputs = samples(entry)
    theirs.build(entry.shape)
    random = np.random.default_rng(1)
    if theirs.weights and name != "Normalization":
        theirs.set_weights([random.uniform(0.5, 1.5, w.shape) for w in theirs.weights])
    params, state = entry.layer.init(jax.random.key(0), *inputs)
    own = {weight.name: weight.numpy() for weight in theirs.weights}
    params = {name: own[name] for name in params}
    state = {name: own.get(name, value) for name, value in state.items()}
    return theirs, params, state, inputs


def as_keras_takes(inputs):
    """Return the argument of a Keras layer: a list if there are several inputs."""
    return inputs[0] if len(inputs) == 1 else list(inputs)


@pytest.mark.parametrize("entry", WITH_KERAS, ids=lambda entry: entry.label)
def test_outputs_at_inference(entry):
    theirs, params, state, inputs = pair(entry)

    @jax.jit
    def both(params, state, inputs):
        outputs, _ = entry.layer.apply(params, state, *inputs)
        return outputs, theirs(as_keras_takes(inputs), training=False)

    outputs, expected = both(params, state, inputs)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("entry", DETERMINISTIC, ids=lambda entry: entry.label)
def test_outputs_and_state_in_training(entry):
    theirs, params, state, inputs = pair(entry)
    accepts = {"training": True} if entry.keras[0] == "BatchNormalization" else {}
    expected = theirs(as_keras_takes(inputs), **accepts)
    outputs, state = entry.layer.apply(params, state, *inputs, training=True)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=2e-6)
    after = {weight.name: weight.numpy() for weight in theirs.weights}
    for name in state:
        if name in after:
            np.testing.assert_allclose(state[name], after[name], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("entry", DETERMINISTIC, ids=lambda entry: entry.label)
def test_gradients(entry):
    theirs, params, state, inputs = pair(entry)
    accepts = {"training": True} if entry.keras[0] == "BatchNormalization" else {}
    outputs = theirs(as_keras_takes(inputs), **accepts)
    direction = np.random.default_rng(2).normal(size=outputs.shape)
    trainable = [w.value for w in theirs.trainable_variables]
    fixed = [w.value for w in theirs.non_trainable_variables]

    def their_loss(trainable, inputs):
        outputs, _ = theirs.stateless_call(trainable, fixed, as_keras_takes(inputs), **accepts)
        return (outputs * direction).sum()

    def our_loss(params, inputs):
        outputs, _ = entry.layer.apply(params, state, *inputs, training=True)
        return (outputs * direction).sum()

    @jax.jit
    def both(trainable, params, inputs):
        theirs = jax.grad(their_loss, argnums=(0, 1))(trainable, inputs)
        return theirs, jax.grad(our_loss, argnums=(0, 1))(params, inputs)

    (expected, expected_inputs), (gradients, gradients_inputs) = both(trainable, params, inputs)
    for ours, expected_one in zip(gradients_inputs, expected_inputs, strict=True):
        np.testing.assert_allclose(ours, expected_one, rtol=1e-4, atol=1e-5)
    named = {w.name: g for w, g in zip(theirs.trainable_variables, expected, strict=True)}
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, named[name], rtol=1e-4, atol=1e-5)


def test_dropout_drops_and_scales_as_in_keras():
    inputs = np.ones((200, 100), "float32")
    for rate in (0.1, 0.5, 0.9):
        ours, _ = Dropout(rate).apply({}, {}, inputs, key=jax.random.key(0), training=True)
        theirs = np.asarray(keras.layers.Dropout(rate, seed=0)(inputs, training=True))
        np.testing.assert_allclose(np.unique(ours), np.unique(theirs), rtol=1e-6)
        assert abs((np.asarray(ours) == 0).mean() - rate) < 0.01


def test_adapted_normalization():
    data = np.random.default_rng(0).normal(3.0, 2.0, (100, 4)).astype("float32")
    for axis in (-1, None):
        theirs = keras.layers.Normalization(axis=axis)
        theirs.adapt(data)
        ours = Normalization(axis=axis)
        ours.adapt(data)
        params, state = ours.init(jax.random.key(0), data)
        outputs, _ = ours.apply(params, state, data)
        np.testing.assert_allclose(outputs, theirs(data), rtol=1e-5, atol=1e-5)
