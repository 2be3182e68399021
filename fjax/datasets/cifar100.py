"""CIFAR-100: 60,000 color pictures of 32 x 32 pixels, of 100 classes in 20 groups.

By A. Krizhevsky, V. Nair and G. Hinton (https://www.cs.toronto.edu/~kriz/cifar.html). The archive
is the binary version, with the same pictures as the one that Keras reads, which is a pickle.
"""

import os

from fjax.datasets.cifar import read_records
from fjax.datasets.files import Download, fetcher, find
from fjax.datasets.split import Samples
from fjax.errors import one_of

_SOURCE = Download(
    "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
    "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
    168_513_733,
)
_FOLDER = "cifar-100-binary"
_RECORDS = {"train": 50_000, "test": 10_000}
_LABELS = ("coarse", "fine")


def load_data(
    label_mode: str = "fine", path: str | os.PathLike[str] = "cifar-100-binary.tar.gz"
) -> tuple[Samples, Samples]:
    """Load the pictures (see `keras.datasets.cifar100`).

    Args:
        label_mode: "fine" for the 100 classes, "coarse" for the 20 groups.
        path: The name of the file in FJAX_DATA or the cache, or an absolute path.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: 50,000 and 10,000 pictures of shape `(32, 32, 3)`
        in uint8 from 0 to 255, and their classes in int64 of shape `(pictures, 1)`.

    Raises:
        FileNotFoundError: The file was not found, and the download failed.
        ValueError: The file holds other data, or `label_mode` is invalid.

    >>> load_data("fin")
    Traceback (most recent call last):
        ...
    ValueError: `cifar100.load_data`: `label_mode` must be one of 'coarse', 'fine', received 'fin'.
    Did you mean `fine`?
    """
    one_of("cifar100.load_data", "label_mode", label_mode, _LABELS)
    file = find(os.fspath(path), fetcher(_SOURCE))
    parts = []
    for part, records in _RECORDS.items():
        member = f"{_FOLDER}/{part}.bin"
        x, y = read_records(file, [member], records, len(_LABELS), _LABELS.index(label_mode))
        parts.append((x, y.astype("int64")))
    return parts[0], parts[1]
