"""Authored classes that extend a layer of fjax."""

import jax
import jax.numpy as jnp
import numpy as np

from fjax import Layer
from fjax.core import penalty
from fjax.layers import BatchNormalization, Dense, Dropout
from tests.authoring.example_layers import KEY, X, built, close


def test_call_draws_from_its_key_and_extends_a_layer():
    class Noise(Layer):
        def call(self, inputs, key=None, training=False):
            return inputs + jax.random.normal(key, inputs.shape) if training else inputs

    close(Noise().apply({}, {}, X, key=KEY)[0], X)
    close(Noise().apply({}, {}, X, key=KEY, training=True)[0], X + jax.random.normal(KEY, X.shape))

    class MCDropout(Dropout):
        def call(self, inputs, training=False):
            return super().call(inputs, training=True)

    class Three(Dropout):
        def call(self, inputs):
            return jnp.stack([Dropout.call(self, inputs, training=True) for _ in range(3)])

    assert MCDropout(0.5) == MCDropout(0.5) != Dropout(0.5)
    close(
        MCDropout(0.5).apply({}, {}, X, key=KEY)[0],
        Dropout(0.5).apply({}, {}, X, key=KEY, training=True)[0],
    )
    draws = Three(0.5).apply({}, {}, jnp.ones((50, 3)), key=KEY)[0]
    assert not np.allclose(draws[0], draws[1])


def test_an_extended_layer_has_its_weights_state_and_penalties():
    class Doubled(Dense):
        def build(self, input_shape):
            self.gain = self.add_weight((), "ones", regularizer="l2")

        def call(self, inputs):
            return super().call(inputs) * self.gain

    class Norm(BatchNormalization):
        def call(self, inputs, training=False):
            return super().call(inputs, training=training) + 1

    arguments = {
        "kernel_regularizer": "l2",
        "activity_regularizer": "l1",
        "bias_constraint": "non_neg",
    }
    layer, dense = Doubled(2, **arguments), Dense(2, **arguments)
    params, state = built(layer)
    assert list(params) == ["kernel", "bias", "gain"]
    outputs, after = layer.apply(params, state, X)
    expected, own = dense.apply(params, {}, X)
    close(outputs, expected)
    close(penalty(after), penalty(own) + 0.01)
    close(layer.constrain({**params, "bias": jnp.array([-1.0, 1.0])})["bias"], jnp.array([0.0, 1]))
    norm = Norm()
    params, state = built(norm)
    outputs, after = norm.apply(params, state, X, training=True)
    pure, known = BatchNormalization().apply(params, state, X, training=True)
    close((outputs, after), (pure + 1, known))
