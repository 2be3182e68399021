"""`timeseries_dataset_from_array`: sliding windows over a time series."""

from typing import Any

import numpy as np

from fjax.errors import integer_at_least, seed_of
from fjax.preprocessing.dataset import AUTOTUNE, Dataset
from fjax.preprocessing.formats import check_format


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Dataset:
    """Return the windows of a time series as a `Dataset` of batches `(windows, targets)`.

    The windows are cut out during the iteration. With a seed, orders are Keras's.

    Args:
        data: An array whose first axis is time.
        targets: An array whose entry i is the target of the window that starts at time i; None for
            batches of windows alone.
        sequence_length: The number of steps in a window.
        sequence_stride: The distance between the starts of windows.
        sampling_rate: The distance between the steps of a window.
        batch_size: Windows in a batch; None for single windows.
        shuffle: Whether to shuffle the windows, and again in each pass within 8 batches.
        seed: The seed of the orders; None draws one from numpy's global generator.
        start_index: The first time to use; by default 0.
        end_index: The time at which to end, exclusive; by default the length of `data`.
        format: "tf": the data set has the methods of `tf.data.Dataset`, and needs no TensorFlow.

    Shapes: windows are `(batch, sequence_length, …)`, targets `(batch, …)`, with the dtypes of
        the arrays.

    Raises:
        ValueError: An argument is invalid, or there is not one window.

    Source: Keras's page "Timeseries data loading".

    >>> series = np.arange(8)
    >>> dataset = timeseries_dataset_from_array(series[:-3], series[3:], 3, batch_size=2)
    >>> windows, targets = next(iter(dataset))
    >>> windows.tolist(), targets.tolist()
    ([[0, 1, 2], [1, 2, 3]], [3, 4])
    """
    owner = "timeseries_dataset_from_array"
    check_format(owner, format)
    series = np.asarray(data)
    length = len(series)
    integer_at_least(owner, "sequence_length", sequence_length, 1)
    for name, step in (("sampling_rate", sampling_rate), ("sequence_stride", sequence_stride)):
        if integer_at_least(owner, name, step, 1) >= length:
            raise ValueError(
                f"`{owner}`: `{name}` must be less than the length of `data`, {length}, received "
                f"{step}."
            )
    start, end = _range(owner, start_index, end_index, length)
    series = series[start:end]
    labels = None if targets is None else np.asarray(targets)[start:end]
    count = end - start - (sequence_length - 1) * sampling_rate
    count = count if labels is None else min(count, len(labels))
    if count < 1:
        raise ValueError(
            f"`{owner}`: there is no window: {sequence_length} steps at distance {sampling_rate} "
            f"need {(sequence_length - 1) * sampling_rate + 1} times and their targets, and the "
            f"data has {end - start} times"
            + ("." if labels is None else f" and {len(labels)} targets.")
        )
    positions = np.arange(0, count, sequence_stride)
    dataset = _positions(owner, positions, shuffle, seed, batch_size)
    steps = np.arange(sequence_length) * sampling_rate

    def cut_out(starts: np.ndarray) -> Any:
        windows = series[np.asarray(starts)[..., None] + steps]
        return windows if labels is None else (windows, labels[starts])

    return dataset.map(cut_out).prefetch(AUTOTUNE)


def _range(owner: str, start: int | None, end: int | None, length: int) -> tuple[int, int]:
    first = 0 if start is None else integer_at_least(owner, "start_index", start, 0)
    last = length if end is None else integer_at_least(owner, "end_index", end, 1)
    if first >= length:
        raise ValueError(
            f"`{owner}`: `start_index` must be less than the length of `data`, {length}, received "
            f"{first}."
        )
    if end is not None and not first < last < length:
        raise ValueError(
            f"`{owner}`: `end_index` must be greater than `start_index`, {first}, and less than "
            f"the length of `data`, {length}, received {last}. Leave it out to use all data."
        )
    return first, last


def _positions(
    owner: str, positions: np.ndarray, shuffle: bool, seed: int | None, batch_size: int | None
) -> Dataset:
    """Return the data set of the starts of windows, in batches."""
    if shuffle:
        seed = np.random.randint(1_000_000) if seed is None else seed_of(owner, seed)
        # Keras's order.
        np.random.RandomState(seed).shuffle(positions)
    dataset = Dataset.from_tensor_slices(positions)
    if shuffle:
        dataset = dataset.shuffle(1024 if batch_size is None else batch_size * 8, seed)
    if batch_size is None:
        return dataset
    return dataset.batch(integer_at_least(owner, "batch_size", batch_size, 1))
