"""Callbacks of one's own and built-in ones: their calls, their logs, what they change."""

from collections.abc import Mapping

import numpy as np
import pytest

pytestmark = pytest.mark.sampled(3, whole=True)


def regression(library, fill, rate=0.1):
    model = library.Sequential([library.Input((8,)), library.layers.Dense(1)])
    fill(model)
    model.compile(library.optimizers.SGD(rate), "mse", metrics=["mae"])
    return model


def test_all_hooks_in_their_order(compare, fill, data):
    x, _ = data

    def program(library):
        seen = []

        def hook(name):
            def method(self, *args, logs=None):
                numbers = [str(arg) for arg in args if isinstance(arg, int)]
                logs = logs or next((arg for arg in args if isinstance(arg, Mapping)), {})
                seen.append((name, *numbers, *sorted(logs)))

            return method

        names = [
            f"on_{what}"
            for mode in ("train", "test", "predict")
            for what in (
                f"{mode}_begin", f"{mode}_end", f"{mode}_batch_begin", f"{mode}_batch_end",
            )
        ] + ["on_epoch_begin", "on_epoch_end"]  # fmt: skip
        recorder = type(
            "Recorder", (library.callbacks.Callback,), {name: hook(name) for name in names}
        )
        model, callback = regression(library, fill), recorder()
        model.fit(x, x[:, :1], batch_size=32, epochs=2, shuffle=False, verbose=0,
                  validation_split=0.5, callbacks=[callback])  # fmt: skip
        model.evaluate(x, x[:, :1], batch_size=64, verbose=0, callbacks=[callback])
        model.predict(x, batch_size=64, verbose=0, callbacks=[callback])
        return [" ".join(call) for call in seen]

    assert len(compare(program)) > 20


def test_stopping_at_the_best_weights(compare, fill, data):
    x, _ = data

    def program(library):
        class StopAtMinimum(library.callbacks.Callback):
            def __init__(self, patience=0):
                super().__init__()
                self.patience = patience
                self.best_weights = None

            def on_train_begin(self, logs=None):
                self.wait, self.stopped_epoch, self.best = 0, 0, np.inf

            def on_epoch_end(self, epoch, logs=None):
                current = logs.get("loss")
                if np.less(current, self.best):
                    self.best, self.wait = current, 0
                    self.best_weights = self.model.get_weights()
                    return
                self.wait += 1
                if self.wait >= self.patience:
                    self.stopped_epoch = epoch
                    self.model.stop_training = True
                    self.model.set_weights(self.best_weights)

        callback, model = StopAtMinimum(), regression(library, fill, rate=4.0)
        history = model.fit(x, x[:, :1], epochs=5, shuffle=False, verbose=0, callbacks=[callback])
        return history.history, callback.stopped_epoch, model.get_weights()

    history, stopped, _ = compare(program)
    assert len(history["loss"]) == stopped + 1 < 5


def test_a_learning_rate_by_epoch(compare, fill, data):
    x, _ = data

    def program(library):
        class Schedule(library.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                rate = float(self.model.optimizer.learning_rate)
                self.model.optimizer.learning_rate = rate * 0.5 if epoch else rate

        model = regression(library, fill)
        history = model.fit(x, x[:, :1], epochs=3, shuffle=False, verbose=0, callbacks=[Schedule()])
        return history.history, float(model.optimizer.learning_rate)

    np.testing.assert_allclose(compare(program)[1], 0.025, rtol=1e-6)


def test_built_in_callbacks(compare, fill, data, tmp_path):
    x, _ = data

    def program(library):
        callbacks = library.callbacks
        best = str(tmp_path / f"{library.__name__}.weights.h5")
        table = tmp_path / f"{library.__name__}.csv"
        model = regression(library, fill)
        history = model.fit(
            x, x[:, :1], epochs=4, shuffle=False, verbose=0, validation_split=0.25,
            callbacks=[
                callbacks.ModelCheckpoint(
                    best, save_best_only=True, save_weights_only=True, monitor="val_loss"
                ),
                callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=1, min_delta=1.0),
                callbacks.EarlyStopping(monitor="val_loss", patience=2),
                callbacks.CSVLogger(str(table)),
                callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None),
            ],
        )  # fmt: skip
        model.load_weights(best)
        rows = table.read_text().splitlines()
        return history.history, model.get_weights(), len(rows), sorted(rows[0].split(","))

    compare(program)
