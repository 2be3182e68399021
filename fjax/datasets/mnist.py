"""MNIST: 70,000 handwritten digits, 28 x 28 pixels.

By Y. LeCun and C. Cortes, from images of NIST (http://yann.lecun.com/exdb/mnist/), under CC BY-SA
3.0. The archive is Keras's.
"""

import os

from fjax.datasets.files import Download, fetcher, find, read_images
from fjax.datasets.split import Samples

_SOURCE = Download(
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
    "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    11_490_434,
)


def load_data(path: str | os.PathLike[str] = "mnist.npz") -> tuple[Samples, Samples]:
    """Load the digits (see `keras.datasets.mnist`).

    Args:
        path: The name of the file in FJAX_DATA or the cache, or an absolute path.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: 60,000 and 10,000 images of shape `(28, 28)` in
        uint8 from 0 (background) to 255 (ink), and their digits in uint8.

    Raises:
        FileNotFoundError: The file was not found, and the download failed.
        ValueError: The file holds other data.

    >>> load_data("/nowhere/mnist.npz")
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no file /nowhere/mnist.npz.
    """
    return read_images(find(os.fspath(path), fetcher(_SOURCE)), 60_000, 10_000, side=28)
