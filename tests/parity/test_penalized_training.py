"""Training with regularizers and constraints, compared with Keras."""

import keras
import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)


@pytest.fixture(scope="module")
def california():
    try:
        (x, y), _ = fjax.datasets.california_housing.load_data()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    x, y = x[:3_000], y[:3_000] / 100_000
    x, y = x[~np.isnan(x).any(axis=1)], y[~np.isnan(x).any(axis=1)]
    return ((x - x.mean(axis=0)) / x.std(axis=0)).astype("float32"), y.astype("float32")


def network(library):
    layers, constraints = library.layers, library.constraints
    regularizers = library.regularizers
    return [
        library.Input(shape=(8,)),
        layers.Dense(
            16,
            "tanh",
            kernel_regularizer=regularizers.L1L2(l1=1e-3, l2=2e-3),
            bias_regularizer="l2",
            activity_regularizer=regularizers.L2(1e-2),
            kernel_constraint=constraints.MaxNorm(0.5),
            bias_constraint="non_neg",
        ),
        layers.BatchNormalization(
            momentum=0.9,
            beta_regularizer=regularizers.l1(1e-3),
            gamma_regularizer="l2",
            beta_constraint=constraints.MinMaxNorm(0.0, 0.1, rate=0.5),
            gamma_constraint=constraints.max_norm(3.0),
        ),
        layers.Dense(6, kernel_regularizer="orthogonal_regularizer", bias_constraint="max_norm"),
        layers.ActivityRegularization(l1=1e-3, l2=1e-3),
        layers.Dense(1, kernel_constraint="unit_norm"),
    ]


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_three_epochs_on_california(california, optimizer):
    x, y = california
    keras.utils.set_random_seed(0)
    theirs = keras.Sequential(network(keras))
    ours = fjax.Sequential(network(fjax))
    ours.set_weights(theirs.get_weights())
    histories, evaluations = [], []
    for library, model in ((fjax, ours), (keras, theirs)):
        model.compile(getattr(library.optimizers, optimizer)(0.003), "mse", metrics=["mae"])
        histories.append(
            model.fit(x, y, epochs=3, shuffle=False, verbose=0, validation_split=0.1).history
        )
        evaluations.append(model.evaluate(x, y, batch_size=100, verbose=0, return_dict=True))
    assert list(histories[0]) == list(histories[1])
    for name, values in histories[1].items():
        np.testing.assert_allclose(histories[0][name], values, rtol=1e-5, err_msg=name)
    assert evaluations[0].keys() == evaluations[1].keys()
    for name, value in evaluations[1].items():
        np.testing.assert_allclose(evaluations[0][name], value, rtol=1e-5, err_msg=name)
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)
    # The penalties and constraints had an effect.
    assert evaluations[0]["loss"] > np.square(ours.predict(x, verbose=0)[:, 0] - y).mean() + 0.01
    np.testing.assert_allclose(np.linalg.norm(ours.get_weights()[-2]), 1.0, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(ours.get_weights()[0], axis=0).max(), 0.5, rtol=1e-5)


def test_a_frozen_batch_normalization():
    inputs = np.random.default_rng(0).normal(2.0, 3.0, (6, 3)).astype("float32")
    theirs = keras.layers.BatchNormalization(trainable=False)
    expected = theirs(inputs, training=True)
    ours = fjax.layers.BatchNormalization(trainable=False)
    params, state = {"gamma": np.ones(3), "beta": np.zeros(3)}, {}
    state = {weight.name: weight.numpy() for weight in theirs.weights[2:]}
    outputs, after = ours.apply(params, state, inputs, training=True)
    np.testing.assert_allclose(outputs, expected, rtol=1e-6)
    assert after is state
