"""Numbered terms as arrays: padded rows, and bags of words."""

from collections.abc import Sequence

import numpy as np


def padded(rows: Sequence[Sequence[int]], length: int | None) -> np.ndarray:
    """Return rows of numbers as one array, cut and filled with 0 at the end, int32.

    Without a length it is that of the longest row, and 1 at least.

    >>> padded([[4, 1, 3], [2]], 2).tolist()
    [[4, 1], [2, 0]]
    """
    width = max(1, *map(len, rows), 1) if length is None else length
    array = np.zeros((len(rows), width), np.int32)
    for place, row in enumerate(rows):
        array[place, : len(row)] = row[:width]
    return array


def bag(rows: Sequence[Sequence[int]], depth: int, output_mode: str) -> np.ndarray:
    """Return for each row which numbers it has ("multi_hot") or how often ("count"), float32.

    Numbers below 0 are left out.

    >>> bag([[0, 2, 2], [-1]], 3, "count").tolist()
    [[1.0, 0.0, 2.0], [0.0, 0.0, 0.0]]
    """
    array = np.zeros((len(rows), depth), np.float32)
    places = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    numbers = np.fromiter((number for row in rows for number in row), np.int64, len(places))
    kept = numbers >= 0
    if output_mode == "multi_hot":
        array[places[kept], numbers[kept]] = 1
    else:
        np.add.at(array, (places[kept], numbers[kept]), 1)
    return array
