"""Copies and pickles of models, and models that take another seed."""

import copy
import pickle

import jax
import numpy as np
import pytest

import fjax
from fjax.layers import BatchNormalization, Dense, Dropout, Input

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


def stacked():
    model = fjax.Sequential(
        [Input((3,)), Dense(4), BatchNormalization(), Dropout(0.5), Dense(2)], seed=0
    )
    model.compile("adam", "mse", metrics=["mae"])
    return model


def drawn():
    inputs = Input((3,))
    model = fjax.Model(inputs, Dense(2)(Dense(4, "relu")(inputs)) + Dense(2)(inputs), seed=0)
    model.compile(fjax.optimizers.SGD(0.01, momentum=0.9), "mse")
    return model


def authored():
    model = Authored()
    model.compile("sgd", fourth_power)
    return model


def frozen():
    model = stacked()
    model.get_layer("dense").trainable = False
    model.compile("adam", "mse")
    return model


def pickled(model):
    return pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("how", [copy.deepcopy, pickled])
@pytest.mark.parametrize("make", [stacked, drawn, authored, frozen])
def test_a_copy_goes_on_to_the_bit_and_shares_nothing(make, how):
    model = make()
    model.fit(X, Y, epochs=2, batch_size=8, verbose=0)
    twin, before = how(model), model.get_weights()
    assert (twin.predict(X, verbose=0) == model.predict(X, verbose=0)).all()
    history = twin.fit(X, Y, epochs=2, batch_size=8, verbose=0).history
    assert all(map(np.array_equal, model.get_weights(), before))
    assert model.fit(X, Y, epochs=2, batch_size=8, verbose=0).history == history
    assert twin.history.model is twin and twin.output_shape == model.output_shape


@pytest.mark.parametrize("how", [copy.deepcopy, pickled])
def test_a_copy_before_the_weights_are_made(how):
    for model in (fjax.Sequential([Dense(2)], seed=1), stacked()):
        twin = how(model)
        for each in (model, twin):
            each.compile("sgd", "mse")
            each.fit(X, Y, verbose=0)
        assert all(map(np.array_equal, model.get_weights(), twin.get_weights()))


def test_a_copy_runs_the_same_programs(compilations):
    model = stacked()
    model.fit(X, Y, verbose=0)
    twin = pickled(model)
    compilations.clear()
    twin.fit(X, Y, verbose=0)
    assert compilations == []


def test_an_optimizer_that_is_new_is_new_in_the_copy():
    model = stacked()
    model.fit(X, Y, verbose=0)
    model.compile("sgd", "mse")
    twin = pickled(model)
    assert twin.optimizer.learning_rate == pytest.approx(0.01)
    twin.fit(X, Y, verbose=0)


@pytest.mark.parametrize("how", [copy.deepcopy, pickled])
def test_models_that_share_layers_share_them_again(how):
    encoder = fjax.Sequential([Input((3,)), Dense(2)])
    whole = fjax.Sequential([encoder, Dense(3)])
    whole.compile("sgd", "mse")
    before = encoder.get_weights()[0]
    one, other = how((encoder, whole))
    other.fit(X, X, verbose=0)
    assert (encoder.get_weights()[0] == before).all()
    assert (one.get_weights()[0] != before).any()
    assert any(np.array_equal(one.get_weights()[0], weight) for weight in other.get_weights())


def test_another_seed():
    one, other = fjax.Sequential([Input((3,)), Dense(2)], seed=1), stacked()
    twin = fjax.Sequential([Input((3,)), Dense(2)], seed=2)
    twin.set_seed(1)
    assert (twin.get_weights()[0] == one.get_weights()[0]).all()

    fresh = stacked()
    weights = other.get_weights()
    for model in (other, fresh):
        model.set_seed(7)
    other.set_weights(fresh.get_weights())
    histories = [m.fit(X, Y, epochs=2, batch_size=8, verbose=0).history for m in (other, fresh)]
    assert histories[0] == histories[1]
    assert not np.array_equal(weights[0], fresh.get_weights()[0])
    with pytest.raises(ValueError, match="`set_seed`: `seed` must be an integer"):
        other.set_seed(-1)
