"""Populations whose members are divided among eight devices."""

import numpy as np
import pytest

import fjax
from fjax import callbacks, layers
from fjax.distribution import data_parallel, list_devices
from tests.distribution import networks
from tests.distribution.on_eight_devices import assert_same


def replicas(placement, count, make=networks.dense, **options):
    model, x, y, _ = make(placement=placement)
    history = model.fit(
        x, y, batch_size=32, epochs=3, verbose=0, replicas=count, validation_split=0.2, **options
    )
    return model, history, x


def assert_same_replicas(divided, expected):
    (model, history, x), (other, one, _) = divided, expected
    assert_same(history.history, one.history)
    for logs, values in zip(history.replicas, one.replicas, strict=True):
        assert_same(logs, values)
    outputs = model.replicas.predict((x,))
    np.testing.assert_allclose(outputs, other.replicas.predict((x,)), rtol=1e-4, atol=1e-5)


@pytest.mark.thorough
def test_replicas_are_divided_and_those_left_over_are_filled():
    stop = callbacks.EarlyStopping("val_loss", patience=0)
    # Dropout and batch normalization; 11 members are 2 on each of 8 devices, 5 of which are copies.
    divided, expected = (replicas(each, 11, callbacks=[stop]) for each in (data_parallel(), None))
    assert_same_replicas(divided, expected)
    states = divided[0].replicas._runner._states
    kernel = states.params["dense"]["kernel"]
    assert kernel.shape[0] == 16 and kernel.sharding.shard_shape(kernel.shape)[0] == 2
    assert len(kernel.devices()) == 8


def test_sixty_four_members_are_eight_on_each_device():
    model = fjax.Sequential([layers.Input((6,)), layers.Dense(1)], seed=0)
    model.compile("sgd", "mse", placement=data_parallel())
    history = model.fit(networks.data(6), networks.data(1), replicas=64, verbose=0)
    kernel = model.replicas._runner._states.params["dense"]["kernel"]
    assert kernel.sharding.shard_shape(kernel.shape)[0] == 8
    assert len(history.replicas) == 64
    assert len({logs["loss"][-1] for logs in history.replicas}) == 64


@pytest.mark.thorough
@pytest.mark.parametrize(
    "make", [networks.convolution, networks.masked_recurrence, networks.several_outputs]
)
def test_replicas_of_other_networks(make):
    def run(placement):
        model, x, y, _ = make(placement=placement)
        return model.fit(x, y, batch_size=32, epochs=3, verbose=0, replicas=5)

    divided, expected = run(data_parallel(list_devices()[:4])), run(None)
    for logs, values in zip(divided.replicas, expected.replicas, strict=True):
        assert_same(logs, values)


def searched(placement):
    def build(units=4, rate=0.01):
        model = fjax.Sequential([layers.Dense(units, activation="relu"), layers.Dense(1)], seed=0)
        model.compile(fjax.optimizers.Adam(rate), "mse", placement=placement)
        return model

    estimator = fjax.wrappers.SKLearnRegressor(build, epochs=2, random_state=0)
    grid = {"units": [4, 6], "rate": [0.1, 0.03, 0.01]}
    search = fjax.search.GridSearchCV(estimator, grid, cv=2)
    return search.fit(networks.data(6), networks.data(1, seed=1)[:, 0])


@pytest.mark.thorough
def test_searches_are_divided():
    pytest.importorskip("sklearn")
    divided, expected = searched(data_parallel()), searched(None)
    for name, scores in expected.cv_results_.items():
        if name.endswith("score"):
            np.testing.assert_allclose(divided.cv_results_[name], scores, rtol=1e-4, atol=1e-5)
    assert divided.best_params_ == expected.best_params_
    assert divided.best_estimator_.model_.model_parts.placement == data_parallel()
