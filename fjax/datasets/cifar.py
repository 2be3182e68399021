"""Read the binary archives of CIFAR-10 and CIFAR-100.

A record is one byte for each label, then the 3 x 32 x 32 bytes of a picture: its red, green and
blue channels.
"""

import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fjax.datasets.split import Samples

PIXELS = 3 * 32 * 32


def read_records(
    path: Path, members: Sequence[str], records: int, labels: int, label: int
) -> Samples:
    """Return the pictures and labels in members of a tar archive; nothing is extracted.

    Args:
        path: The archive.
        members: The names of the files in the archive.
        records: The number of records in each file.
        labels: The number of labels in a record.
        label: Which of them to return.

    Shapes: pictures are uint8 of shape `(records, 32, 32, 3)`, labels uint8 of shape
        `(records, 1)`.

    Raises:
        ValueError: The file is not such an archive, or a member is missing or of another size.
    """
    size = records * (labels + PIXELS)
    try:
        if not tarfile.is_tarfile(path):
            raise ValueError("it is not a tar archive")
        with tarfile.open(path) as archive:
            content = b"".join(_read(archive, member, size) for member in members)
    except (tarfile.TarError, OSError, EOFError, zlib.error, KeyError, ValueError) as error:
        raise ValueError(f"{path} is not the expected archive of pictures: {error}.") from error
    rows = np.frombuffer(content, np.uint8).reshape(-1, labels + PIXELS)
    pictures = rows[:, labels:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(pictures), rows[:, label : label + 1].copy()


def _read(archive: tarfile.TarFile, member: str, size: int) -> bytes:
    info = archive.getmember(member)
    file = archive.extractfile(info) if info.isreg() else None
    if file is None or info.size != size:
        raise ValueError(f"{member} must have {size} bytes, and has {info.size}")
    return file.read()
