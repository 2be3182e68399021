"""Sequences of different lengths as one array."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fjax.errors import integer_at_least, one_of


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Return sequences as one array, those that are shorter filled up, those that are longer cut.

    Args:
        sequences: A list of lists of numbers, or of arrays whose further axes agree.
        maxlen: The length of all, by default that of the longest.
        dtype: The type of the array; `object` for strings of any length.
        padding: "pre" to fill up at the start, "post" at the end.
        truncating: "pre" to cut at the start, "post" at the end.
        value: What is filled in.

    Shapes: `(len(sequences), maxlen, …)`.

    Raises:
        TypeError: There is no list of sequences, or `dtype` cannot hold what they hold.
        ValueError: There is no sequence, an argument is none of these, or shapes differ.

    Source: Keras's page "Timeseries data loading", `pad_sequences`.

    >>> pad_sequences([[1], [2, 3], [4, 5, 6]]).tolist()
    [[0, 0, 1], [0, 2, 3], [4, 5, 6]]
    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2, padding="post").tolist()
    [[1, 0], [2, 3], [5, 6]]
    """
    owner = "pad_sequences"
    one_of(owner, "padding", padding, ["pre", "post"])
    one_of(owner, "truncating", truncating, ["pre", "post"])
    rows = _rows(sequences)
    longest = max(map(len, rows))
    length = longest if maxlen is None else integer_at_least(owner, "maxlen", maxlen, 1)
    text = np.dtype(dtype).kind in "OUS"
    if isinstance(value, str) and not text:
        raise TypeError(
            f"`{owner}`: `value` is text and `dtype` is {np.dtype(dtype).name}: give "
            "`dtype=object`."
        )
    shape = next((np.shape(row)[1:] for row in rows if len(row)), ())
    array = np.full((len(rows), length, *shape), value, dtype)
    for place, row in enumerate(rows):
        if not len(row):
            continue
        kept = row[-length:] if truncating == "pre" else row[:length]
        entries = _entries(place, kept, np.dtype(dtype), shape)
        where = slice(length - len(kept), None) if padding == "pre" else slice(len(kept))
        array[place, where] = entries
    return array


def _rows(sequences: Any) -> list[Any]:
    rows = [] if isinstance(sequences, str | bytes) else list(sequences)
    if not rows:
        raise ValueError(
            f"`pad_sequences` needs a list of one sequence at least, received {sequences!r}."
        )
    for place, row in enumerate(rows):
        if isinstance(row, str | bytes) or not hasattr(row, "__len__"):
            raise TypeError(
                f"`pad_sequences` takes a list of sequences, such as [[1, 2], [3]], received "
                f"{row!r} at {place}. Texts become numbers by `fjax.layers.TextVectorization`."
            )
    return rows


def _entries(place: int, row: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> np.ndarray:
    entries = np.asarray(row)
    if entries.shape[1:] != shape:
        raise ValueError(
            f"`pad_sequences`: the entries of the sequence at {place} have shape "
            f"{entries.shape[1:]}, those of the first have {shape}."
        )
    lossy = dtype.kind in "iu" and (
        entries.dtype.kind not in "iubf" or (entries != entries.astype(dtype)).any()
    )
    if lossy:
        raise TypeError(
            f"`pad_sequences`: {dtype.name} cannot hold the sequence at {place}, {row!r}: give "
            '`dtype="float32"` for fractions, `dtype=object` for text.'
        )
    return entries.astype(dtype)
