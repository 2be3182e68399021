"""LearningRateScheduler and ReduceLROnPlateau."""

import jax.numpy as jnp
import numpy as np
import pytest

from fjax.callbacks import EarlyStopping, LearningRateScheduler, ReduceLROnPlateau


def test_new_rate_needs_no_recompilation(data, make_model, compilations):
    model = make_model()
    model.fit(*data, verbose=0)
    compilations.clear()
    reduce = ReduceLROnPlateau("loss", patience=1, min_delta=10.0, factor=0.5)
    history = model.fit(*data, epochs=4, verbose=0, callbacks=[reduce])
    assert history.history["learning_rate"] == pytest.approx([0.1, 0.1, 0.05, 0.025])
    assert not any("advance" in name for name in compilations)


@pytest.mark.parametrize(
    "rate", [0.25, np.float32(0.25), np.float64(0.25), np.array(0.25), jnp.float32(0.25)]
)
def test_types_of_rates(rate, data, make_model):
    model = make_model()
    model.fit(*data, verbose=0, callbacks=[LearningRateScheduler(lambda epoch: rate)])
    assert model.optimizer.learning_rate == 0.25
    model.fit(*data, verbose=0, callbacks=[LearningRateScheduler(lambda epoch, lr: 0)])
    assert model.optimizer.learning_rate == 0.0


def test_error_within_schedule(data, make_model):
    def schedule(epoch, rate):
        return rate + "1"

    with pytest.raises(TypeError, match="unsupported operand"):
        make_model().fit(*data, verbose=0, callbacks=[LearningRateScheduler(schedule)])


def test_messages(data, make_model, capsys):
    callbacks = [
        LearningRateScheduler(lambda epoch: 0.5, verbose=1),
        ReduceLROnPlateau("loss", patience=1, min_delta=10.0, verbose=1),
        EarlyStopping("loss", min_delta=10.0, patience=2, verbose=1, restore_best_weights=True),
    ]
    make_model().fit(*data, epochs=9, verbose=0, callbacks=callbacks)
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 1: the learning rate is 0.5.",
        "Epoch 2: the learning rate is 0.5.",
        "Epoch 2: the learning rate is 0.05 from now on.",
        "Epoch 3: the learning rate is 0.5.",
        "Epoch 3: the learning rate is 0.05 from now on.",
        "Epoch 3: stopped early; loss was best in epoch 1.",
        "Restored the weights of epoch 1.",
    ]
