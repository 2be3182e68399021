"""`ExperimentLogger` with a stand-in, and with the trackers that are installed."""

import numpy as np
import pytest

import fjax
from fjax.callbacks import ExperimentLogger


class Run:
    def __init__(self):
        self.entries = []

    def log(self, logs, step=None):
        self.entries.append((step, logs))


def test_epochs_are_sent(data, make_model):
    run = Run()
    model = make_model()
    fit = {"batch_size": 16, "validation_split": 0.2, "verbose": 0}
    history = model.fit(*data, epochs=2, callbacks=ExperimentLogger(run), **fit).history
    assert [step for step, _ in run.entries] == [2, 4]
    for epoch, (_, logs) in enumerate(run.entries):
        assert logs.pop("epoch") == epoch
        assert logs.pop("epoch/learning_rate") == pytest.approx(0.1)
        assert logs == {f"epoch/{name}": values[epoch] for name, values in history.items()}
    # The steps of another `fit` follow.
    model.fit(*data, epochs=3, initial_epoch=2, callbacks=ExperimentLogger(run), **fit)
    assert run.entries[-1][0] == 6
    assert run.entries[-1][1]["epoch"] == 2


def test_steps_are_sent_if_asked_for(data, make_model):
    run = Run()
    logger = ExperimentLogger(run, update_freq=2)
    make_model().fit(*data, batch_size=8, epochs=1, verbose=0, callbacks=logger)
    assert [step for step, _ in run.entries] == [2, 4, 5]
    assert sorted(run.entries[0][1]) == ["batch/accuracy", "batch/loss"]
    assert all(isinstance(value, float) for value in run.entries[0][1].values())


def test_a_metric_with_several_values_becomes_several_logs():
    run = Run()
    logger = ExperimentLogger(run)
    logger.model = fjax.Sequential([fjax.Input((2,)), fjax.layers.Dense(1)])
    logger.model.compile("sgd", "mse")
    logger.on_epoch_end(0, {"f1": np.array([0.5, 0.25])})
    assert run.entries[0][1].keys() >= {"epoch/f1/0", "epoch/f1/1"}


def test_what_cannot_log_is_refused():
    with pytest.raises(TypeError, match=r"`run` must have a method `log\(logs, step=…\)`"):
        ExperimentLogger("my-project")

    class Other:
        def log(self, logs):
            pass

    with pytest.raises(TypeError, match="must have a method"):
        ExperimentLogger(Other())
    with pytest.raises(ValueError, match="`update_freq` must be"):
        ExperimentLogger(Run(), update_freq=0)


def test_trackio_stores_the_logs(data, make_model, tmp_path, monkeypatch):
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path))
    trackio = pytest.importorskip("trackio", exc_type=ImportError)
    storage = pytest.importorskip("trackio.sqlite_storage")
    run = trackio.init(project="digits", name="first", embed=False)
    history = make_model().fit(*data, epochs=2, verbose=0, callbacks=ExperimentLogger(run)).history
    trackio.finish()
    rows = storage.SQLiteStorage.get_logs("digits", "first")
    assert [row["epoch/loss"] for row in rows] == history["loss"]
    assert [row["epoch"] for row in rows] == [0, 1]
    assert [row["step"] for row in rows] == [2, 4]
