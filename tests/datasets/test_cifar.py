"""CIFAR-10, CIFAR-100 and Boston housing on small files, compared with Keras."""

import io
import pickle
import tarfile

import keras
import numpy as np
import pytest
from keras.src.datasets import boston_housing as keras_boston
from keras.src.datasets import cifar100 as keras_cifar100

from fjax.datasets import boston_housing, cifar10, cifar100


def records(count, labels, seed):
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (count, 3072), dtype=np.uint8)
    numbers = generator.integers(0, 10, (count, labels), dtype=np.uint8)
    return numbers, pixels


def save(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def binary(numbers, pixels):
    return np.hstack([numbers, pixels]).tobytes()


@pytest.mark.parametrize("label_mode", ["fine", "coarse"])
def test_cifar100_is_that_of_keras(folders, monkeypatch, tmp_path, label_mode):
    monkeypatch.setattr(cifar100, "_RECORDS", {"train": 6, "test": 3})
    parts = {"train": records(6, 2, 0), "test": records(3, 2, 1)}
    members = {f"cifar-100-binary/{part}.bin": binary(*parts[part]) for part in parts}
    save(folders[0] / "cifar-100-binary.tar.gz", members)
    (tmp_path / "cifar-100-python").mkdir()
    for part, (numbers, pixels) in parts.items():
        columns = numbers.T.astype(int).tolist()
        content = {b"data": pixels, b"coarse_labels": columns[0], b"fine_labels": columns[1]}
        (tmp_path / "cifar-100-python" / part).write_bytes(pickle.dumps(content, 2))
    monkeypatch.setattr(keras_cifar100, "get_file", lambda *args, **kwargs: str(tmp_path))
    # The archive of Keras was written by Python 2, whose pickles have no `_codecs`.
    from keras.src.datasets import npz_utils

    allowed = npz_utils._ALLOWED_PICKLE_GLOBALS | {("_codecs", "encode")}
    monkeypatch.setattr(npz_utils, "_ALLOWED_PICKLE_GLOBALS", allowed)
    ours = cifar100.load_data(label_mode)
    theirs = keras.datasets.cifar100.load_data(label_mode)
    for (x, y), (expected_x, expected_y) in zip(ours, theirs, strict=True):
        assert x.dtype == expected_x.dtype and y.dtype == expected_y.dtype
        np.testing.assert_array_equal(x, expected_x)
        np.testing.assert_array_equal(y, expected_y)


def test_cifar10(folders, monkeypatch):
    monkeypatch.setattr(cifar10, "_RECORDS", 2)
    parts = [records(2, 1, seed) for seed in range(6)]
    names = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]
    members = {
        f"cifar-10-batches-bin/{name}.bin": binary(*part)
        for name, part in zip(names, parts, strict=True)
    }
    save(folders[0] / "cifar-10-binary.tar.gz", members)
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    assert x_train.shape == (10, 32, 32, 3) and x_test.shape == (2, 32, 32, 3)
    assert x_train.dtype == y_train.dtype == y_test.dtype == np.uint8
    np.testing.assert_array_equal(y_train, np.concatenate([numbers for numbers, _ in parts[:5]]))
    # The red, green and blue channels follow each other in a record.
    red, green, blue = parts[4][1][1].reshape(3, 32, 32)
    np.testing.assert_array_equal(x_train[9], np.dstack([red, green, blue]))
    np.testing.assert_array_equal(y_test, parts[5][0])


def test_other_archives_are_refused(folders, monkeypatch):
    monkeypatch.setattr(cifar10, "_RECORDS", 2)
    path = folders[0] / "cifar-10-binary.tar.gz"
    for write, message in (
        (lambda: path.write_bytes(b"no archive"), "it is not a tar archive"),
        (lambda: save(path, {"other": b""}), "data_batch_1.bin"),
        (
            lambda: save(path, {"cifar-10-batches-bin/data_batch_1.bin": b"short"}),
            "data_batch_1.bin must have 6146 bytes, and has 5",
        ),
    ):
        write()
        with pytest.raises(ValueError, match=rf"cifar-10-binary.tar.gz is not .*{message}"):
            cifar10.load_data()


def test_ten_classes():
    assert len(set(cifar10.CLASS_NAMES)) == 10


@pytest.mark.parametrize("arguments", [{}, {"test_split": 0.1, "seed": 4}])
def test_boston_housing_is_that_of_keras(folders, monkeypatch, arguments):
    path = folders[0] / "boston_housing.npz"
    generator = np.random.default_rng(0)
    np.savez(path, x=generator.uniform(size=(506, 13)), y=generator.uniform(size=506))
    monkeypatch.setattr(keras_boston, "get_file", lambda *args, **kwargs: str(path))
    ours = boston_housing.load_data(**arguments)
    theirs = keras.datasets.boston_housing.load_data(**arguments)
    for part, expected in zip(ours, theirs, strict=True):
        for array, other in zip(part, expected, strict=True):
            np.testing.assert_array_equal(array, other)
    np.savez(path, x=generator.uniform(size=(500, 13)), y=generator.uniform(size=500))
    with pytest.raises(ValueError, match=r"must have shape \(506, 13\)"):
        boston_housing.load_data()


def test_sources():
    for module in (cifar10, cifar100, boston_housing):
        source = module._SOURCE
        assert source.url.startswith("https://") and len(bytes.fromhex(source.checksum)) == 32
