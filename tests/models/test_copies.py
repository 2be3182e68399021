"""Copies and pickles of models, and `set_seed`."""

import copy
import pickle

import jax
import numpy as np
import pytest

import fjax
from fjax import Sequential
from fjax.layers import BatchNormalization, Dense, Dropout, Input, Normalization

X = np.random.default_rng(0).normal(size=(24, 3)).astype("float32")
Y = X[:, :2]


def fourth_power(y_true, y_pred):
    return ((y_true - y_pred) ** 4).mean(-1)


class Authored(fjax.Model):
    def __init__(self, units=4):
        super().__init__(seed=0)
        self.units = units
        self.hidden, self.last = Dense(units), Dense(2)

    def call(self, inputs):
        return self.last(jax.nn.relu(self.hidden(inputs)))


def sequential():
    model = fjax.Sequential(
        [Input((3,)), Dense(4), BatchNormalization(), Dropout(0.5), Dense(2)], seed=0
    )
    model.compile("adam", "mse", metrics=["mae"])
    return model


def functional():
    inputs = Input((3,))
    model = fjax.Model(inputs, Dense(2)(Dense(4, "relu")(inputs)) + Dense(2)(inputs), seed=0)
    model.compile(fjax.optimizers.SGD(0.01, momentum=0.9), "mse")
    return model


def authored():
    model = Authored()
    model.compile("sgd", fourth_power)
    return model


def frozen():
    model = sequential()
    model.get_layer("dense").trainable = False
    model.compile("adam", "mse")
    return model


def pickle_copy(model):
    return pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("copy_model", [copy.deepcopy, pickle_copy])
@pytest.mark.parametrize("make", [sequential, functional, authored, frozen])
def test_a_copy_continues_exactly_and_shares_nothing(make, copy_model):
    model = make()
    model.fit(X, Y, epochs=2, batch_size=8, verbose=0)
    duplicate, before = copy_model(model), model.get_weights()
    assert (duplicate.predict(X, verbose=0) == model.predict(X, verbose=0)).all()
    history = duplicate.fit(X, Y, epochs=2, batch_size=8, verbose=0).history
    assert all(map(np.array_equal, model.get_weights(), before))
    assert model.fit(X, Y, epochs=2, batch_size=8, verbose=0).history == history
    assert duplicate.history.model is duplicate and duplicate.output_shape == model.output_shape


@pytest.mark.parametrize("copy_model", [copy.deepcopy, pickle_copy])
def test_a_copy_of_a_model_without_weights_draws_the_same(copy_model):
    for model in (fjax.Sequential([Dense(2)], seed=1), sequential()):
        duplicate = copy_model(model)
        for each in (model, duplicate):
            each.compile("sgd", "mse")
            each.fit(X, Y, verbose=0)
        assert all(map(np.array_equal, model.get_weights(), duplicate.get_weights()))


def test_a_copy_compiles_nothing(compilations):
    model = sequential()
    model.fit(X, Y, verbose=0)
    duplicate = pickle_copy(model)
    compilations.clear()
    duplicate.fit(X, Y, verbose=0)
    assert compilations == []


def test_a_copy_has_the_new_optimizer_of_a_recompiled_model():
    model = sequential()
    model.fit(X, Y, verbose=0)
    model.compile("sgd", "mse")
    duplicate = pickle_copy(model)
    assert duplicate.optimizer.learning_rate == pytest.approx(0.01)
    duplicate.fit(X, Y, verbose=0)


@pytest.mark.parametrize("copy_model", [copy.deepcopy, pickle_copy])
def test_copies_of_models_that_share_a_layer_share_it_too(copy_model):
    encoder = fjax.Sequential([Input((3,)), Dense(2)])
    whole = fjax.Sequential([encoder, Dense(3)])
    whole.compile("sgd", "mse")
    before = encoder.get_weights()[0]
    encoder_copy, whole_copy = copy_model((encoder, whole))
    whole_copy.fit(X, X, verbose=0)
    kernel = encoder_copy.get_weights()[0]
    assert (encoder.get_weights()[0] == before).all()
    assert (kernel != before).any()
    assert any(np.array_equal(kernel, weight) for weight in whole_copy.get_weights())


def test_set_seed():
    model = fjax.Sequential([Input((3,)), Dense(2)], seed=1)
    reseeded = fjax.Sequential([Input((3,)), Dense(2)], seed=2)
    reseeded.set_seed(1)
    assert (reseeded.get_weights()[0] == model.get_weights()[0]).all()


def test_set_seed_of_a_model_with_weights():
    model, fresh = sequential(), sequential()
    weights = model.get_weights()
    for each in (model, fresh):
        each.set_seed(7)
    model.set_weights(fresh.get_weights())
    histories = [m.fit(X, Y, epochs=2, batch_size=8, verbose=0).history for m in (model, fresh)]
    assert histories[0] == histories[1]
    assert not np.array_equal(weights[0], fresh.get_weights()[0])
    with pytest.raises(ValueError, match="`set_seed`: `seed` must be an integer"):
        model.set_seed(-1)


@pytest.mark.parametrize("make_copy", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_the_layers_of_a_copy_have_its_weights_before_the_copy_is_used(make_copy):
    model = Sequential([Input((3,)), Dense(4, name="a"), Dense(1, name="b")], seed=0)
    twin = make_copy(with_weights(model))
    part = fjax.Model(twin.inputs, twin.get_layer("a").output, seed=9)
    np.testing.assert_array_equal(part.get_weights()[0], model.get_weights()[0])
    np.testing.assert_array_equal(twin.get_weights()[0], model.get_weights()[0])


def test_a_copy_raises_if_a_layer_was_adapted_again():
    x = np.arange(12.0).reshape(4, 3)
    layer = Normalization()
    layer.adapt(x)
    model = Sequential([Input((3,)), layer, Dense(1)])
    model.predict(x, verbose=0)
    twin = copy.deepcopy(model)
    twin.layers[0].adapt(5 * x)
    with pytest.raises(ValueError, match="was adapted again"):
        twin.predict(x, verbose=0)


def with_weights(model):
    model.predict(np.ones((1, 3)), verbose=0)
    return model


def test_models_share_a_layer_that_is_adapted_after_their_construction():
    x = np.arange(12.0).reshape(4, 3)
    layer = Normalization(name="n")
    inputs = Input((3,))
    first = fjax.Model(inputs, Dense(1)(layer(inputs)))
    layer.adapt(x)
    second = fjax.Model(first.inputs, first.get_layer("n").output)
    first.predict(x, verbose=0)
    second.predict(x, verbose=0)
    changed = [np.full_like(weight, 5) for weight in first.get_layer("n").get_weights()]
    first.get_layer("n").set_weights(changed)
    np.testing.assert_array_equal(second.get_weights()[0], changed[0])
