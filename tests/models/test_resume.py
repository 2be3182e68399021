"""A run that is kept: killed after any batch, it goes on to the same bits."""

import _thread
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import jax
import numpy as np
import pytest
from fjax.models.run_identity import ChangedRunError

import fjax as keras
from fjax import callbacks, layers
from fjax.saving import ModelFileError

ROWS = np.random.default_rng(0).normal(size=(26, 4)).astype("float32")
LABELS = (ROWS.sum(1) > 0).astype("float32")
# Of 26 rows 20 are trained on: 7 steps an epoch, the last with 2 rows.
STEPS, EPOCHS = 7, 3


def make_model(units=6, seed=1, rate=0.02):
    """Everything that draws, counts or moves."""
    model = keras.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(units, "relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(1, "sigmoid"),
        ],
        seed=seed,
    )
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


class KilledError(Exception):
    pass


class Kill(callbacks.Callback):
    def __init__(self, batch):
        super().__init__()
        self.left = batch

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise KilledError


def listening():
    return [
        callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True),
        callbacks.ReduceLROnPlateau("val_loss", patience=1, cooldown=1, min_delta=0.1),
    ]


def run(folder, *more, model=None, epochs=EPOCHS, save_freq=1, x=ROWS, y=LABELS, **options):
    model = model or make_model()
    backup = callbacks.BackupAndRestore(folder, save_freq=save_freq, delete_checkpoint=False)
    listed = [*listening(), backup, *more]
    options = {"batch_size": 3, "validation_split": 0.2, "verbose": 0, **options}
    model.fit(x, y, epochs=epochs, callbacks=listed, **options)
    return model


def state_of(model):
    held = model.train_state
    held = held._replace(key=jax.random.key_data(held.key), accumulators=())
    return jax.tree.map(np.asarray, held)


def assert_same(one, other):
    jax.tree.map(np.testing.assert_array_equal, state_of(one), state_of(other))
    assert one.history.history == other.history.history
    assert one.history.epoch == other.history.epoch


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    return run(tmp_path_factory.mktemp("unbroken"))


@pytest.mark.parametrize("save_freq", [1, 4, "epoch"])
def test_stopped_after_any_batch_it_goes_on_to_the_same_bits(save_freq, tmp_path, unbroken):
    batches = range(1, STEPS * EPOCHS + 1) if save_freq == 1 else (1, 6, 7, 8, 13, 21)
    for batch in batches:
        folder = tmp_path / str(batch)
        with pytest.raises(KilledError):
            run(folder, Kill(batch), save_freq=save_freq)
        assert_same(run(folder, save_freq=save_freq), unbroken)


def test_stopped_again_and_again(tmp_path, unbroken):
    for batch in (2, 3, 1, 5, 4):
        with pytest.raises(KilledError):
            run(tmp_path, Kill(batch))
    assert_same(run(tmp_path), unbroken)


def test_what_is_complete_is_not_made_again(tmp_path, unbroken):
    run(tmp_path)
    again = run(tmp_path, Kill(1))
    assert_same(again, unbroken)


def test_more_epochs_go_on_from_the_last(tmp_path, unbroken):
    run(tmp_path, epochs=2)
    assert_same(run(tmp_path), unbroken)


def test_without_a_seed_the_kept_weights_are_those_of_the_run(tmp_path):
    with pytest.raises(KilledError):
        run(tmp_path, Kill(9), model=make_model(seed=None))
    first = run(tmp_path, model=make_model(seed=None))
    assert_same(run(tmp_path, model=make_model(seed=None)), first)


def test_fit_resume_keeps_the_run_after_each_epoch(tmp_path):
    for epochs in (1, 3):
        model = make_model()
        model.fit(ROWS, LABELS, epochs=epochs, verbose=0, resume=tmp_path / "run")
        assert len(model.history.epoch) == epochs
    plain = make_model()
    plain.fit(ROWS, LABELS, epochs=3, verbose=0)
    assert_same(model, plain)
    assert sorted(os.listdir(tmp_path / "run")) == [
        ".lock", "run-000000002.fjax", "run-000000003.fjax",
    ]  # fmt: skip


