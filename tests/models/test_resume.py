"""Checkpoints: a run that is killed at any batch resumes, and ends with the same bits."""

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

import fjax as keras
from fjax import callbacks, layers
from fjax.saving import ChangedRunError, ModelFileError

ROWS = np.random.default_rng(0).normal(size=(26, 4)).astype("float32")
LABELS = (ROWS.sum(1) > 0).astype("float32")
# 20 of the 26 rows are for training: 7 steps an epoch, the last with 2 rows.
STEPS, EPOCHS = 7, 3


def make_model(units=6, seed=1, rate=0.02):
    """Return a model with random draws, counters and moving averages."""
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
        self.remaining = batch

    def on_train_batch_end(self, batch, logs=None):
        self.remaining -= 1
        if self.remaining == 0:
            raise KilledError


def stateful_callbacks():
    return [
        callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True),
        callbacks.ReduceLROnPlateau("val_loss", patience=1, cooldown=1, min_delta=0.1),
    ]


def run(folder, *more, model=None, epochs=EPOCHS, save_freq=1, x=ROWS, y=LABELS, **options):
    model = model or make_model()
    backup = callbacks.BackupAndRestore(folder, save_freq=save_freq, delete_checkpoint=False)
    all_callbacks = [*stateful_callbacks(), backup, *more]
    options = {"batch_size": 3, "validation_split": 0.2, "verbose": 0, **options}
    model.fit(x, y, epochs=epochs, callbacks=all_callbacks, **options)
    return model


def state_of(model):
    train_state = model.train_state
    key_data = jax.random.key_data(train_state.key)
    return jax.tree.map(np.asarray, train_state._replace(key=key_data, accumulators=()))


def assert_same_run(model, other):
    jax.tree.map(np.testing.assert_array_equal, state_of(model), state_of(other))
    assert model.history.history == other.history.history
    assert model.history.epoch == other.history.epoch


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return run(tmp_path_factory.mktemp("uninterrupted"))


@pytest.mark.parametrize("save_freq", [1, 4, "epoch"])
def test_a_run_killed_at_any_batch_resumes_exactly(save_freq, tmp_path, uninterrupted):
    batches = range(1, STEPS * EPOCHS + 1) if save_freq == 1 else (1, 6, 7, 8, 13, 21)
    for batch in batches:
        folder = tmp_path / str(batch)
        with pytest.raises(KilledError):
            run(folder, Kill(batch), save_freq=save_freq)
        assert_same_run(run(folder, save_freq=save_freq), uninterrupted)


def test_a_run_killed_repeatedly_resumes_exactly(tmp_path, uninterrupted):
    for batch in (2, 3, 1, 5, 4):
        with pytest.raises(KilledError):
            run(tmp_path, Kill(batch))
    assert_same_run(run(tmp_path), uninterrupted)


def test_a_complete_run_makes_no_further_step(tmp_path, uninterrupted):
    run(tmp_path)
    assert_same_run(run(tmp_path, Kill(1)), uninterrupted)


def test_further_epochs_continue_from_the_last(tmp_path, uninterrupted):
    run(tmp_path, epochs=2)
    assert_same_run(run(tmp_path), uninterrupted)


def test_without_a_seed_the_weights_of_the_checkpoint_are_restored(tmp_path):
    with pytest.raises(KilledError):
        run(tmp_path, Kill(9), model=make_model(seed=None))
    first = run(tmp_path, model=make_model(seed=None))
    assert_same_run(run(tmp_path, model=make_model(seed=None)), first)


def test_fit_with_resume_writes_a_checkpoint_after_each_epoch(tmp_path):
    for epochs in (1, 3):
        model = make_model()
        model.fit(ROWS, LABELS, epochs=epochs, verbose=0, resume=tmp_path / "run")
        assert len(model.history.epoch) == epochs
    plain = make_model()
    plain.fit(ROWS, LABELS, epochs=3, verbose=0)
    assert_same_run(model, plain)
    assert sorted(os.listdir(tmp_path / "run")) == [
        ".lock", "run-000000002.fjax", "run-000000003.fjax",
    ]  # fmt: skip


def test_checkpoints_are_deleted_at_the_end(tmp_path):
    backup = callbacks.BackupAndRestore(tmp_path)
    make_model().fit(ROWS, LABELS, epochs=2, verbose=0, callbacks=backup)
    assert os.listdir(tmp_path) == [".lock"]


class Batches:
    """An iterable that can be iterated repeatedly."""

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
def test_iterables_resume_at_their_batch(data, tmp_path):
    def train(folder, *more):
        model = make_model()
        backup = callbacks.BackupAndRestore(folder, save_freq=1, delete_checkpoint=False)
        steps = 4 if data is stream else None
        model.fit(data(), epochs=3, steps_per_epoch=steps, verbose=0, callbacks=[backup, *more])
        return model

    uninterrupted = train(tmp_path / "uninterrupted")
    for batch in (1, 4, 5, 7, 11):
        with pytest.raises(KilledError):
            train(tmp_path / str(batch), Kill(batch))
        assert_same_run(train(tmp_path / str(batch)), uninterrupted)


