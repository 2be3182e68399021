"""Sliding windows, compared with the positions that Keras uses."""

import numpy as np
import pytest

from fjax.utils import timeseries_dataset_from_array

SERIES = np.arange(60.0).reshape(30, 2)


@pytest.mark.parametrize("length", [1, 5])
@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("rate", [1, 2])
@pytest.mark.parametrize(("start", "end"), [(None, None), (4, 25)])
def test_windows_and_targets(length, stride, rate, start, end):
    targets = np.arange(30) * 10
    dataset = timeseries_dataset_from_array(
        SERIES, targets, length, stride, rate, batch_size=4, start_index=start, end_index=end
    )
    first, last = start or 0, end or len(SERIES)
    starts = [s for s in range(first, last, stride) if s + (length - 1) * rate < last]
    windows = np.concatenate([x for x, _ in dataset])
    np.testing.assert_array_equal(
        windows, [SERIES[s : s + (length - 1) * rate + 1 : rate] for s in starts]
    )
    assert windows.dtype == SERIES.dtype
    np.testing.assert_array_equal(np.concatenate([y for _, y in dataset]), targets[starts])
    assert len(dataset) == -(-len(starts) // 4)


def test_orders_are_those_of_tensorflow():
    # Recorded with Keras 3.15.1 and TensorFlow 2.21: the starts of the windows in two passes.
    dataset = timeseries_dataset_from_array(
        np.arange(12), None, 3, batch_size=4, shuffle=True, seed=9
    )
    passes = [[int(window[0]) for batch in dataset for window in batch] for _ in range(2)]
    assert passes == [[3, 7, 9, 8, 0, 6, 1, 5, 4, 2], [4, 5, 6, 1, 9, 3, 2, 0, 7, 8]]


def test_targets_may_be_missing_or_shorter():
    dataset = timeseries_dataset_from_array(SERIES, None, 3, batch_size=None)
    assert next(iter(dataset)).shape == (3, 2) and len(dataset) == 28
    short = timeseries_dataset_from_array(SERIES, np.arange(5), 3, batch_size=9)
    assert [len(y) for _, y in short] == [5]


def test_numpy_draws_the_seed():
    def starts():
        np.random.seed(2)
        dataset = timeseries_dataset_from_array(np.arange(9), None, 1, shuffle=True)
        return np.concatenate(list(dataset)).ravel().tolist()

    assert starts() == starts() != sorted(starts())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sequence_length": 0}, "`sequence_length` must be an integer of at least 1"),
        ({"sampling_rate": 30}, "`sampling_rate` must be less than the length of `data`, 30"),
        ({"sequence_stride": 40}, "`sequence_stride` must be less than the length"),
        ({"start_index": -1}, "`start_index` must be an integer of at least 0"),
        ({"start_index": 30}, "`start_index` must be less than the length"),
        ({"end_index": 30}, "`end_index` must be greater than `start_index`, 0, and less than"),
        ({"start_index": 9, "end_index": 9}, "`end_index` must be greater than `start_index`, 9"),
        ({"sequence_length": 31}, "there is no window: 31 steps at distance 1 need 31 times"),
        ({"targets": []}, "and 0 targets"),
        ({"batch_size": 0}, "`batch_size` must be an integer of at least 1"),
        ({"format": "grain"}, '`format="grain"` is not supported'),
        ({"format": "csv"}, "`format` must be one of 'tf'"),
    ],
)
def test_mistakes_are_clear_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        timeseries_dataset_from_array(
            **{"data": SERIES, "targets": None, "sequence_length": 3} | arguments
        )