def test_training_that_ends_removes_the_files(tmp_path):
    backup = callbacks.BackupAndRestore(tmp_path)
    make_model().fit(ROWS, LABELS, epochs=2, verbose=0, callbacks=backup)
    assert os.listdir(tmp_path) == [".lock"]


class Batches:
    """An iterable that can be asked again."""

    def __len__(self):
        return 5

    def __getitem__(self, index):
        rows = slice(5 * index, 5 * index + 5)
        return ROWS[rows], LABELS[rows]


def stream():
    while True:
        for index in range(5):
            yield Batches()[index]


@pytest.mark.parametrize("data", [Batches, stream])
def test_iterables_go_on_where_they_were(data, tmp_path):
    def once(folder, *more):
        model = make_model()
        backup = callbacks.BackupAndRestore(folder, save_freq=1, delete_checkpoint=False)
        steps = 4 if data is stream else None
        listed = [backup, *more]
        model.fit(data(), epochs=3, steps_per_epoch=steps, verbose=0, callbacks=listed)
        return model

    unbroken = once(tmp_path / "unbroken")
    for batch in (1, 4, 5, 7, 11):
        with pytest.raises(KilledError):
            once(tmp_path / str(batch), Kill(batch))
        assert_same(once(tmp_path / str(batch)), unbroken)


def test_a_damaged_file_is_told_and_the_one_before_taken(tmp_path, unbroken):
    with pytest.raises(KilledError):
        run(tmp_path, Kill(10))
    newest, before = sorted(tmp_path.glob("run-*.fjax"), reverse=True)
    whole = newest.read_bytes()
    newest.write_bytes(whole[:-100])
    with pytest.warns(UserWarning, match=f"{newest.name}.*goes on from the file before"):
        assert_same(run(tmp_path), unbroken)
    for file in tmp_path.glob("run-*.fjax"):
        file.write_bytes(b"")
    with (
        pytest.warns(UserWarning, match="goes on from the file before"),
        pytest.raises(ModelFileError, match="all run files in this folder are damaged"),
    ):
        run(tmp_path)
    assert before.name


