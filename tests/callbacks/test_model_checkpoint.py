"""`ModelCheckpoint`: when it saves a model, and to which file."""

import os

import numpy as np
import pytest

from fjax.callbacks import ModelCheckpoint
from fjax.models import load_model
from fjax.saving import ModelFileError


class RecordingModel:
    """A model that records the paths to which it is saved."""

    def __init__(self):
        self.saved = []

    def save(self, path):
        self.saved.append(path)

    def save_weights(self, path):
        self.saved.append(f"weights {path}")


def saved_files(losses, **options):
    """Return the files that a training with these validation losses saves."""
    checkpoint = ModelCheckpoint("{epoch}", monitor="val_loss", **options)
    checkpoint.set_model(RecordingModel())
    checkpoint.prepare({"val_loss": "down"})
    checkpoint.on_train_begin()
    for epoch, loss in enumerate(losses):
        checkpoint.on_epoch_begin(epoch)
        checkpoint.on_epoch_end(epoch, {"val_loss": loss})
    return checkpoint.model.saved


LOSSES = [0.5, 0.4, 0.45, 0.4, 0.39, float("nan"), 0.3]


@pytest.mark.parametrize(
    ("options", "files"),
    [
        ({}, "1234567"),
        ({"save_best_only": True}, "1257"),
        ({"save_best_only": True, "mode": "max"}, "1"),
        ({"save_best_only": True, "initial_value_threshold": 0.4}, "57"),
    ],
)
def test_the_same_epochs_are_saved_as_in_keras(options, files, tmp_path):
    keras = pytest.importorskip("keras")
    assert saved_files(LOSSES, **options) == list(files)
    keras_checkpoint = keras.callbacks.ModelCheckpoint(str(tmp_path / "{epoch}.keras"), **options)
    model = RecordingModel()
    model.save = lambda path, overwrite: model.saved.append(path)
    model.optimizer = None
    keras_checkpoint.set_model(model)
    keras_checkpoint.on_train_begin()
    for epoch, loss in enumerate(LOSSES):
        keras_checkpoint.on_epoch_begin(epoch)
        keras_checkpoint.on_epoch_end(epoch, {"val_loss": loss})
    assert [os.path.basename(path).removesuffix(".keras") for path in model.saved] == list(files)


def test_a_training_saves_a_file_after_each_epoch(data, make_model, tmp_path, capsys):
    x, y = data
    model = make_model()
    # Without weight averages, which would replace the weights at the end of the training.
    model.compile("adam", "binary_crossentropy")
    name = str(tmp_path / "m-{epoch:02d}-{val_loss:.3f}.fjax")
    history = model.fit(
        x, y, epochs=2, verbose=0, validation_data=(x, y),
        callbacks=[ModelCheckpoint(name, verbose=1)],
    ).history  # fmt: skip
    files = sorted(os.listdir(tmp_path))
    assert files == [f"m-{n + 1:02d}-{loss:.3f}.fjax" for n, loss in enumerate(history["val_loss"])]
    loaded = load_model(tmp_path / files[-1])
    expected = model.predict(x, verbose=0)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), expected)
    assert "Epoch 2: saved the model to" in capsys.readouterr().out


def test_weights_are_saved_every_few_batches(data, make_model, tmp_path):
    x, y = data
    checkpoint = ModelCheckpoint(tmp_path / "{epoch}-{batch}", save_weights_only=True, save_freq=3)
    model = make_model()
    model.fit(x[:40], y[:40], batch_size=10, epochs=2, verbose=0, callbacks=[checkpoint])
    assert sorted(os.listdir(tmp_path)) == ["1-3", "2-2"]
    make_model().load_weights(tmp_path / "2-2")
    with pytest.raises(ModelFileError, match=r"its 'format' is 'fjax\.weights'"):
        load_model(tmp_path / "2-2")


def test_a_batch_hook_is_defined_only_if_save_freq_counts_batches():
    from fjax.callbacks.callback_list import defines

    assert not defines(ModelCheckpoint("a"), "on_train_batch_end")
    assert defines(ModelCheckpoint("a", save_freq=2), "on_train_batch_end")


INVALID = {
    "save_freq": ({"save_freq": "batch"}, "`save_freq` must be an integer of at least 1"),
    "mode": ({"mode": "best"}, "`mode` must be one of"),
    "save_best_only": ({"save_best_only": "yes"}, "`save_best_only` must be one of"),
    "threshold": ({"initial_value_threshold": "low"}, "`initial_value_threshold` must be a number"),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_arguments_are_refused(case):
    options, message = INVALID[case]
    with pytest.raises(ValueError, match=message):
        ModelCheckpoint("a", **options)


def test_a_name_that_is_not_logged_is_an_error(data, make_model, tmp_path):
    x, y = data
    checkpoint = ModelCheckpoint(str(tmp_path / "{val_los}"))
    with pytest.raises(KeyError, match=r"contains 'val_los'.*Did you mean `val_loss`"):
        make_model().fit(x, y, verbose=0, validation_data=(x, y), callbacks=[checkpoint])
    best = ModelCheckpoint(tmp_path / "a", monitor="val_loss", save_best_only=True)
    with pytest.raises(ValueError, match="monitors 'val_loss', which this run does not log"):
        make_model().fit(x, y, verbose=0, callbacks=[best])
