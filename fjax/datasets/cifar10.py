"""CIFAR-10: 60,000 color pictures of 32 x 32 pixels, of ten classes.

By A. Krizhevsky, V. Nair and G. Hinton (https://www.cs.toronto.edu/~kriz/cifar.html). The archive
is the binary version, with the same pictures as the one that Keras reads, which is a pickle.
"""

import os

from fjax.datasets.cifar import read_records
from fjax.datasets.files import Download, fetcher, find
from fjax.datasets.split import Samples

# The names of the classes, by number.
CLASS_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)

_SOURCE = Download(
    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    170_052_171,
)
_FOLDER = "cifar-10-batches-bin"
_RECORDS = 10_000


def load_data(
    path: str | os.PathLike[str] = "cifar-10-binary.tar.gz",
) -> tuple[Samples, Samples]:
    """Load the pictures (see `keras.datasets.cifar10`).

    Args:
        path: The name of the file in FJAX_DATA or the cache, or an absolute path.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: 50,000 and 10,000 pictures of shape `(32, 32, 3)`
        in uint8 from 0 to 255, and their classes in uint8 of shape `(pictures, 1)`, numbered as in
        CLASS_NAMES.

    Raises:
        FileNotFoundError: The file was not found, and the download failed.
        ValueError: The file holds other data.

    >>> load_data("/nowhere/cifar-10-binary.tar.gz")
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no file /nowhere/cifar-10-binary.tar.gz.
    """
    file = find(os.fspath(path), fetcher(_SOURCE))
    names = [f"{_FOLDER}/data_batch_{number}.bin" for number in range(1, 6)]
    train = read_records(file, names, _RECORDS, labels=1, label=0)
    test = read_records(file, [f"{_FOLDER}/test_batch.bin"], _RECORDS, labels=1, label=0)
    return train, test
