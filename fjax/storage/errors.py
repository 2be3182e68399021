"""The error that everything raises which reads a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class ModelFileError(ValueError):
    """A file is not a model file, is damaged, or does not fit the model; the message says why.

    >>> raise ModelFileError("model.fjax", "the file is empty")
    Traceback (most recent call last):
        ...
    fjax.storage.errors.ModelFileError: 'model.fjax': the file is empty
    """

    def __init__(self, path: Any, problem: str) -> None:
        super().__init__(f"{str(path)!r}: {problem}")


@contextmanager
def file_error_context(path: Any, problem: str, hint: str = "") -> Iterator[None]:
    """Turn any error inside the block into a `ModelFileError` that names the file.

    Args:
        path: The file.
        problem: What failed, such as "the model cannot be created".
        hint: A text to append to the message.

    >>> with file_error_context("model.fjax", "the model cannot be created"):
    ...     int("three")
    Traceback (most recent call last):
        ...
    fjax.storage.errors.ModelFileError: 'model.fjax': the model cannot be created: invalid...
    """
    try:
        yield
    except ModelFileError:
        raise
    except RecursionError:
        raise ModelFileError(path, f"{problem}: it is nested too deeply") from None
    except Exception as error:
        notes = "".join(f" {note}" for note in getattr(error, "__notes__", []))
        raise ModelFileError(path, f"{problem}: {error}{notes}{hint}") from error
