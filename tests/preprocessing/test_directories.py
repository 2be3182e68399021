"""Files of a folder as data sets, compared with Keras's functions that need no TensorFlow."""

import wave

import keras
import numpy as np
import pytest
from keras.src.utils import dataset_utils, image_dataset_utils
from PIL import Image

from fjax import Sequential
from fjax.layers import Dense, Flatten, Rescaling
from fjax.utils import (
    audio_dataset_from_directory,
    image_dataset_from_directory,
    text_dataset_from_directory,
)

CLASSES = ("pear", "apple", "fig")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder of 21 pictures, texts and recordings in three classes."""
    root = tmp_path_factory.mktemp("files")
    generator = np.random.default_rng(0)
    for name in CLASSES:
        inner = root / name / "inner"
        inner.mkdir(parents=True)
        for index in range(7):
            path = (inner if index == 3 else root / name) / f"{index}"
            size = (*generator.integers(5, 30, 2), 3)
            pixels = generator.integers(0, 256, size, dtype=np.uint8)
            Image.fromarray(pixels).save(path.with_suffix(".PNG"))
            path.with_suffix(".txt").write_text(f"{name} ü {index}", "utf-8")
            with wave.open(str(path.with_suffix(".wav")), "wb") as file:
                file.setparams((2, 2, 8000, 0, "NONE", ""))
                file.writeframes(np.full((index + 2, 2), 256 * index, "<i2").tobytes())
    (root / ".hidden").mkdir()
    (root / "notes.txt").write_text("not in a class")
    return root


def index_of_keras(folder, formats, seed, split=None, subset=None, **arguments):
    """Return the paths, labels and class names that Keras reads."""
    arguments = {"labels": "inferred", "class_names": None} | arguments
    paths, labels, names = dataset_utils.index_directory(
        str(folder),
        formats=formats,
        shuffle=seed is not None,
        seed=seed,
        verbose=False,
        **arguments,
    )
    if split:
        paths, labels = dataset_utils.get_training_or_validation_split(paths, labels, split, subset)
    return paths, labels, names


@pytest.mark.parametrize("seed", [None, 7])
@pytest.mark.parametrize("class_names", [None, ["pear", "apple"]])
@pytest.mark.parametrize(
    ("split", "subset"), [(None, None), (0.3, "training"), (0.3, "validation")]
)
def test_files_and_labels_are_those_of_keras(folder, seed, class_names, split, subset):
    paths, labels, names = index_of_keras(
        folder, (".png",), seed, split, subset, class_names=class_names
    )
    dataset = image_dataset_from_directory(
        folder, class_names=class_names, batch_size=None, image_size=(2, 2),
        shuffle=seed is not None, seed=seed, validation_split=split, subset=subset, verbose=False,
    )  # fmt: skip
    assert dataset.file_paths == paths and dataset.class_names == names
    if seed is None:
        assert [int(label) for _, label in dataset] == list(labels)


@pytest.mark.parametrize("labels", [None, list(range(5, 12)) * 3])
def test_given_labels(folder, labels):
    paths, expected, names = index_of_keras(folder, (".png",), 4, labels=labels and list(labels))
    dataset = image_dataset_from_directory(
        folder, labels=labels, image_size=(2, 2), seed=4, verbose=False
    )
    assert dataset.file_paths == paths and dataset.class_names == names
    batch = next(iter(dataset))
    if labels is None:
        assert batch.shape == (21, 2, 2, 3)
    else:
        assert sorted(batch[1]) == sorted(expected)


@pytest.mark.parametrize("color_mode", ["rgb", "rgba", "grayscale"])
@pytest.mark.parametrize("crop", [False, True])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_pictures_are_those_of_keras(folder, color_mode, crop, data_format):
    channels = {"rgb": 3, "rgba": 4, "grayscale": 1}[color_mode]
    dataset = image_dataset_from_directory(
        folder, labels=None, color_mode=color_mode, batch_size=None, image_size=(9, 14),
        shuffle=False, crop_to_aspect_ratio=crop, data_format=data_format, verbose=False,
    )  # fmt: skip
    images = list(dataset.take(3))
    for path, image in zip(dataset.file_paths, images, strict=False):
        expected = image_dataset_utils._load_image_grain(
            path, (9, 14), channels, "bilinear", data_format, crop_to_aspect_ratio=crop
        )
        assert image.dtype == np.float32
        np.testing.assert_allclose(image, expected, atol=2e-3)


@pytest.mark.parametrize(
    ("label_mode", "class_names", "row"),
    [
        ("int", None, np.int32(2)),
        ("categorical", None, np.array([0, 0, 1], "float32")),
        ("binary", ["fig", "pear"], np.array([1], "float32")),
    ],
)
def test_label_modes(folder, label_mode, class_names, row):
    dataset = text_dataset_from_directory(
        folder, label_mode=label_mode, class_names=class_names, shuffle=False, verbose=False
    )
    texts, labels = next(iter(dataset))
    assert texts[-1] == "pear ü 3" and labels.dtype == row.dtype
    np.testing.assert_array_equal(labels[-1], row)


def test_orders_are_those_of_tensorflow(folder):
    # Recorded with Keras 3.15.1 and TensorFlow 2.21: two passes over the training set.
    training, validation = text_dataset_from_directory(
        folder, batch_size=2, seed=3, validation_split=0.3, subset="both", verbose=False
    )
    passes = [[text for texts, _ in training for text in texts] for _ in range(2)]
    recorded = [
        "apple3 pear6 fig6 apple2 fig0 pear0 apple1 pear1 apple6 fig3 pear2 pear5 apple5 fig2 "
        "pear4",
        "apple2 pear2 apple3 pear4 apple6 apple1 apple5 fig3 pear6 pear5 pear1 fig2 pear0 fig0 "
        "fig6",
    ]
    assert [" ".join(text.replace(" ü ", "") for text in texts) for texts in passes] == recorded
    held_out = [text.replace(" ü ", "") for texts, _ in validation for text in texts]
    assert " ".join(held_out) == "fig5 pear3 apple0 fig1 apple4 fig4"


def test_the_same_seed_gives_the_same_passes(folder):
    def passes():
        dataset = text_dataset_from_directory(folder, batch_size=4, seed=1, verbose=False)
        return [[texts.tolist() for texts, _ in dataset] for _ in range(2)]

    first = passes()
    assert first == passes() and first[0] != first[1]


def test_the_seed_of_numpy_is_the_default(folder):
    def paths():
        np.random.seed(5)
        return text_dataset_from_directory(folder, verbose=False).file_paths

    np.random.seed(5)
    seed = np.random.randint(1_000_000)
    assert paths() == paths() == index_of_keras(folder, (".txt",), seed)[0]


def test_messages_are_those_of_keras(folder, capsys):
    keras.config.enable_interactive_logging()
    text_dataset_from_directory(folder, seed=1, validation_split=0.2, subset="training")
    ours = capsys.readouterr().out
    paths, labels, _ = dataset_utils.index_directory(str(folder), "inferred", (".txt",), seed=1)
    dataset_utils.get_training_or_validation_split(paths, labels, 0.2, "training")
    assert (
        ours
        == capsys.readouterr().out
        == ("Found 21 files belonging to 3 classes.\nUsing 17 files for training.\n")
    )


def test_texts_are_cut_to_characters(folder):
    texts = next(
        iter(text_dataset_from_directory(folder, max_length=7, shuffle=False, verbose=False))
    )
    assert texts[0][0] == "apple ü"


def test_recordings(folder):
    dataset = audio_dataset_from_directory(folder, shuffle=False, batch_size=4, verbose=False)
    audio, labels = next(iter(dataset))
    # The file 3 is in the folder `inner`, after the others.
    assert audio.shape == (4, 6, 2) and audio.dtype == np.float32 and labels.tolist() == [0] * 4
    np.testing.assert_array_equal(audio[1, :, 0], np.array([256] * 3 + [0] * 3) / 32768)
    fixed = audio_dataset_from_directory(
        folder, shuffle=False, output_sequence_length=3, sampling_rate=8000, verbose=False
    )
    assert next(iter(fixed))[0].shape == (21, 3, 2)


def test_fit_takes_the_data_set(folder):
    training, validation = image_dataset_from_directory(
        folder, image_size=(4, 4), seed=1, validation_split=0.3, subset="both", verbose=False
    )
    model = Sequential([Rescaling(1 / 255), Flatten(), Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    history = model.fit(training, validation_data=validation, epochs=2, verbose=0).history
    assert len(history["val_loss"]) == 2
    model.fit(training.unbatch().batch(5).cache(), epochs=2, verbose=0)


def test_a_file_that_is_no_picture_is_named(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "broken.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"broken.png is not a picture that Pillow can read"):
        list(image_dataset_from_directory(tmp_path, verbose=False))


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"no recording", "is not a recording in PCM"), (b"", "it is cut off")],
)
def test_a_file_that_is_no_recording_is_named(tmp_path, content, message):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "broken.wav").write_bytes(content)
    with pytest.raises(ValueError, match=f"broken.wav .*{message}"):
        list(audio_dataset_from_directory(tmp_path, verbose=False))


def test_recordings_of_other_widths_and_rates_are_errors(tmp_path):
    (tmp_path / "a").mkdir()
    with wave.open(str(tmp_path / "a" / "a.wav"), "wb") as file:
        file.setparams((1, 1, 8000, 0, "NONE", ""))
        file.writeframes(bytes(4))
    with pytest.raises(ValueError, match=r"a.wav has 8 bits, expected 16"):
        list(audio_dataset_from_directory(tmp_path, verbose=False))


def test_a_text_that_is_not_utf8_is_named(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "a.txt").write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"a.txt is not text in UTF-8"):
        list(text_dataset_from_directory(tmp_path, verbose=False))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": "infered"}, "Did you mean `inferred`"),
        ({"labels": 3}, "a list of one integer per file"),
        ({"labels": [1, 2]}, r"there are 22 files in .*, received 2 labels"),
        ({"labels": None, "class_names": ["pear"]}, "the labels are left out"),
        ({"label_mode": None, "class_names": ["pear"]}, "the labels are left out"),
        ({"labels": [0], "class_names": ["pear"]}, "the labels are given"),
        ({"class_names": ["pear", "kiwi"]}, r"it has \['apple', 'fig', 'pear'\], received"),
        ({"class_names": ["pear", "pear"]}, "each once"),
        ({"label_mode": "integer"}, "`label_mode` must be one of"),
        ({"label_mode": "binary"}, "needs two classes"),
        ({"validation_split": 1.5, "subset": "both"}, r"must be a number in \(0, 1\)"),
        ({"validation_split": 0.2}, "give both `validation_split` and `subset`"),
        ({"subset": "training"}, "give both `validation_split` and `subset`"),
        ({"validation_split": 0.2, "subset": "train"}, "`subset` must be one of"),
        ({"validation_split": 0.2, "subset": "both"}, "needs a `seed`"),
        ({"validation_split": 0.01, "subset": "validation", "seed": 1}, "no files for validation"),
        ({"format": "grain"}, '`format="grain"` is not supported'),
        ({"format": "csv"}, "`format` must be one of 'tf'"),
        ({"batch_size": 0}, "`batch_size` must be an integer of at least 1"),
        ({"max_length": -1}, "`max_length` must be an integer of at least 0"),
    ],
)
def test_mistakes_are_clear_errors(folder, arguments, message):
    with pytest.raises(ValueError, match=message):
        text_dataset_from_directory(folder, verbose=False, **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "not both"),
        ({"image_size": (2, 0)}, "`image_size` must be an integer of at least 1"),
        ({"image_size": "large"}, "`image_size` must be two integers"),
        ({"interpolation": "linear"}, "`interpolation` must be one of"),
        ({"color_mode": "bgr"}, "`color_mode` must be one of"),
    ],
)
def test_mistakes_about_pictures_are_clear_errors(folder, arguments, message):
    with pytest.raises(ValueError, match=message):
        image_dataset_from_directory(folder, verbose=False, **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ragged": True}, "numpy has no ragged arrays"),
        ({"sampling_rate": 0}, "`sampling_rate` must be an integer of at least 1"),
        ({"sampling_rate": 16000}, "has 8000 samples per second, `sampling_rate` is 16000"),
    ],
)
def test_mistakes_about_recordings_are_clear_errors(folder, arguments, message):
    with pytest.raises(ValueError, match=message):
        list(audio_dataset_from_directory(folder, verbose=False, **arguments))


def test_folders_without_classes_or_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere"):
        text_dataset_from_directory(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="has no subfolder"):
        text_dataset_from_directory(tmp_path)
    (tmp_path / "a").mkdir()
    with pytest.raises(
        ValueError, match=r"no files in .*: it has 0 files with the extensions .txt"
    ):
        text_dataset_from_directory(tmp_path, verbose=False)
