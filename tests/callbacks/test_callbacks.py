"""Who listens: what a callback is given, and what the list asks of the loop."""

import jax.numpy as jnp
import numpy as np
import pytest

from fjax.callbacks import Callback, CallbackList, History, ProgbarLogger
from fjax.callbacks.callback_list import defines
from fjax.callbacks.lazy_logs import LazyLogs, to_numbers


class Silent(Callback):
    """Has no hooks."""


class HearsEpochs(Callback):
    def on_epoch_end(self, epoch, logs=None):
        pass


class HearsBatches(Callback):
    def on_batch_end(self, batch, logs=None):
        pass


def test_who_hears_steps():
    assert not CallbackList([Silent(), HearsEpochs()], None).steps("train").needs_each_step
    assert CallbackList([HearsBatches()], None).steps("train").needs_each_step
    assert not CallbackList([HearsBatches()], None).steps("test").needs_each_step
    late = Silent()
    late.on_test_batch_end = lambda batch, logs=None: None
    assert CallbackList([late], None).steps("test").needs_each_step


def test_who_wants_progress():
    assert CallbackList(None, None, verbose=1).steps("train").shows_progress
    assert not CallbackList(None, None, verbose=2).steps("train").shows_progress
    assert not CallbackList(None, None, verbose=0).steps("train").shows_progress


def test_the_list_appends_a_history_and_keeps_the_user_s():
    assert isinstance(CallbackList(None, None).history, History)
    own = History()
    callbacks = CallbackList([own], None, verbose=2)
    assert callbacks.history is own
    assert [type(c) for c in callbacks.callbacks] == [History, ProgbarLogger]
    assert CallbackList(callbacks, None).history is own


def test_each_callback_gets_the_model_and_the_params():
    model, callback = object(), Silent()
    CallbackList(callback, model, verbose=0, epochs=3, steps=7)
    assert callback.model is model
    assert callback.params == {"verbose": 0, "epochs": 3, "steps": 7}


def test_a_callback_need_not_call_the_base_s_init():
    class Own(Callback):
        def __init__(self):
            self.seen = []

    callback = Own()
    CallbackList([callback], None, epochs=1)
    assert callback.params["epochs"] == 1


def test_defines():
    assert defines(HearsBatches(), "on_batch_end")
    assert not defines(HearsBatches(), "on_train_batch_end")
    assert not any(defines(Silent(), hook) for hook in dir(Callback) if hook.startswith("on_"))


def test_lazy_logs_fetch_when_they_are_read(fetches):
    logs = LazyLogs({"loss": jnp.float32(0.5), "accuracy": jnp.float32(1.0)})
    assert list(logs) == ["accuracy", "loss"]
    assert len(logs) == 2
    assert "loss" in logs
    assert fetches == []
    assert logs["loss"] == 0.5
    assert dict(logs) == {"accuracy": 1.0, "loss": 0.5}
    assert f"{logs}" == "{'accuracy': 1.0, 'loss': 0.5}"
    del logs["loss"]
    assert list(logs) == ["accuracy"]


def test_numbers_of_a_vector_stay_a_vector():
    numbers = to_numbers({"f1_score": jnp.array([0.5, 1.0]), "loss": jnp.float32(2)})
    assert type(numbers["loss"]) is float
    np.testing.assert_array_equal(numbers["f1_score"], [0.5, 1.0])


class Monitors(Callback):
    monitor = "val_los"


def test_monitors_are_held_against_the_logs():
    known = {"loss": "down", "val_loss": "down"}
    with pytest.raises(ValueError, match=r"'val_los', .* Did you mean `val_loss`"):
        CallbackList([Monitors()], None).check_monitors(known)
    # A callback before it may add logs of its own.
    CallbackList([HearsEpochs(), Monitors()], None).check_monitors(known)
    with pytest.raises(ValueError, match="monitors 'val_los'"):
        CallbackList([Monitors(), HearsEpochs()], None).check_monitors(known)


def test_the_history_goes_on_over_fits():
    history = History()
    for epoch in range(2):
        history.on_train_begin()
        history.on_epoch_end(epoch, {"loss": float(epoch)})
    assert history.history == {"loss": [0.0, 1.0]}
    assert history.epoch == [1]