def test_a_damaged_checkpoint_is_reported_and_the_one_before_it_restored(tmp_path, uninterrupted):
    with pytest.raises(KilledError):
        run(tmp_path, Kill(10))
    newest, _ = sorted(tmp_path.glob("run-*.fjax"), reverse=True)
    newest.write_bytes(newest.read_bytes()[:-100])
    with pytest.warns(UserWarning, match=f"{newest.name}.*resumes from the checkpoint before it"):
        assert_same_run(run(tmp_path), uninterrupted)
    for file in tmp_path.glob("run-*.fjax"):
        file.write_bytes(b"")
    with (
        pytest.warns(UserWarning, match="resumes from the checkpoint before it"),
        pytest.raises(ModelFileError, match="all checkpoints in this folder are damaged"),
    ):
        run(tmp_path)


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
def test_a_changed_run_is_refused(change, tmp_path_factory):
    make, message = CHANGES[change]
    folder = tmp_path_factory.getbasetemp() / "changed"
    if not folder.exists():
        run(folder, epochs=1)
    before = sorted(os.listdir(folder))
    with pytest.raises(ChangedRunError, match=message):
        run(folder, **make())
    assert sorted(os.listdir(folder)) == before


def test_a_folder_has_one_writer(tmp_path):
    class Second(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            make_model().fit(ROWS, LABELS, verbose=0, resume=tmp_path)

    with pytest.raises(
        BlockingIOError, match="another training writes its checkpoints to this folder"
    ):
        make_model().fit(ROWS, LABELS, verbose=0, resume=tmp_path, callbacks=[Second()])


def test_two_folders_are_refused(tmp_path):
    backup = callbacks.BackupAndRestore(tmp_path / "a")
    with pytest.raises(ValueError, match=r"would be written in .*a' and in .*b'"):
        make_model().fit(ROWS, LABELS, verbose=0, callbacks=backup, resume=tmp_path / "b")


def test_a_path_that_is_not_a_folder_is_an_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError, match="is a file: give the path of a folder"):
        make_model().fit(ROWS, LABELS, verbose=0, resume=tmp_path / "file")
    with pytest.raises(TypeError, match="`backup_dir` must be the path of a folder, received True"):
        make_model().fit(ROWS, LABELS, verbose=0, resume=True)


def test_save_freq_must_be_a_number_within_a_known_epoch(tmp_path):
    with pytest.raises(ValueError, match="`save_freq` must be an integer of at least 1"):
        callbacks.BackupAndRestore(tmp_path, save_freq="batch")
    backup = callbacks.BackupAndRestore(tmp_path, save_freq=2)
    batches = iter([(ROWS, LABELS)])
    with pytest.raises(ValueError, match="does not tell how many batches"):
        make_model().fit(batches, verbose=0, callbacks=backup)


def test_added_and_removed_callbacks_are_reported(tmp_path):
    run(tmp_path, epochs=1)
    with pytest.warns(UserWarning) as warned:
        make_model().fit(
            ROWS, LABELS, batch_size=3, epochs=2, validation_split=0.2, verbose=0, resume=tmp_path,
            callbacks=[callbacks.EarlyStopping("val_loss"), callbacks.EarlyStopping("loss")],
        )  # fmt: skip
    messages = [str(warning.message) for warning in warned]
    assert any("no state for `EarlyStopping`" in m for m in messages)
    assert any("has states for `ReduceLROnPlateau`" in m for m in messages)


def test_a_full_disk_is_an_error_and_leaves_the_model_usable(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    model = make_model()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        model.fit(ROWS, LABELS, epochs=3, verbose=0, resume=tmp_path)
    monkeypatch.undo()
    assert os.listdir(tmp_path) == [".lock"]
    model.fit(ROWS, LABELS, epochs=1, verbose=0, resume=tmp_path)


def interrupt(times, folder):
    """Interrupt a run at random instants; the model stays usable, and the run resumes."""
    random = np.random.default_rng()
    model = make_model()

    def fit(model, epochs):
        backup = callbacks.BackupAndRestore(folder, save_freq=3, delete_checkpoint=False)
        model.fit(ROWS, LABELS, batch_size=3, epochs=epochs, verbose=0, callbacks=backup)

    fit(model, 1)
    # An interrupt within JAX's hook in the garbage collector is lost.
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
    # An interrupt within the callback of a weak reference is lost, too.
    assert hits > 0.8 * times - 1
    epochs = len(model.history.epoch)
    resumed = make_model()
    fit(resumed, epochs + 1)
    assert resumed.history.epoch[:epochs] == model.history.epoch


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_run_interrupted_at_random_instants_resumes(tmp_path):
    interrupt(5, tmp_path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_run_interrupted_a_hundred_times_resumes(tmp_path):
    interrupt(100, tmp_path)


PROGRAM = Path(__file__).with_name("resumed_program.py")


def run_program(folder, delays):
    """Start the program repeatedly, kill it after each delay, and finally let it end."""
    command = [sys.executable, str(PROGRAM), str(folder)]
    for delay in delays:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        # The delay counts from the start of the training.
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return result.stdout.splitlines()[-1]


def test_a_program_killed_at_random_instants_ends_with_the_same_digest(tmp_path):
    expected = run_program(tmp_path / "uninterrupted", [])
    delays = np.random.default_rng().uniform(0.0, 1.2, size=4)
    assert run_program(tmp_path / "killed", delays) == expected, list(delays)


@pytest.mark.slow
def test_a_program_killed_two_hundred_times_ends_with_the_same_digest(tmp_path):
    expected = run_program(tmp_path / "uninterrupted", [])
    random = np.random.default_rng()
    for number in range(25):
        delays = random.uniform(0.0, 1.5, size=8)
        assert run_program(tmp_path / str(number), delays) == expected, list(delays)
