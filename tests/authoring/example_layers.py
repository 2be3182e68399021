"""Layers as authors write them, and what the tests of this folder do with them."""

import jax
import jax.numpy as jnp
import numpy as np

import fjax
from fjax import Layer
from fjax.layers import BatchNormalization, Dense, Dropout

KEY = jax.random.key(0)
X = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)), "float32")


class Linear(Layer):
    """Written as Keras authors write."""

    def __init__(self, units, activation=None, kernel_constraint=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = fjax.activations.get(activation)
        self.kernel_constraint = fjax.constraints.get(kernel_constraint)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.units), constraint=self.kernel_constraint
        )
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros")
        super().build(input_shape)
        self.built = True

    def call(self, inputs):
        return self.activation(inputs @ self.kernel + self.bias)

    def get_config(self):
        config = super().get_config()
        config.update({"units": self.units, "activation": self.activation.__name__})
        return config


class Block(Layer):
    """Sublayers in an attribute, a list, a dict and a tuple; state; draws; a loss."""

    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)
        self.first = Linear(width, "tanh")
        self.hidden = [Linear(width) for _ in range(2)]
        self.heads = {"left": Dense(width), "right": (Dropout(0.5), BatchNormalization())}
        self.notes = {"seen": []}

    def build(self, input_shape):
        self.passes = self.add_weight(dtype="int32", trainable=False)
        self.mean = self.add_weight((input_shape[-1],), "zeros", trainable=False)
        self.last = Dense(input_shape[-1])

    def call(self, inputs, training=False):
        self.notes["seen"].append(1)
        self.passes = self.passes + 1
        if training:
            self.mean = 0.9 * self.mean + 0.1 * inputs.mean(axis=0)
        hidden = self.first(inputs)
        for layer in self.hidden:
            hidden = layer(hidden)
        dropout, norm = self.heads["right"]
        self.add_loss(0.1 * jnp.mean(hidden**2))
        return inputs + self.last(self.heads["left"](hidden) + norm(dropout(hidden)))


def contents(value):
    """All that an object holds, down to what is compared by identity."""
    if isinstance(value, dict):
        return {key: contents(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [contents(item) for item in value]
    return (id(value), contents(vars(value))) if isinstance(value, Layer) else id(value)


def close(one, other, **tolerance):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), one, other)


def built(layer, *inputs):
    return layer.init(KEY, *(inputs or (X,)))


def layer_of(build=None, call=None, init=None):
    """Return a layer whose methods run these functions of `self`."""

    class Made(Layer):
        def __init__(self):
            super().__init__()
            if init is not None:
                init(self)

        def build(self, input_shape):
            if build is not None:
                build(self)

        def call(self, inputs):
            return inputs if call is None else call(self, inputs)

    return Made()
