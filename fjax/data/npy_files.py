"""`NpyFiles`: the arrays in several `.npy` files as one array that stays on disk."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from fjax.data.rows_on_disk import RowsOnDisk, Segment


class NpyFiles(RowsOnDisk):
    """The arrays in one or more `.npy` files as one array, whose rows are read when needed.

    Pass it to `fit`, `evaluate` or `predict` like an array. A slice, such as `files[:1000]`, stays
    on disk; an integer or an array of row numbers reads these rows, and `np.asarray` all.

    Args:
        paths: A path, or the paths in the order of the rows.

    Attributes:
        shape: The shape of the whole array.
        dtype: Its dtype.
        paths: The paths.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: There is no file; or a file is no `.npy` file, is truncated, holds Python
            objects, which are never loaded, or has rows of another shape or dtype than the first.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> paths = [f"{folder.name}/{part}.npy" for part in range(2)]
    >>> for path, array in zip(paths, np.arange(12.0).reshape(2, 2, 3)):
    ...     np.save(path, array)
    >>> files = NpyFiles(paths)
    >>> files, files[3], len(files[1:])
    (<NpyFiles of shape (4, 3), float64>, array([ 9., 10., 11.]), 3)
    >>> folder.cleanup()
    """

    def __init__(self, paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> None:
        if isinstance(paths, str | os.PathLike):
            paths = [paths]
        self.paths = [os.fspath(path) for path in paths]
        if not self.paths:
            raise ValueError("`NpyFiles`: `paths` is empty: pass the path of at least one file.")
        arrays = [_mapped(path) for path in self.paths]
        for path, array in zip(self.paths, arrays, strict=True):
            _check_like_first(self.paths[0], arrays[0], path, array)
        segments = [segment for array in arrays if (segment := Segment.of(array)) is not None]
        super().__init__(segments, 0, sum(map(len, arrays)))


def _mapped(path: str) -> np.ndarray:
    """Return the memory-mapped array in a file."""
    if not os.path.exists(path):
        raise FileNotFoundError(f"`NpyFiles`: there is no file {path!r}.")
    try:
        array: Any = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(
            f"`NpyFiles`: {path!r} cannot be memory-mapped ({error}). It must be a whole file of "
            "`np.save`, with numbers or text and not with Python objects, which are never loaded."
        ) from error
    if not isinstance(array, np.ndarray):
        array.close()
        raise ValueError(f"`NpyFiles`: {path!r} must hold one array, found an archive (`.npz`).")
    if array.size == 0 or array.ndim == 0:
        raise ValueError(
            f"`NpyFiles`: {path!r} must hold an array with at least one row, found the shape "
            f"{array.shape}."
        )
    if array.flags.f_contiguous and not array.flags.c_contiguous:
        raise ValueError(
            f"`NpyFiles`: {path!r} is stored column by column, so that no row can be read without "
            "reading all: save it with `np.ascontiguousarray`."
        )
    return array


def _check_like_first(first_path: str, first: np.ndarray, path: str, array: np.ndarray) -> None:
    if array.shape[1:] != first.shape[1:] or array.dtype != first.dtype:
        raise ValueError(
            f"`NpyFiles`: all files must have rows of one shape and dtype: {first_path!r} has rows "
            f"of shape {first.shape[1:]} and dtype {first.dtype}, {path!r} of shape "
            f"{array.shape[1:]} and dtype {array.dtype}."
        )
