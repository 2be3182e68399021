"""`imdb` and `reuters` on small files, compared with Keras."""

import io
import json
import pickle
import zipfile

import keras
import numpy as np
import pytest
from keras.src.datasets import imdb as keras_imdb
from keras.src.datasets import reuters as keras_reuters

from fjax.datasets import files, imdb, reuters
from fjax.datasets.object_arrays import parse_lists


def texts(count, seed=0):
    """Return an object array of lists of word numbers of one, two and four bytes."""
    generator = np.random.default_rng(seed)
    lists = [
        generator.integers(1, 90_000, generator.integers(1, 30)).tolist() for _ in range(count)
    ]
    lists[0] = lists[0] * 100
    array = np.empty(count, object)
    array[:] = [[*words, 7, 70_000] for words in lists]
    return array


def save(path, protocol=None, **arrays):
    """Write an `.npz` file, whose object arrays are pickled with a protocol."""
    if protocol is None:
        np.savez(path, **arrays)
        return
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            file = io.BytesIO()
            if array.dtype == object:
                header = {"descr": "|O", "fortran_order": False, "shape": array.shape}
                np.lib.format.write_array_header_1_0(file, header)
                pickle.dump(array, file, protocol=protocol)
            else:
                np.save(file, array)
            archive.writestr(f"{name}.npy", file.getvalue())


def equal(ours, theirs):
    for (x, y), (expected_x, expected_y) in zip(ours, theirs, strict=True):
        assert x.dtype == expected_x.dtype and x.tolist() == expected_x.tolist()
        np.testing.assert_array_equal(y, expected_y)


@pytest.fixture
def imdb_file(folders, monkeypatch):
    path = folders[0] / "imdb.npz"
    labels = np.arange(30) % 2
    save(path, x_train=texts(30), y_train=labels, x_test=texts(20, 1), y_test=labels[:20])
    monkeypatch.setattr(keras_imdb, "get_file", lambda *args, **kwargs: str(path))
    return path


@pytest.fixture
def reuters_file(folders, monkeypatch):
    path = folders[0] / "reuters.npz"
    save(path, x=texts(40), y=np.arange(40) % 46)
    monkeypatch.setattr(keras_reuters, "get_file", lambda *args, **kwargs: str(path))
    return path


ARGUMENTS = [
    {},
    {"num_words": 5000},
    {"num_words": 5000, "skip_top": 100, "oov_char": None},
    {"maxlen": 20, "seed": 5},
    {"start_char": None},
    {"start_char": None, "index_from": 0, "skip_top": 9},
    {"start_char": 8, "oov_char": 9, "index_from": 20},
]


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_imdb_is_that_of_keras(imdb_file, arguments):
    equal(imdb.load_data(**arguments), keras.datasets.imdb.load_data(**arguments))


@pytest.mark.parametrize("arguments", [*ARGUMENTS, {"test_split": 0.5}, {"test_split": 0}])
def test_reuters_is_that_of_keras(reuters_file, arguments):
    equal(reuters.load_data(**arguments), keras.datasets.reuters.load_data(**arguments))


def test_names_of_topics_are_those_of_keras():
    assert reuters.get_label_names() == keras.datasets.reuters.get_label_names()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_all_protocols_are_read(folders, protocol):
    if protocol == 2:
        # Python 2 wrote bytes as texts; Python 3 calls `_codecs.encode`, which is refused.
        expected = texts(5)
        content = pickle.dumps(expected, 2)
        with pytest.raises(ValueError, match="refers to '_codecs encode', which is refused"):
            parse_lists(content, 5)
        return
    expected = texts(40)
    save(folders[0] / "reuters.npz", protocol, x=expected, y=np.arange(40))
    (x_train, _), (x_test, _) = reuters.load_data(start_char=None, index_from=0, num_words=10**6)
    found = sorted([*x_train.tolist(), *x_test.tolist()])
    assert found == sorted(expected.tolist())


