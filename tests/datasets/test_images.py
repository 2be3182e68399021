import gzip
import hashlib

import numpy as np
import pytest

from fjax.datasets import fashion_mnist, files, mnist

MODULES = {"mnist.npz": mnist, "fashion_mnist.npz": fashion_mnist}


@pytest.fixture(params=MODULES)
def name(request):
    return request.param


def _save(path, **changed):
    arrays = {
        "x_train": np.zeros((60_000, 28, 28), "uint8"),
        "y_train": np.zeros(60_000, "uint8"),
        "x_test": np.zeros((10_000, 28, 28), "uint8"),
        "y_test": np.ones(10_000, "uint8"),
    }
    np.savez(path, **arrays | changed)


def test_file_in_folder_of_user(name, folders):
    _save(folders[0] / name)
    (x_train, y_train), (x_test, y_test) = MODULES[name].load_data()
    assert x_train.shape == (60_000, 28, 28) and y_train.shape == (60_000,)
    assert x_test.shape == (10_000, 28, 28) and y_test.all()


def test_path(name, folders):
    _save(folders[0] / "other.npz")
    assert MODULES[name].load_data("other.npz")[1][1].all()
    assert MODULES[name].load_data(folders[0] / "other.npz")[1][1].all()


def test_other_arrays(name, folders):
    _save(folders[0] / name, x_test=np.zeros((10_000, 784), "uint8"))
    with pytest.raises(ValueError, match=r"'x_test' must have shape \(10000, 28, 28\)"):
        MODULES[name].load_data()


def test_real_file(name, shared):
    (x_train, y_train), (x_test, y_test) = MODULES[name].load_data()
    assert x_train.max() == x_test.max() == 255
    assert set(y_train) == set(y_test) == set(range(10))


def test_first_mnist_digits(shared):
    (_, y_train), (_, y_test) = mnist.load_data()
    assert y_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert y_test[:5].tolist() == [7, 2, 1, 0, 4]


def test_sources():
    for source in (mnist._SOURCE, *fashion_mnist._SOURCES.values()):
        assert source.url.startswith("https://storage.googleapis.com/tensorflow/tf-keras-datasets/")
        assert len(bytes.fromhex(source.checksum)) == 32
        assert 0 < source.size < 30_000_000


def test_mnist_download(folders, monkeypatch):
    _save(folders[0] / "arrays")
    content = (folders[0] / "arrays.npz").read_bytes()
    monkeypatch.setattr(files, "download", lambda source: content)
    assert mnist.load_data()[1][1].all()
    assert (folders[1] / "mnist.npz").read_bytes() == content


def _idx(array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(header + array.tobytes(), compresslevel=1)


def test_fashion_mnist_download(folders, monkeypatch):
    arrays = {
        "train-images": np.zeros((60_000, 28, 28), "uint8"),
        "train-labels": np.full(60_000, 2, "uint8"),
        "t10k-images": np.full((10_000, 28, 28), 3, "uint8"),
        "t10k-labels": np.full(10_000, 4, "uint8"),
    }

    def download(source):
        (key,) = [key for key in arrays if key in source.url]
        return _idx(arrays.pop(key))

    monkeypatch.setattr(fashion_mnist, "download", download)
    for _ in range(2):  # The second call reads the cache.
        (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()
        assert not x_train.any() and (y_train == 2).all()
        assert (x_test == 3).all() and (y_test == 4).all()
    assert [path.name for path in folders[1].iterdir()] == ["fashion_mnist.npz"]


@pytest.mark.parametrize(
    "content", [b"", b"text", b"\0\0\x08", b"\0\0\x08\0", b"\0\0\x0d\1\0\0\0\1a", b"\0\0\x08\1\0\0"]
)
def test_parse_idx_refuses_other_formats(content):
    with pytest.raises(ValueError, match="not an IDX file of unsigned bytes"):
        fashion_mnist.parse_idx(content)


def test_parse_idx_refuses_wrong_length():
    with pytest.raises(ValueError):
        fashion_mnist.parse_idx(b"\0\0\x08\1\0\0\0\2a")


def test_failed_download_does_not_change_the_cache(folders, monkeypatch):
    source = files.Download("http://127.0.0.1/x", hashlib.sha256(b"").hexdigest(), 1)
    monkeypatch.setattr(mnist, "_SOURCE", source)
    with pytest.raises(FileNotFoundError, match=r"a download: .* does not have the scheme https"):
        mnist.load_data()
    assert not folders[1].exists()


def test_ten_classes():
    assert len(set(fashion_mnist.CLASS_NAMES)) == 10
