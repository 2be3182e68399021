"""Callbacks of `fit`: hooks, logs, stops, learning rates, printed lines, Ctrl-C."""

import _thread
import threading
import time

import jax
import numpy as np
import pytest

import fjax as keras
from fjax.layers import Dense, Flatten, Input


class Recorder(keras.callbacks.Callback):
    """Record every call of a hook."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def __getattribute__(self, name):
        if name.startswith("on_"):
            return lambda *args: self.calls.append(name)
        return super().__getattribute__(name)


def test_callbacks_do_not_change_a_bit(digits, model):
    x, y = digits
    start = model.train_state
    start = jax.tree.map(lambda leaf: leaf.copy() if hasattr(leaf, "copy") else leaf, start)
    weights = []
    for arguments in (
        {"verbose": 0},
        {"verbose": 1},
        {"verbose": 2},
        {"verbose": 0, "callbacks": [Recorder()]},
    ):
        model.train_state = jax.tree.map(lambda leaf: leaf.copy(), start)
        model.fit(x, y, epochs=2, **arguments)
        weights.append(model.get_weights())
    for other in weights[1:]:
        for a, b in zip(weights[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_hooks_are_called_in_the_order_of_keras(regression):
    model, x, y = regression
    recorder = Recorder()
    model.fit(x, y, batch_size=25, validation_data=(x[:25], y[:25]), verbose=0, callbacks=recorder)
    step = ["on_train_batch_begin", "on_train_batch_end"]
    test = ["on_test_begin", "on_test_batch_begin", "on_test_batch_end", "on_test_end"]
    assert recorder.calls == [
        "on_train_begin", "on_epoch_begin", *step, *step, *test, "on_epoch_end", "on_train_end",
    ]  # fmt: skip
    recorder.calls.clear()
    model.predict(x, batch_size=50, verbose=0, callbacks=[recorder])
    assert recorder.calls == [
        "on_predict_begin", "on_predict_batch_begin", "on_predict_batch_end", "on_predict_end",
    ]  # fmt: skip


def test_older_batch_hooks_get_running_means(digits, model):
    x, y = digits
    values = []

    class Older(keras.callbacks.Callback):
        def on_batch_begin(self, batch, logs=None):
            values.append(batch)

        def on_batch_end(self, batch, logs=None):
            assert set(logs) == {"loss", "accuracy"}
            assert logs.get("nothing") is None
            values.append(logs["loss"])

    history = model.fit(x, y, batch_size=100, verbose=0, callbacks=[Older()])
    assert values[::2] == [0, 1]
    assert values[3] == history.history["loss"][0]


def test_logs_of_a_step_stay_valid_after_the_next(regression):
    model, x, y = regression
    kept = []

    class Keeps(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            kept.append(logs)

    model.fit(x, y, batch_size=10, verbose=0, callbacks=[Keeps()])
    assert all(np.isfinite(logs["loss"]) for logs in kept)


def test_training_can_be_stopped_after_an_epoch_and_after_a_step(regression):
    model, x, y = regression

    class AfterEpoch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 2

    assert len(model.fit(x, y, epochs=9, verbose=0, callbacks=[AfterEpoch()]).epoch) == 3

    class AfterStep(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    before = int(model.train_state.step)
    model.fit(x, y, batch_size=10, epochs=3, verbose=0, callbacks=[AfterStep()])
    assert int(model.train_state.step) == before + 2


def test_a_callback_may_edit_the_train_state(regression):
    model, x, y = regression

    class Zero(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            held = self.model.train_state
            zeros = jax.tree.map(lambda p: p * 0, held.params)
            self.model.train_state = held._replace(params=zeros)

    model.fit(x, y, verbose=0, callbacks=[Zero()])
    assert not any(weight.any() for weight in model.get_weights())


def test_setting_the_learning_rate_does_not_recompile(regression, compilations):
    model, x, y = regression
    model.fit(x, y, verbose=0)
    assert model.optimizer.learning_rate == pytest.approx(0.01)
    compilations.clear()

    class Halve(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.optimizer.learning_rate = 0.5**epoch

    model.fit(x, y, epochs=3, verbose=0, callbacks=[Halve()])
    assert model.optimizer.learning_rate == 0.25
    assert not any("advance" in name for name in compilations)
    with pytest.warns(DeprecationWarning, match="older spelling of `optimizer.learning_rate`"):
        model.optimizer.lr = 0.0
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    np.testing.assert_array_equal(before[0], model.get_weights()[0])


def test_a_schedule_cannot_be_set(regression):
    model, x, y = regression
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    model.compile(keras.optimizers.SGD(schedule), "mse")
    model.fit(x, y, batch_size=10, epochs=2, verbose=0)
    assert model.optimizer.learning_rate == pytest.approx(0.05)
    with pytest.raises(TypeError, match="follows the schedule"):
        model.optimizer.learning_rate = 1.0


def test_callbacks_do_not_cause_another_compilation(digits, compilations):
    x, y = digits
    model = keras.Sequential([Input((8, 8)), Flatten(), Dense(3, "relu"), Dense(10, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=33, epochs=3, verbose=0)
    assert len([name for name in compilations if "advance" in name]) == 1
    model.fit(x, y, batch_size=33, epochs=1, verbose=2, callbacks=[Recorder()])
    model.fit(x, y, batch_size=33, epochs=1, verbose=1)
    assert len([name for name in compilations if "advance" in name]) == 1


def test_without_hooks_logs_are_fetched_once_per_epoch(digits, model, fetches):
    x, y = digits
    model.fit(x, y, verbose=0)
    fetches.clear()
    model.fit(x, y, epochs=1, verbose=0)
    one = len(fetches)
    fetches.clear()
    model.fit(x, y, epochs=3, verbose=0)
    # Each epoch reads its loss and its accuracy; starting a fit reads the key and the epoch.
    assert len(fetches) - one == 2 * 2


def test_ctrl_c_leaves_a_usable_model(digits):
    x, y = digits
    x, y = np.tile(x, (50, 1, 1)), np.tile(y, 50)
    model = keras.Sequential([Input((8, 8)), Flatten(), Dense(64, "relu"), Dense(10, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, verbose=0)
    for delay in (0.05, 0.1, 0.15):
        timer = threading.Thread(target=lambda s=delay: (time.sleep(s), _thread.interrupt_main()))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            model.fit(x, y, epochs=10_000, verbose=1)
        timer.join()
        assert np.isfinite(model.evaluate(x[:50], y[:50], verbose=0))
        before = int(model.train_state.step)
        model.fit(x[:64], y[:64], verbose=0)
        assert int(model.train_state.step) == before + 2


def test_one_line_per_epoch(regression, capsys):
    model, x, y = regression
    model.fit(x, y, epochs=2, verbose=2, validation_data=(x, y))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Epoch 1/2"
    assert lines[1].startswith("2/2 - ")
    assert "/step - loss: " in lines[1]
    assert " - val_loss: " in lines[1]
    model.fit(x, y, verbose=0)
    model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    assert capsys.readouterr().out == ""


def test_batch_logs_can_be_extended(regression):
    model, x, y = regression
    found = []

    class Adds(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            logs["double"] = 2 * logs["loss"]
            found.append(dict(logs))

    model.fit(x, y, verbose=0, callbacks=[Adds()])
    assert found[0]["double"] == 2 * found[0]["loss"]


def test_a_stop_does_not_end_the_validation(regression):
    model, x, y = regression

    class Stops(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

        def on_test_batch_end(self, batch, logs=None):
            pass

    callback = Stops()
    history = model.fit(
        x, y, batch_size=10, epochs=2, validation_data=(x, y), verbose=0, callbacks=[callback]
    )
    whole = model.evaluate(x, y, batch_size=10, verbose=0)
    assert history.history["val_loss"] == pytest.approx([whole], rel=1e-5)
    assert model.evaluate(x, y, batch_size=10, verbose=0, callbacks=[callback]) == whole


def test_outputs_of_a_hook_stay_valid(regression):
    model, x, _ = regression
    kept = []

    class Keeps(keras.callbacks.Callback):
        def on_predict_batch_end(self, batch, logs=None):
            kept.append(logs)

    outputs = model.predict(x, batch_size=10, verbose=0, callbacks=[Keeps()])
    np.testing.assert_array_equal(kept[0]["outputs"][:10], outputs[:10])


def test_a_stop_does_not_reach_the_next_evaluation(regression):
    model, x, y = regression
    model.stop_evaluating = model.stop_predicting = True
    loss = model.evaluate(x, y, batch_size=8, verbose=0)
    assert loss == pytest.approx(
        np.mean((model.predict(x, verbose=0).reshape(y.shape) - y) ** 2), rel=1e-5
    )
