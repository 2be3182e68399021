"""SwapEMAWeights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax.callbacks import EarlyStopping, LambdaCallback, SwapEMAWeights
from fjax.layers import Dense, Input


def assert_same(one, two):
    jax.tree.map(np.testing.assert_array_equal, one, two)


def train_model(make_model, data, epochs=2):
    """Return a model whose weights differ from their averages, as between two epochs."""
    model, states = make_model(), []
    record = LambdaCallback(
        on_epoch_end=lambda epoch, logs: states.append(jax.tree.map(jnp.copy, model.train_state))
    )
    model.fit(*data, epochs=epochs, verbose=0, callbacks=[record])
    model.train_state = states[-1]
    return model


def test_evaluate_and_predict_use_averages(data, make_model):
    model = train_model(make_model, data)
    train_state = jax.tree.map(jnp.copy, model.train_state)
    averaged = make_model()
    averaged.train_state = train_state._replace(params=train_state.opt_state.slots["average"])
    swap = SwapEMAWeights()
    expected = averaged.predict(data[0], verbose=0)
    assert not np.array_equal(expected, model.predict(data[0], verbose=0))
    assert_same(model.predict(data[0], verbose=0, callbacks=[swap]), expected)
    assert_same(
        model.evaluate(*data, verbose=0, callbacks=[swap]), averaged.evaluate(*data, verbose=0)
    )
    assert_same(model.train_state.params, train_state.params)
    assert_same(model.train_state.opt_state.slots, train_state.opt_state.slots)


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_training_is_unchanged(swap_on_epoch, data, make_model):
    models = [make_model(), make_model()]
    for model, callbacks in zip(models, ([], [SwapEMAWeights(swap_on_epoch)]), strict=True):
        x, y = data
        model.fit(x, y, validation_data=(x, y), epochs=3, verbose=0, callbacks=callbacks)
    assert_same(*(model.train_state.params for model in models))
    assert_same(*(model.train_state.opt_state for model in models))


def test_early_stop_ends_with_averages(data, make_model):
    ends = []
    for callbacks in ([], [SwapEMAWeights(swap_on_epoch=True)]):
        model = make_model()
        stop = EarlyStopping("loss", min_delta=10.0, patience=1)
        model.fit(*data, epochs=9, verbose=0, callbacks=[*callbacks, stop])
        ends.append(model.train_state.params)
        assert_same(model.train_state.params, model.train_state.opt_state.slots["average"])
    assert_same(*ends)


def test_frozen_layers_stay(data):
    model = fjax.Sequential([Input((4,)), Dense(3, trainable=False), Dense(1)], seed=0)
    model.compile(fjax.optimizers.SGD(0.1, use_ema=True), "mse")
    before = model.get_weights()
    x, y = data
    for _ in range(2):
        model.fit(
            x, y, validation_data=(x, y), epochs=2, verbose=0, callbacks=[SwapEMAWeights(True)]
        )
    assert_same(model.get_weights()[:2], before[:2])


def test_fit_after_run_failed_during_evaluation(data, make_model):
    model, swap = make_model(), SwapEMAWeights()
    x, y = data

    def fail(batch, logs):
        raise ZeroDivisionError

    fails = LambdaCallback(on_test_batch_end=fail)
    with pytest.raises(ZeroDivisionError):
        model.fit(x, y, validation_data=(x, y), verbose=0, callbacks=[swap, fails])
    model.fit(x, y, validation_data=(x, y), verbose=0, callbacks=[swap])
    assert swap.weights is None


def test_saved_state_is_not_donated(data):
    model = fjax.Sequential([Input((4,)), Dense(3, trainable=False), Dense(1)], seed=0)
    model.compile(fjax.optimizers.SGD(0.1, use_ema=True), "mse")
    swap, states = SwapEMAWeights(swap_on_epoch=True), []
    record = LambdaCallback(on_epoch_end=lambda epoch, logs: states.append(swap.get_state()))
    model.fit(*data, epochs=3, verbose=0, callbacks=[swap, record])
    # The state shares the params of frozen layers with the model, whose steps donate theirs.
    assert all(np.isfinite(leaf).all() for state in states for leaf in jax.tree.leaves(state))
    again = SwapEMAWeights(swap_on_epoch=True)
    again.set_state(states[0])
    model.fit(*data, epochs=2, verbose=0, callbacks=[again])
    assert np.isfinite(jax.tree.leaves(states[0])[0]).all()
