"""Pad sequences of different lengths."""

from collections.abc import Sequence, Sized
from typing import Any

import numpy as np

from fjax.errors import integer_at_least, one_of, plain


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Return sequences as one array: shorter sequences are padded, longer ones are truncated.

    Args:
        sequences: A list of lists of numbers, or of arrays that agree in all axes except the first.
        maxlen: The length of the array's rows, by default that of the longest sequence.
        dtype: The type of the array; `object` for strings of any length.
        padding: "pre" to pad at the start, "post" at the end.
        truncating: "pre" to truncate at the start, "post" at the end.
        value: The padding value.

    Shapes: `(len(sequences), maxlen, …)`.

    Raises:
        TypeError: `sequences` is not a list of sequences, or `dtype` cannot hold their values.
        ValueError: `sequences` is empty, an argument is invalid, or the shapes differ.

    Source: Keras's page "Timeseries data loading", `pad_sequences`.

    >>> pad_sequences([[1], [2, 3], [4, 5, 6]]).tolist()
    [[0, 0, 1], [0, 2, 3], [4, 5, 6]]
    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2, padding="post").tolist()
    [[1, 0], [2, 3], [5, 6]]
    """
    owner = "pad_sequences"
    one_of(owner, "padding", padding, ["pre", "post"])
    one_of(owner, "truncating", truncating, ["pre", "post"])
    rows = _check_sequences(sequences)
    longest = max(map(len, rows))
    length = longest if maxlen is None else integer_at_least(owner, "maxlen", maxlen, 1)
    holds_text = np.dtype(dtype).kind in "OUS"
    if isinstance(value, str) and not holds_text:
        raise TypeError(
            f"`{owner}`: `value` is text and `dtype` is {np.dtype(dtype).name}: give "
            "`dtype=object`."
        )
    shape = next((np.shape(row)[1:] for row in rows if len(row)), ())
    array = np.full((len(rows), length, *shape), value, dtype)
    for index, row in enumerate(rows):
        if not len(row):
            continue
        truncated = row[-length:] if truncating == "pre" else row[:length]
        entries = _convert(index, truncated, np.dtype(dtype), shape)
        columns = slice(length - len(entries), None) if padding == "pre" else slice(len(entries))
        array[index, columns] = entries
    return array


def _check_sequences(sequences: Any) -> list[Any]:
    rows = [] if isinstance(sequences, str | bytes) else list(sequences)
    if not rows:
        raise ValueError(
            f"`pad_sequences` needs a list with at least one sequence, received {sequences!r}."
        )
    for index, row in enumerate(rows):
        if isinstance(row, str | bytes) or not isinstance(row, Sized):
            raise TypeError(
                f"`pad_sequences` takes a list of sequences, such as [[1, 2], [3]], received "
                f"{plain(row)!r} at index {index}. `fjax.layers.TextVectorization` turns texts "
                "into numbers."
            )
    return rows


def _convert(index: int, row: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> np.ndarray:
    entries = np.asarray(row)
    if entries.shape[1:] != shape:
        raise ValueError(
            f"`pad_sequences`: the entries of the sequence at index {index} have shape "
            f"{entries.shape[1:]}, those of the first have shape {shape}."
        )
    is_lossy = dtype.kind in "iu" and (
        entries.dtype.kind not in "iubf" or (entries != entries.astype(dtype)).any()
    )
    if is_lossy:
        raise TypeError(
            f"`pad_sequences`: {dtype.name} cannot hold the sequence at index {index}, {row!r}: "
            'give `dtype="float32"` for fractions, `dtype=object` for text.'
        )
    return entries.astype(dtype)