CHANGES = {
    "units": (lambda: {"model": make_model(units=7)}, r"model: .*units` was 6, is 7"),
    "rate": (lambda: {"model": make_model(rate=0.1)}, "learning_rate` was 0.02, is 0.1"),
    "values": (lambda: {"x": ROWS + 1}, r"training data: `arrays\.inputs\.0\.sha256` was"),
    "targets": (lambda: {"y": 1 - LABELS}, r"training data: `arrays\.targets\.sha256` was"),
    "rows": (lambda: {"x": ROWS[:15], "y": LABELS[:15]}, r"training data: `steps` was 7, is 4"),
    "batch size": (lambda: {"batch_size": 4}, "training data: `batch_size` was 3, is 4"),
    "order": (lambda: {"shuffle": False}, "training data: `shuffled` was True, is False"),
    "validation": (lambda: {"validation_data": (ROWS, LABELS), "validation_split": 0.0}, "data"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_run_is_refused(change, tmp_path_factory):
    make, message = CHANGES[change]
    folder = tmp_path_factory.getbasetemp() / "changed"
    if not folder.exists():
        run(folder, epochs=1)
    before = sorted(os.listdir(folder))
    with pytest.raises(ChangedRunError, match=message):
        run(folder, **make())
    assert sorted(os.listdir(folder)) == before


def test_one_writer_alone(tmp_path):
    class Second(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            make_model().fit(ROWS, LABELS, verbose=0, resume=tmp_path)

    with pytest.raises(BlockingIOError, match="another training keeps its run in this folder"):
        make_model().fit(ROWS, LABELS, verbose=0, resume=tmp_path, callbacks=[Second()])


def test_two_places_are_refused(tmp_path):
    backup = callbacks.BackupAndRestore(tmp_path / "a")
    with pytest.raises(ValueError, match=r"to be kept in .*a' and in .*b'"):
        make_model().fit(ROWS, LABELS, verbose=0, callbacks=backup, resume=tmp_path / "b")


def test_what_is_no_folder(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError, match="is a file: name a folder"):
        make_model().fit(ROWS, LABELS, verbose=0, resume=tmp_path / "file")
    with pytest.raises(TypeError, match="`backup_dir` must name a folder, received True"):
        make_model().fit(ROWS, LABELS, verbose=0, resume=True)


def test_how_often_needs_a_number(tmp_path):
    with pytest.raises(ValueError, match="`save_freq` must be an integer of at least 1"):
        callbacks.BackupAndRestore(tmp_path, save_freq="batch")
    backup = callbacks.BackupAndRestore(tmp_path, save_freq=2)
    batches = iter([(ROWS, LABELS)])
    with pytest.raises(ValueError, match="does not tell how many batches"):
        make_model().fit(batches, verbose=0, callbacks=backup)


def test_callbacks_that_come_and_go(tmp_path):
    run(tmp_path, epochs=1)
    with pytest.warns(UserWarning) as told:
        make_model().fit(
            ROWS, LABELS, batch_size=3, epochs=2, validation_split=0.2, verbose=0, resume=tmp_path,
            callbacks=[callbacks.EarlyStopping("val_loss"), callbacks.EarlyStopping("loss")],
        )  # fmt: skip
    messages = [str(warning.message) for warning in told]
    assert any("`EarlyStopping` was not there when the run was kept" in m for m in messages)
    assert any("with `ReduceLROnPlateau`, which is not there" in m for m in messages)


def test_a_disk_that_is_full_is_told_and_the_model_usable(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    model = make_model()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        model.fit(ROWS, LABELS, epochs=3, verbose=0, resume=tmp_path)
    monkeypatch.undo()
    assert os.listdir(tmp_path) == [".lock"]
    model.fit(ROWS, LABELS, epochs=1, verbose=0, resume=tmp_path)


def interrupted(times, folder):
    """Interrupt a kept run at random instants; the model is usable, and the run goes on."""
    random = np.random.default_rng()
    model = make_model()

    def fit(model, epochs):
        backup = callbacks.BackupAndRestore(folder, save_freq=3, delete_checkpoint=False)
        model.fit(ROWS, LABELS, batch_size=3, epochs=epochs, verbose=0, callbacks=backup)

    fit(model, 1)
    # JAX has a hook in the garbage collector, in which an interrupt is lost.
    gc.disable()
    hits = 0
    try:
        for _ in range(times):
            timer = threading.Timer(random.uniform(0.005, 0.15), _thread.interrupt_main)
            try:
                timer.start()
                fit(model, len(model.history.epoch) + 500)
                timer.join()
            except KeyboardInterrupt:
                hits += 1
            assert np.isfinite(model.evaluate(ROWS, LABELS, verbose=0)[0])
            assert np.isfinite(model.predict(ROWS, verbose=0)).all()
    finally:
        gc.enable()
    # Where Python has nobody to raise it to, as in a weak reference's callback, one is lost.
    assert hits > 0.8 * times - 1
    epochs = len(model.history.epoch)
    again = make_model()
    fit(again, epochs + 1)
    assert again.history.epoch[:epochs] == model.history.epoch


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_interrupted_at_random_instants(tmp_path):
    interrupted(5, tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_interrupted_a_hundred_times(tmp_path):
    interrupted(100, tmp_path)


PROGRAM = Path(__file__).with_name("resumed_program.py")


def killed_until_done(folder, delays):
    """Start the program again and again, killed after each delay, and let it end at last."""
    command = [sys.executable, str(PROGRAM), str(folder)]
    for delay in delays:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        # Before it trains there is nothing to hit.
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_killed_at_random_instants(tmp_path):
    expected = killed_until_done(tmp_path / "unbroken", [])
    delays = np.random.default_rng().uniform(0.0, 1.2, size=4)
    assert killed_until_done(tmp_path / "killed", delays) == expected, list(delays)


@pytest.mark.slow
def test_killed_two_hundred_times(tmp_path):
    expected = killed_until_done(tmp_path / "unbroken", [])
    random = np.random.default_rng()
    for number in range(25):
        delays = random.uniform(0.0, 1.5, size=8)
        assert killed_until_done(tmp_path / str(number), delays) == expected, list(delays)
