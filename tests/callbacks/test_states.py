"""States of callbacks: a killed run resumes as if it had not been interrupted."""

import inspect
import pickle
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import callbacks
from fjax.callbacks.stateful import StatefulCallback

EPOCHS = 9


class KilledError(Exception):
    pass


class Kill(callbacks.Callback):
    """Saves all states at the end of an epoch, as a checkpoint would, then kills the run."""

    def __init__(self, epoch, others):
        super().__init__()
        self.epoch, self.others = epoch, others

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.epoch:
            # The history is the last callback, called after this one.
            if epoch not in self.model.history.epoch:
                self.model.history.on_epoch_end(epoch, logs)
            states = [callback.get_state() for callback in (*self.others, self.model.history)]
            self.states = pickle.loads(pickle.dumps(states))
            self.train_state = jax.tree.map(jnp.copy, self.model.train_state)
            raise KilledError


def stopping(folder):
    return callbacks.EarlyStopping("val_loss", patience=3, min_delta=0.02, verbose=1)


# Each run creates its own, as a script does that is started again.
CALLBACKS = {
    "EarlyStopping": stopping,
    "EarlyStopping restores": lambda folder: callbacks.EarlyStopping(
        "val_loss", patience=4, min_delta=0.05, restore_best_weights=True
    ),
    "EarlyStopping baseline": lambda folder: callbacks.EarlyStopping(
        "val_loss", patience=5, baseline=0.01, start_from_epoch=1
    ),
    "ReduceLROnPlateau": lambda folder: callbacks.ReduceLROnPlateau(
        "val_loss", factor=0.5, patience=1, cooldown=2, min_delta=0.05
    ),
    "LearningRateScheduler": lambda folder: callbacks.LearningRateScheduler(
        lambda epoch, rate: rate * 0.9
    ),
    "LivePlot": lambda folder: callbacks.LivePlot(),
    "CSVLogger": lambda folder: callbacks.CSVLogger(folder / "run.csv"),
    "CSVLogger appends": lambda folder: callbacks.CSVLogger(folder / "run.csv", append=True),
    "ModelCheckpoint": lambda folder: callbacks.ModelCheckpoint(
        folder / "best", monitor="val_loss", save_best_only=True
    ),
    "History": lambda folder: callbacks.History(),
    "SwapEMAWeights": lambda folder: callbacks.SwapEMAWeights(),
    "SwapEMAWeights on epoch": lambda folder: callbacks.SwapEMAWeights(swap_on_epoch=True),
    "TerminateOnNaN": lambda folder: callbacks.TerminateOnNaN(),
    "LambdaCallback": lambda folder: callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: 0),
}


def test_every_stateful_callback_is_tested():
    stateful = {
        name
        for name, kind in vars(callbacks).items()
        if inspect.isclass(kind) and issubclass(kind, StatefulCallback)
    }
    assert stateful <= {name.split()[0] for name in CALLBACKS}


# After epoch 3, the first callback has already stopped the run.
@pytest.mark.parametrize("killed", [0, 2, 3])
@pytest.mark.parametrize("name", CALLBACKS)
def test_resumed_run_has_the_same_bits(name, killed, data, make_model, tmp_path, capsys):
    x, y = data
    options = {"batch_size": 16, "validation_data": (x[:8], 1 - y[:8]), "verbose": 0}
    runs, printed, files = [], [], []
    for broken in (False, True):
        folder = tmp_path / str(broken)
        folder.mkdir()
        model, callback = make_model(), CALLBACKS[name](folder)
        if broken:
            kill = Kill(killed, [callback])
            with pytest.raises(KilledError):
                model.fit(x, y, epochs=EPOCHS, callbacks=[callback, kill], **options)
            # Output between the saved state and the kill does not count.
            capsys.readouterr()
            if (folder / "run.csv").exists():
                with open(folder / "run.csv", "a") as file:
                    file.write("7,0.1\n")
            model, callback, history = make_model(7), CALLBACKS[name](folder), callbacks.History()
            for other, state in zip((callback, history), kill.states, strict=True):
                other.set_state(state)
            model.train_state = kill.train_state
            model.fit(
                x, y, epochs=EPOCHS, initial_epoch=killed + 1, callbacks=[callback, history],
                **options,
            )  # fmt: skip
        else:
            history = model.fit(x, y, epochs=EPOCHS, callbacks=[callback], **options)
        runs.append((history.history, history.epoch, model.get_weights()))
        # `LivePlot` prints how long the run took.
        printed.append(re.sub(r"in \d+m?s", "in TIME", capsys.readouterr().out))
        files.append([file.read_bytes() for file in folder.iterdir()])
    jax.tree.map(np.testing.assert_array_equal, *runs)
    assert list(runs[0][0]) == list(runs[1][0])
    assert printed[0] == printed[1]
    assert files[0] == files[1]
    if name == "EarlyStopping":
        assert len(runs[0][1]) < EPOCHS


def test_stopped_run_stays_stopped(data, make_model):
    x, y = data
    options = {"validation_data": (x, 1 - y), "verbose": 0, "batch_size": 16}
    stop, model = stopping(None), make_model()
    model.fit(x, y, epochs=EPOCHS, callbacks=[stop], **options)
    assert stop.stopped_epoch
    again, steps = stopping(None), int(model.train_state.step)
    again.set_state(stop.get_state())
    model.fit(x, y, epochs=EPOCHS, callbacks=[again], **options)
    assert int(model.train_state.step) == steps
    # The next training begins with the first state.
    history = model.fit(x, y, epochs=1, callbacks=[again], **options)
    assert len(history.epoch) == 1


def test_states_are_copies(make_model):
    history = callbacks.History()
    history.on_train_begin()
    history.on_epoch_end(0, {"loss": 1.0})
    state = history.get_state()
    history.on_epoch_end(1, {"loss": 0.5})
    assert state == {"epoch": [0], "history": {"loss": [1.0]}}
    other = callbacks.History()
    other.set_state(state)
    other.on_epoch_end(1, {"loss": 0.5})
    assert state == {"epoch": [0], "history": {"loss": [1.0]}}


def test_state_set_within_a_training_is_not_used_by_the_next():
    history = callbacks.History()
    history.on_train_begin()
    history.set_state({"epoch": [0], "history": {"loss": [1.0]}})
    history.on_epoch_end(1, {"loss": 0.5})
    history.on_train_end()
    assert history.epoch == [0, 1]
    history.on_train_begin()
    assert history.epoch == []


def test_state_of_another_callback_is_refused():
    stop = callbacks.EarlyStopping()
    with pytest.raises(
        ValueError, match=r"takes a state with 'wait', .* received one with 'epoch'"
    ):
        stop.set_state({"epoch": []})
    with pytest.raises(TypeError, match="takes the dict that `get_state` returned"):
        stop.set_state([1])
    plain = callbacks.Callback()
    assert plain.get_state() == {}
    plain.set_state({})
    with pytest.raises(ValueError, match=r"`Callback` has no state, .* 'wait'"):
        plain.set_state({"wait": 1})
