"""`add_weight` in `__init__`, as Keras's guide to subclassing writes it, judged by Keras."""

import jax
import keras
import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(48, 5)).astype("float32")
Y = (X @ RANDOM.normal(size=(5, 1))).astype("float32")


def linear(library):
    """The first class of the guide "Making new layers and models via subclassing"."""

    class Linear(library.layers.Layer):
        def __init__(self, units=32, input_dim=32, **kwargs):
            super().__init__(**kwargs)
            self.w = self.add_weight(
                shape=(input_dim, units), initializer="random_normal", trainable=True
            )
            self.b = self.add_weight(shape=(units,), initializer="zeros", trainable=True)

        def call(self, inputs):
            return inputs @ self.w + self.b

    return Linear


def plain(library):
    made = linear(library)
    return library.Sequential([library.Input((5,)), made(4, 5), made(1, 4)])


def penalized(library):
    class Penalized(library.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.scales = [
                self.add_weight(
                    shape=(5,),
                    initializer="ones",
                    regularizer=library.regularizers.L2(0.1),
                    constraint=library.constraints.NonNeg(),
                    name=f"scale_{number}",
                )
                for number in range(2)
            ]

        def call(self, inputs):
            return (inputs * self.scales[0] * self.scales[1] - inputs).sum(-1, keepdims=True)

    return library.Sequential([library.Input((5,)), Penalized()])


def mixed(library):
    """State and trained weights, made in both places, between sublayers."""
    made = linear(library)

    class Mixed(library.layers.Layer):
        def __init__(self, width, **kwargs):
            super().__init__(**kwargs)
            self.inner = made(width, 5)
            self.offset = self.add_weight(shape=(2,), initializer="ones", trainable=False)
            self.gain = self.add_weight(shape=(width,), initializer="ones")
            self.steps = self.add_weight(shape=(), dtype="int32", trainable=False)

        def build(self, input_shape):
            self.shift = self.add_weight(shape=(input_shape[-1],), initializer="zeros")
            self.seen = self.add_weight(shape=(3,), initializer="zeros", trainable=False)
            self.out = library.layers.Dense(1)
            self.inner.build(input_shape)
            self.out.build((None, self.gain.shape[0]))

        def call(self, inputs):
            return self.out(self.inner(inputs + self.shift) * self.gain) + self.offset[0]

    return library.Sequential([library.Input((5,)), Mixed(3)])


def extended(library):
    class Scaled(library.layers.Dense):
        def __init__(self, units, **kwargs):
            super().__init__(units, **kwargs)
            self.gain = self.add_weight(shape=(7,), initializer="ones")

        def call(self, inputs):
            return super().call(inputs) * self.gain[:1]

    return library.Sequential([library.Input((5,)), Scaled(1)])


def tied(library):
    """A sublayer whose weight its owner uses, and which is called after that."""
    made = linear(library)

    class Tied(library.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.code = made(3, 5)
            self.out = library.layers.Dense(1)

        def call(self, inputs):
            return self.out(
                (inputs @ self.code.w) @ keras.ops.transpose(self.code.w) + self.code(inputs)[:, :1]
            )

    return library.Sequential([library.Input((5,)), Tied()])


def model(library):
    made = linear(library)

    class Scaled(library.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.hidden = made(6, 5)
            self.temperature = self.add_weight(shape=(1,), initializer="ones", name="temperature")
            self.count = self.add_weight(shape=(2,), initializer="zeros", trainable=False)
            self.out = library.layers.Dense(1)

        def call(self, inputs):
            return self.out(self.hidden(inputs) / self.temperature) + self.count[0]

    return Scaled()


MODELS = [plain, penalized, mixed, extended, tied, model]


@pytest.mark.parametrize("make", MODELS)
def test_weights_outputs_and_training_are_those_of_keras(make):
    theirs, ours = make(keras), make(fjax)
    theirs(X[:2])
    ours(X[:2])
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
    trained = sum(w.size for w in jax.tree.leaves(ours.train_state.params))
    assert trained == sum(int(np.prod(w.shape)) for w in theirs.trainable_weights)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(X), np.asarray(theirs(X)), rtol=1e-5, atol=1e-5)
    losses = []
    for library, net in ((keras, theirs), (fjax, ours)):
        net.compile(optimizer=library.optimizers.SGD(0.05, momentum=0.9), loss="mse")
        history = net.fit(X, Y, epochs=3, batch_size=16, shuffle=False, verbose=0)
        losses.append(history.history["loss"])
    np.testing.assert_allclose(losses[1], losses[0], rtol=2e-5)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("make", [plain, mixed, model])
def test_a_frozen_layer_keeps_its_weights_as_in_keras(make):
    theirs, ours = make(keras), make(fjax)
    theirs(X[:2])
    ours(X[:2])
    ours.set_weights(theirs.get_weights())
    for library, net in ((keras, theirs), (fjax, ours)):
        net.layers[0].trainable = False
        net.compile(optimizer=library.optimizers.SGD(0.05), loss="mse")
        net.fit(X, Y, batch_size=16, shuffle=False, verbose=0)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def sums(library, call):
    """The second class of the guide: a weight that is not trained."""

    class ComputeSum(library.layers.Layer):
        def __init__(self, input_dim):
            super().__init__()
            self.total = self.add_weight(initializer="zeros", shape=(input_dim,), trainable=False)

    return type("Sum", (ComputeSum,), {"call": call})(2)


def assign_add(self, inputs):
    self.total.assign_add(keras.ops.sum(inputs, axis=0))
    return self.total


def assign(self, inputs):
    self.total = self.total + inputs.sum(axis=0)
    return self.total


def test_a_weight_that_is_not_trained_is_state():
    theirs, ours = sums(keras, assign_add), sums(fjax, assign)
    inputs = np.ones((2, 2), "float32")
    params, state = ours.init(jax.random.key(0), inputs)
    assert params == {} and list(state) == ["total"]
    for _ in range(2):
        outputs, state = ours.apply(params, state, inputs)
        np.testing.assert_array_equal(outputs, np.asarray(theirs(inputs)))
    np.testing.assert_array_equal(state["total"], theirs.get_weights()[0])