@pytest.mark.parametrize("module", [imdb, reuters])
def test_word_index(module, folders):
    name = f"{module.__name__.rpartition('.')[2]}_word_index.json"
    (folders[0] / name).write_text(json.dumps({"the": 1, "so": 2}))
    assert module.get_word_index() == {"the": 1, "so": 2}
    for content in ("{", "[1]", '{"the": "1"}'):
        (folders[0] / name).write_text(content)
        with pytest.raises(ValueError, match=name):
            module.get_word_index()


@pytest.mark.parametrize("module", [imdb, reuters])
def test_downloads_are_checked(module, folders, monkeypatch):
    monkeypatch.setattr(files, "download", lambda source: json.dumps({"the": 1}).encode())
    assert module.get_word_index() == {"the": 1}
    assert len(list(folders[1].iterdir())) == 1
    for source in (module._SOURCE, module._WORDS):
        assert source.url.startswith("https://storage.googleapis.com/tensorflow/tf-keras-datasets/")
        assert len(bytes.fromhex(source.checksum)) in (16, 32)


class Harmful:
    def __reduce__(self):
        return (print, ("this must not run",))


class Plain:
    pass


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (Harmful(), "refers to '.*print', which is refused"),
        (Plain(), "which is refused"),
        ([1.5], "which is refused"),
        ([b"x"], "is not an array of 1 lists of integers"),
        (["x"], "is not an array of 1 lists of integers"),
        ([True], "is not an array of 1 lists of integers"),
        ((1, 2), "is not an array of 1 lists of integers"),
        ([[1]], "is not an array of 1 lists of integers"),
        ({1: 2}, "which is refused"),
        ([10**20], "which is refused"),
    ],
)
def test_other_objects_are_refused_and_nothing_runs(folders, capsys, item, message):
    array = np.empty(1, object)
    array[0] = item
    save(folders[0] / "reuters.npz", 4, x=array, y=np.arange(1))
    with pytest.raises(ValueError, match=rf"reuters.npz is not the expected .*{message}"):
        reuters.load_data()
    assert not capsys.readouterr().out


def test_damaged_pickles_are_refused():
    array = np.empty(6, object)
    array[:] = [[1, 300, 70_000]] * 6
    content = pickle.dumps(array, 4)
    generator = np.random.default_rng(0)
    assert len(parse_lists(content, 6)) == 6
    for cut in range(len(content)):
        with pytest.raises(ValueError, match="its pickle"):
            parse_lists(content[:cut], 6)
    refused = 0
    for _ in range(500):
        changed = bytearray(content)
        changed[generator.integers(len(content))] = generator.integers(256)
        try:
            lists = parse_lists(bytes(changed), 6)
        except ValueError:
            refused += 1
        else:
            # A changed word, for example.
            assert all(type(word) is int for words in lists for word in words)
    assert 50 < refused < 500


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": texts(3)}, "it lacks 'y.npy'"),
        ({"x": np.arange(3), "y": np.arange(3)}, "an array of lists was expected, found int64"),
        ({"x": texts(3), "y": np.ones(3)}, "an array of integers was expected, found float64"),
    ],
)
def test_other_arrays_are_refused(folders, arrays, message):
    save(folders[0] / "reuters.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        reuters.load_data()


def test_other_files_are_refused(folders):
    (folders[0] / "reuters.npz").write_bytes(b"no archive")
    with pytest.raises(ValueError, match=r"reuters.npz is not the expected `.npz` archive"):
        reuters.load_data()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_words": -1}, "`num_words` must be an integer of at least 0"),
        ({"skip_top": 1.5}, "`skip_top` must be an integer of at least 0"),
        ({"seed": -1}, "`seed` must be an integer from 0"),
        ({"maxlen": 1}, "no text has fewer than 1 words"),
    ],
)
def test_mistakes_are_clear_errors(imdb_file, reuters_file, arguments, message):
    for module in (imdb, reuters):
        with pytest.raises(ValueError, match=message):
            module.load_data(**arguments)
