"""Opening a file that somebody else may have made."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from fjax.storage.errors import ModelFileError, file_error_context

PROBLEM = "the file cannot be read"


@contextmanager
def open_regular_file(path: Any) -> Iterator[BinaryIO]:
    """Open a file for reading.

    Args:
        path: The file.

    Raises:
        ModelFileError: It does not exist, cannot be read, or is a folder, a pipe or a device.
    """
    with file_error_context(path, PROBLEM):
        # Non-blocking: opening a pipe without a writer would never return.
        descriptor = os.open(
            path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        )
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ModelFileError(path, "it is not a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


def file_size(file: BinaryIO) -> int:
    """Return the number of bytes in an open file."""
    return os.fstat(file.fileno()).st_size
