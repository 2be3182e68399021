"""What `CallbackList` sets on callbacks and asks of the loop."""

import jax.numpy as jnp
import numpy as np
import pytest

from fjax.callbacks import Callback, CallbackList, History, ProgbarLogger
from fjax.callbacks.callback_list import defines
from fjax.callbacks.lazy_logs import LazyLogs, to_numbers


class HasNoHooks(Callback):
    """A callback that overrides no hook."""


class HasEpochHook(Callback):
    def on_epoch_end(self, epoch, logs=None):
        pass


class HasBatchHook(Callback):
    def on_batch_end(self, batch, logs=None):
        pass


def test_batch_hooks_need_each_step():
    assert not CallbackList([HasNoHooks(), HasEpochHook()], None).steps("train").needs_each_step
    assert CallbackList([HasBatchHook()], None).steps("train").needs_each_step
    assert not CallbackList([HasBatchHook()], None).steps("test").needs_each_step
    instance_hook = HasNoHooks()
    instance_hook.on_test_batch_end = lambda batch, logs=None: None
    assert CallbackList([instance_hook], None).steps("test").needs_each_step


def test_shows_progress():
    assert CallbackList(None, None, verbose=1).steps("train").shows_progress
    assert not CallbackList(None, None, verbose=2).steps("train").shows_progress
    assert not CallbackList(None, None, verbose=0).steps("train").shows_progress


def test_history_is_appended_unless_given():
    assert isinstance(CallbackList(None, None).history, History)
    history = History()
    callbacks = CallbackList([history], None, verbose=2)
    assert callbacks.history is history
    assert [type(c) for c in callbacks.callbacks] == [History, ProgbarLogger]
    assert CallbackList(callbacks, None).history is history


def test_callbacks_receive_model_and_params():
    model, callback = object(), HasNoHooks()
    CallbackList(callback, model, verbose=0, epochs=3, steps=7)
    assert callback.model is model
    assert callback.params == {"verbose": 0, "epochs": 3, "steps": 7}


def test_init_of_base_class_is_optional():
    class WithoutInit(Callback):
        def __init__(self):
            self.seen = []

    callback = WithoutInit()
    CallbackList([callback], None, epochs=1)
    assert callback.params["epochs"] == 1


def test_defines():
    assert defines(HasBatchHook(), "on_batch_end")
    assert not defines(HasBatchHook(), "on_train_batch_end")
    assert not any(defines(HasNoHooks(), hook) for hook in dir(Callback) if hook.startswith("on_"))


def test_lazy_logs_are_fetched_when_read(fetches):
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


def test_vector_log_stays_vector():
    numbers = to_numbers({"f1_score": jnp.array([0.5, 1.0]), "loss": jnp.float32(2)})
    assert type(numbers["loss"]) is float
    np.testing.assert_array_equal(numbers["f1_score"], [0.5, 1.0])


class Monitors(Callback):
    monitor = "val_los"


def test_monitors_are_checked_against_logs():
    known = {"loss": "down", "val_loss": "down"}
    with pytest.raises(ValueError, match=r"'val_los', .* Did you mean `val_loss`"):
        CallbackList([Monitors()], None).check_monitors(known)
    # The callback before it may add any log.
    CallbackList([HasEpochHook(), Monitors()], None).check_monitors(known)
    with pytest.raises(ValueError, match="monitors 'val_los'"):
        CallbackList([Monitors(), HasEpochHook()], None).check_monitors(known)


def test_history_continues_over_fits():
    history = History()
    for epoch in range(2):
        history.on_train_begin()
        history.on_epoch_end(epoch, {"loss": float(epoch)})
    assert history.history == {"loss": [0.0, 1.0]}
    assert history.epoch == [1]


def test_an_evaluation_without_a_model_has_hooks():
    steps = CallbackList(None, None, 0, epochs=1, steps=1).steps("test")
    assert steps.on_step_end(0, {}) is False
