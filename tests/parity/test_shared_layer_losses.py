"""The penalties of the outputs of a layer that is called several times, compared with Keras."""

import keras
import numpy as np
import pytest

import fjax

X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")


def regularized(library):
    return library.layers.Dense(
        4,
        kernel_initializer=library.initializers.Constant(0.1),
        kernel_regularizer="l2",
        activity_regularizer=library.regularizers.L2(0.1),
    )


def once(library):
    inputs = library.Input((4,))
    return library.Model(inputs, regularized(library)(inputs))


def twice(library):
    inputs, shared = library.Input((4,)), regularized(library)
    return library.Model(inputs, shared(shared(inputs)))


def nested(library):
    inputs = library.Input((4,))
    return library.Model(inputs, twice(library)(inputs))


def nested_twice(library):
    inputs, inner = library.Input((4,)), once(library)
    return library.Model(inputs, inner(inner(inputs)))


def authored(library):
    class Twice(library.Model):
        def __init__(self):
            super().__init__()
            self.shared = regularized(library)

        def call(self, inputs):
            return self.shared(self.shared(inputs))

    return Twice()


def within_a_layer(library):
    class Twice(library.layers.Layer):
        def __init__(self):
            super().__init__()
            self.shared = regularized(library)

        def call(self, inputs):
            return self.shared(self.shared(inputs))

    inputs = library.Input((4,))
    return library.Model(inputs, Twice()(inputs))


def with_add_loss(library):
    class Mean(library.layers.Layer):
        def call(self, inputs):
            self.add_loss(library.ops.mean(inputs))
            return inputs * 2.0

    inputs, layer = library.Input((4,)), Mean()
    return library.Model(inputs, layer(layer(inputs)))


@pytest.mark.parametrize("make", [twice, nested, nested_twice, authored, with_add_loss])
def test_every_call_counts_in_losses_and_in_evaluate(make):
    ours, theirs = make(fjax), make(keras)
    expected = np.square(np.asarray(theirs(X)) - X).mean() + sum(map(float, theirs.losses))
    ours(X)
    np.testing.assert_allclose(sum(ours.losses), sum(theirs.losses), rtol=1e-5)
    ours.compile("sgd", "mse")
    np.testing.assert_allclose(ours.evaluate(X, X, verbose=0), expected, rtol=1e-5)


@pytest.mark.parametrize("make", [once, nested, within_a_layer])
def test_training_is_that_of_keras(make):
    # On JAX, Keras's training counts all calls only if they are inside a layer of the model.
    histories = []
    for library in (fjax, keras):
        model = make(library)
        model.compile("sgd", "mse")
        fitted = model.fit(X, X, batch_size=4, epochs=2, shuffle=False, verbose=0)
        histories.append(fitted.history["loss"])
    np.testing.assert_allclose(*histories, rtol=1e-5)


@pytest.mark.parametrize("make", [once, twice, within_a_layer])
def test_losses_are_those_of_the_last_call_and_the_weights_as_they_are_now(make):
    totals = []
    for library in (fjax, keras):
        model = make(library)
        totals.append([])
        for inputs in (X, X[:2] * 3.0):
            model(inputs)
            totals[-1].append(float(sum(model.losses)))
        model.set_weights([2.0 * weight for weight in model.get_weights()])
        totals[-1].append(float(sum(model.losses)))
    np.testing.assert_allclose(*totals, rtol=1e-5)


def test_losses_before_a_call_are_those_of_the_weights():
    ours, theirs = twice(fjax), twice(keras)
    np.testing.assert_allclose(sum(ours.losses), sum(theirs.losses), rtol=1e-5)
    ours(X)
    copied = fjax.models.clone_model(ours)
    copied.set_weights(ours.get_weights())
    np.testing.assert_allclose(sum(copied.losses), sum(twice(keras).losses), rtol=1e-5)
