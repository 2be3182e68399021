"""Convolutional LSTMs compared with Keras: masks, states, flags; and what dropout does."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from fjax import layers
from fjax.core.masking import Masked, strip_masks

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(3, 4, 5, 6, 2)).astype("float32")
STATES = [RANDOM.normal(size=(3, 4, 4, 2)).astype("float32") for _ in range(2)]
MASK = np.array([[1, 1, 0, 1], [1, 0, 0, 1], [1, 1, 1, 1]], bool)
KEY = jax.random.key(0)


def with_equal_weights(**config):
    config = {"filters": 2, "kernel_size": (2, 3), "recurrent_initializer": "he_normal", **config}
    theirs, ours = keras.layers.ConvLSTM2D(**config), layers.ConvLSTM2D(**config)
    theirs.build(X.shape)
    weights = {w.name: RANDOM.uniform(-1, 1, w.shape).astype("float32") for w in theirs.weights}
    for weight in theirs.weights:
        weight.assign(weights[weight.name])
    _, state = ours.init(KEY, X)
    return theirs, ours, weights, state


@pytest.mark.parametrize("config", [
    {"return_state": True},
    {"return_sequences": True, "go_backwards": True, "activation": "relu"},
    {"return_sequences": True, "return_state": True, "unroll": True},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("masked", [False, True])
def test_masks_states_and_flags(config, masked):
    # Keras's other loop takes no masks of images.
    theirs, ours, weights, state = with_equal_weights(**{**config, "unroll": masked})
    mask = {"mask": MASK} if masked else {}
    expected = theirs(X, initial_state=list(map(jnp.asarray, STATES)), **mask)
    values = Masked(jnp.asarray(X), jnp.asarray(MASK)) if masked else X
    outputs, _ = ours.apply(weights, state, values, *STATES)
    found, wanted = jax.tree.leaves(strip_masks(outputs)), jax.tree.leaves(expected)
    assert len(found) == len(wanted)
    for own, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-5, atol=1e-6)


def test_a_stateful_layer_goes_on_where_it_stopped():
    theirs, ours, weights, state = with_equal_weights(stateful=True)
    for _ in range(2):
        outputs, state = ours.apply(weights, state, X)
        np.testing.assert_allclose(outputs, theirs(X), rtol=1e-5, atol=1e-6)


def test_dropout_is_the_same_in_all_steps_and_another_for_each_gate():
    def gate_sums(kernel_size, **rates):
        # The carry is the sum of the candidates, as all gates are open.
        layer = layers.ConvLSTM1D(
            1, kernel_size, activation="linear", recurrent_activation="linear", use_bias=False,
            return_sequences=True, **rates,
        )  # fmt: skip
        inputs = jnp.ones((1, 3, 400, 1))
        params, state = layer.init(KEY, inputs)
        params = jax.tree.map(jnp.ones_like, params)
        return np.asarray(layer.apply(params, state, inputs, key=KEY, training=True)[0])

    # The first output is i * g * o of the inputs, each dropped on its own: 2 ** 3 or 0.
    first = gate_sums(1, dropout=0.5)[0, 0, :, 0]
    values, counts = np.unique(first, return_counts=True)
    np.testing.assert_allclose(values, [0.0, 8.0])
    assert 25 < counts[1] < 80
    # A place that kept all three in the first step keeps them in the next.
    later = gate_sums(1, dropout=0.5)[0, 1, :, 0]
    assert (later[first > 0] > 8.0).all()
    assert (gate_sums(1, recurrent_dropout=0.5)[0, 0] == 1.0).all()


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="`kernel_size` must be one integer of at least 1 or 2"):
        layers.ConvLSTM2D(2, (1, 2, 3))
    with pytest.raises(ValueError, match="cannot both be above 1"):
        layers.ConvLSTM2D(2, 2, strides=2, dilation_rate=2)
    with pytest.raises(ValueError, match=r"sequences of shape \(batch, time, height, width, chan"):
        layers.ConvLSTM2D(2, 2).init(KEY, X[0])
    with pytest.raises(ValueError, match=r"window of \(9, 9\) does not fit"):
        layers.ConvLSTM2D(2, 9).init(KEY, X)
    layer = layers.ConvLSTM2D(2, 2)
    params, state = layer.init(KEY, X)
    with pytest.raises(ValueError, match="needs 2 initial states of shapes"):
        layer.apply(params, state, X, STATES[0])
