"""Rows of token indices as arrays: padded sequences, and bags of words."""

from collections.abc import Sequence

import numpy as np


def pad_rows(rows: Sequence[Sequence[int]], length: int | None) -> np.ndarray:
    """Return rows of indices as one int32 array, each truncated or padded with 0 at its end.

    Args:
        rows: The rows.
        length: The length of a row; None means the length of the longest, and at least 1.

    >>> pad_rows([[4, 1, 3], [2]], 2).tolist()
    [[4, 1], [2, 0]]
    """
    width = max(1, *map(len, rows), 1) if length is None else length
    array = np.zeros((len(rows), width), np.int32)
    for number, row in enumerate(rows):
        array[number, : len(row)] = row[:width]
    return array


def encode_bags(rows: Sequence[Sequence[int]], depth: int, output_mode: str) -> np.ndarray:
    """Return whether ("multi_hot") or how often ("count") a row has each index, float32.

    Args:
        rows: Rows of indices below `depth`; negative ones are ignored.
        depth: The number of columns.
        output_mode: "multi_hot" or "count".

    >>> encode_bags([[0, 2, 2], [-1]], 3, "count").tolist()
    [[1.0, 0.0, 2.0], [0.0, 0.0, 0.0]]
    """
    array = np.zeros((len(rows), depth), np.float32)
    row_numbers = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    indices = np.fromiter((index for row in rows for index in row), np.int64, len(row_numbers))
    is_valid = indices >= 0
    cells = row_numbers[is_valid], indices[is_valid]
    if output_mode == "multi_hot":
        array[cells] = 1
    else:
        np.add.at(array, cells, 1)
    return array
