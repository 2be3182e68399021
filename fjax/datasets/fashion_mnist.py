"""Fashion-MNIST: 70,000 images of clothes, 28 x 28 pixels, in MNIST's format.

By Zalando Research (https://github.com/zalandoresearch/fashion-mnist), under the MIT license.
"""

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np

from fjax.datasets.files import Download, download, find, read_images, write
from fjax.datasets.split import Samples

# The names of the classes, by number.
CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

_FOLDER = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"

_SOURCES = {
    "x_train": Download(
        _FOLDER + "train-images-idx3-ubyte.gz",
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        26_421_880,
    ),
    "y_train": Download(
        _FOLDER + "train-labels-idx1-ubyte.gz",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        29_515,
    ),
    "x_test": Download(
        _FOLDER + "t10k-images-idx3-ubyte.gz",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        4_422_102,
    ),
    "y_test": Download(
        _FOLDER + "t10k-labels-idx1-ubyte.gz",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        5_148,
    ),
}


def load_data(path: str | os.PathLike[str] = "fashion_mnist.npz") -> tuple[Samples, Samples]:
    """Load the images (see `keras.datasets.fashion_mnist`).

    Args:
        path: The name of the file in FJAX_DATA or the cache, or an absolute path. The file is an
            `.npz` archive of the four arrays; a download makes it from the four published files.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: 60,000 and 10,000 images of shape `(28, 28)` in
        uint8 from 0 (background) to 255, and their classes in uint8, numbered as in CLASS_NAMES.

    Raises:
        FileNotFoundError: The file was not found, and the download failed.
        ValueError: The file holds other data.

    >>> load_data("/nowhere/fashion_mnist.npz")
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no file /nowhere/fashion_mnist.npz.
    """
    return read_images(find(os.fspath(path), _fetch), 60_000, 10_000, side=28)


def parse_idx(content: bytes) -> np.ndarray:
    """Return the array of unsigned bytes in an IDX file.

    The format: two zero bytes, the type (8 for unsigned bytes), the number of axes, the size of
    each axis in four bytes, then the entries.

    Raises:
        ValueError: The content is not such a file.

    >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 6, 7])).tolist()
    [5, 6, 7]
    """
    axes = content[3] if content[:3] == b"\x00\x00\x08" and len(content) > 3 else 0
    start = 4 + 4 * axes
    if not axes or len(content) < start:
        raise ValueError("This is not an IDX file of unsigned bytes.")
    shape = np.frombuffer(content, ">u4", axes, offset=4)
    return np.frombuffer(content, "uint8", offset=start).reshape(shape)


def _fetch(path: Path) -> None:
    arrays: dict[str, Any] = {
        name: parse_idx(gzip.decompress(download(source))) for name, source in _SOURCES.items()
    }
    write(path, lambda file: np.savez(file, **arrays))
