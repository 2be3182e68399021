"""The one error of everything that is read from a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class ModelFileError(ValueError):
    """A file is no model file, is damaged, or does not fit; the message says where and why.

    >>> raise ModelFileError("model.fjax", "the file is empty")
    Traceback (most recent call last):
        ...
    fjax.storage.errors.ModelFileError: 'model.fjax': the file is empty
    """

    def __init__(self, path: Any, problem: str) -> None:
        super().__init__(f"{str(path)!r}: {problem}")


@contextmanager
def file_error_context(path: Any, doing: str, hint: str = "") -> Iterator[None]:
    """Turn whatever goes wrong into a `ModelFileError` that names the file and what was done.

    Args:
        path: The file.
        doing: What cannot be done.
        hint: What the message ends with.

    >>> with file_error_context("model.fjax", "the model cannot be made"):
    ...     int("three")
    Traceback (most recent call last):
        ...
    fjax.storage.errors.ModelFileError: 'model.fjax': the model cannot be made: invalid...
    """
    try:
        yield
    except ModelFileError:
        raise
    except RecursionError:
        raise ModelFileError(path, f"{doing}: it is nested too deeply") from None
    except Exception as error:
        notes = "".join(f" {note}" for note in getattr(error, "__notes__", []))
        raise ModelFileError(path, f"{doing}: {error}{notes}{hint}") from error
