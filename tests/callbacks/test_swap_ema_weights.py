"""Evaluation with the averages of the weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax.callbacks import EarlyStopping, LambdaCallback, SwapEMAWeights
from fjax.layers import Dense, Input


def same(one, two):
    jax.tree.map(np.testing.assert_array_equal, one, two)


def trained(make_model, data, epochs=2):
    """A model whose weights are not its averages, as between two epochs."""
    model, kept = make_model(), []
    keep = LambdaCallback(
        on_epoch_end=lambda epoch, logs: kept.append(jax.tree.map(jnp.copy, model.train_state))
    )
    model.fit(*data, epochs=epochs, verbose=0, callbacks=[keep])
    model.train_state = kept[-1]
    return model


def test_evaluate_and_predict_use_the_averages_and_leave_the_weights(data, make_model):
    model = trained(make_model, data)
    held = jax.tree.map(jnp.copy, model.train_state)
    averaged = make_model()
    averaged.train_state = held._replace(params=held.opt_state.slots["average"])
    swap = SwapEMAWeights()
    expected = averaged.predict(data[0], verbose=0)
    assert not np.array_equal(expected, model.predict(data[0], verbose=0))
    same(model.predict(data[0], verbose=0, callbacks=[swap]), expected)
    same(model.evaluate(*data, verbose=0, callbacks=[swap]), averaged.evaluate(*data, verbose=0))
    same(model.train_state.params, held.params)
    same(model.train_state.opt_state.slots, held.opt_state.slots)


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_training_is_not_changed(swap_on_epoch, data, make_model):
    models = [make_model(), make_model()]
    for model, callbacks in zip(models, ([], [SwapEMAWeights(swap_on_epoch)]), strict=True):
        x, y = data
        model.fit(x, y, validation_data=(x, y), epochs=3, verbose=0, callbacks=callbacks)
    same(*(model.train_state.params for model in models))
    same(*(model.train_state.opt_state for model in models))


def test_an_early_stop_ends_with_the_averages_too(data, make_model):
    ends = []
    for callbacks in ([], [SwapEMAWeights(swap_on_epoch=True)]):
        model = make_model()
        stop = EarlyStopping("loss", min_delta=10.0, patience=1)
        model.fit(*data, epochs=9, verbose=0, callbacks=[*callbacks, stop])
        ends.append(model.train_state.params)
        same(model.train_state.params, model.train_state.opt_state.slots["average"])
    same(*ends)


def test_frozen_layers_have_no_averages_and_stay(data):
    model = fjax.Sequential([Input((4,)), Dense(3, trainable=False), Dense(1)], seed=0)
    model.compile(fjax.optimizers.SGD(0.1, use_ema=True), "mse")
    before = model.get_weights()
    x, y = data
    for _ in range(2):
        model.fit(
            x, y, validation_data=(x, y), epochs=2, verbose=0, callbacks=[SwapEMAWeights(True)]
        )
    same(model.get_weights()[:2], before[:2])


def test_a_run_that_broke_while_the_averages_were_in_place(data, make_model):
    model, swap = make_model(), SwapEMAWeights()
    x, y = data

    def fail(batch, logs):
        raise ZeroDivisionError

    fails = LambdaCallback(on_test_batch_end=fail)
    with pytest.raises(ZeroDivisionError):
        model.fit(x, y, validation_data=(x, y), verbose=0, callbacks=[swap, fails])
    model.fit(x, y, validation_data=(x, y), verbose=0, callbacks=[swap])
    assert swap.weights is None


def test_a_state_stays_valid_when_training_goes_on(data):
    model = fjax.Sequential([Input((4,)), Dense(3, trainable=False), Dense(1)], seed=0)
    model.compile(fjax.optimizers.SGD(0.1, use_ema=True), "mse")
    swap, states = SwapEMAWeights(swap_on_epoch=True), []
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: states.append(swap.get_state()))
    model.fit(*data, epochs=3, verbose=0, callbacks=[swap, keep])
    # A frozen layer's params are in the state and in the model, whose steps give theirs away.
    assert all(np.isfinite(leaf).all() for state in states for leaf in jax.tree.leaves(state))
    again = SwapEMAWeights(swap_on_epoch=True)
    again.set_state(states[0])
    model.fit(*data, epochs=2, verbose=0, callbacks=[again])
    assert np.isfinite(jax.tree.leaves(states[0])[0]).all()
