"""Normalization layers compared with Keras, for random options and with masks."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fjax import layers
from fjax.core.masking import Masked

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(1.0, 2.0, (2, 3, 4, 6)).astype("float32")


def compare(name, config, inputs):
    theirs, ours = getattr(keras.layers, name)(**config), getattr(layers, name)(**config)
    theirs.build(inputs.shape)
    params, state = ours.init(jax.random.key(0), inputs)
    assert [w.name for w in theirs.weights] == list(params)
    values = {w.name: RANDOM.normal(size=w.shape).astype("float32") for w in theirs.weights}
    theirs.set_weights(list(values.values()))
    outputs, _ = ours.apply({name: jnp.asarray(values[name]) for name in params}, state, inputs)
    np.testing.assert_allclose(outputs, theirs(inputs), rtol=1e-4, atol=1e-4)


# All axes have one sign: Keras 3.15.1 confuses the sizes of axes of mixed signs.
AXES = [1, -1, 2, [2, 3], [1, 3], [-1, -2], [3, 1, 2]]
EPSILON = st.sampled_from([1e-3, 1e-6, 0.1])


def normalizations_agree(name, axis, groups, epsilon, center, scale):
    config = {"axis": axis, "epsilon": epsilon, "center": center, "scale": scale}
    if name == "GroupNormalization":
        config["axis"] = -1 if isinstance(axis, list) else axis
        config["groups"] = groups if config["axis"] in (-1, 3) else -1
    if name == "UnitNormalization":
        config = {"axis": axis}
    if name == "RMSNormalization":
        # Keras 3.15.1 fails for other axes.
        config = {"axis": -1, "epsilon": epsilon}
    compare(name, config, X)


options = given(
    name=st.sampled_from(
        ["GroupNormalization", "LayerNormalization", "RMSNormalization", "UnitNormalization"]
    ),
    axis=st.sampled_from(AXES),
    groups=st.sampled_from([1, 2, 3, 6, -1]),
    epsilon=EPSILON,
    center=st.booleans(),
    scale=st.booleans(),
)


@settings(max_examples=8, deadline=None, derandomize=True)
@options
def test_options(**drawn):
    normalizations_agree(**drawn)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@options
def test_many_options(**drawn):
    normalizations_agree(**drawn)


def test_batch_statistics_of_unmasked_steps():
    inputs = X[0]
    mask = np.array([[True, True, False, True], [True, False, False, False], [False] * 4])
    theirs = keras.layers.BatchNormalization()
    theirs.build(inputs.shape)
    ours = layers.BatchNormalization()
    params, state = ours.init(jax.random.key(0), inputs)
    direction = RANDOM.normal(size=inputs.shape)

    def their_loss(inputs):
        trainable = [w.value for w in theirs.trainable_variables]
        fixed = [w.value for w in theirs.non_trainable_variables]
        outputs, after = theirs.stateless_call(
            trainable, fixed, inputs, mask=jnp.asarray(mask), training=True
        )
        return (outputs * direction).sum(), (outputs, after)

    def our_loss(inputs):
        outputs, after = ours.apply(params, state, Masked(inputs, mask), training=True)
        return (outputs.values * direction).sum(), (outputs.values, list(after.values()))

    expected, found = (
        jax.jit(jax.grad(loss, has_aux=True))(inputs) for loss in (their_loss, our_loss)
    )
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("iterations", [1, 3])
def test_spectral_normalization_in_training(iterations):
    inputs = X[0, 0]
    theirs = keras.layers.SpectralNormalization(keras.layers.Dense(3), iterations)
    theirs.build(inputs.shape)
    ours = layers.SpectralNormalization(layers.Dense(3), iterations)
    _, state = ours.init(jax.random.key(0), inputs)
    kernel, bias = (w.numpy() for w in theirs.trainable_variables)
    (vector,) = (w.numpy() for w in theirs.non_trainable_variables)
    params = {"kernel": jnp.asarray(kernel), "bias": jnp.asarray(bias)}
    state = {**state, "vector_u": jnp.asarray(vector)}
    direction = RANDOM.normal(size=(4, 3))

    def their_loss(trainable):
        outputs, after = theirs.stateless_call(trainable, [vector], inputs, training=True)
        return (outputs * direction).sum(), (outputs, after[0])

    def our_loss(params):
        outputs, after = ours.apply(params, state, inputs, training=True)
        return (outputs * direction).sum(), (outputs, after["vector_u"])

    expected, (their_outputs, their_vector) = jax.grad(their_loss, has_aux=True)([kernel, bias])
    found, (outputs, after) = jax.grad(our_loss, has_aux=True)(params)
    np.testing.assert_allclose(outputs, their_outputs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(after, their_vector, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found["bias"], expected[1], rtol=1e-5)
    np.testing.assert_allclose(found["kernel"], expected[0], rtol=1e-3, atol=1e-4)
