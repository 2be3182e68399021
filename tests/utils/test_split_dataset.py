"""`split_dataset`: sizes, orders and structures."""

import random

import numpy as np
import pytest

from fjax.preprocessing.dataset import Dataset
from fjax.utils import split_dataset

torch = pytest.importorskip("torch")


def values(dataset):
    return [int(x) for x in dataset]


@pytest.mark.parametrize(
    ("sizes", "left", "right"),
    [
        ({"left_size": 0.7}, 7, 3),
        ({"left_size": 7}, 7, 3),
        ({"right_size": 0.25}, 8, 2),
        ({"right_size": 4}, 6, 4),
        ({"left_size": 0.3, "right_size": 0.3}, 3, 3),
        ({"left_size": 2, "right_size": 3}, 2, 3),
    ],
)
def test_sizes(sizes, left, right):
    first, second = split_dataset(np.arange(10), **sizes)
    assert values(first) == list(range(left)) and values(second) == list(range(10 - right, 10))


def test_orders_are_those_of_keras():
    # Keras seeds Python's `random` and shuffles the list of elements.
    expected = list(range(10))
    random.Random(3).shuffle(expected)
    left, right = split_dataset(np.arange(10), left_size=6, shuffle=True, seed=3)
    assert values(left) + values(right) == expected


def test_structures():
    x, y = np.arange(12).reshape(6, 2), np.arange(6.0)
    for arrays in ((x, y), [x, y]):
        left, _ = split_dataset(arrays, left_size=0.5)
        rows = list(left)
        assert len(rows) == 3 and rows[1][0].tolist() == [2, 3] and float(rows[1][1]) == 1
    batches = Dataset.from_tensor_slices((x, y)).batch(2)
    left, right = split_dataset(batches, left_size=4)
    assert [len(b) for _, b in left] == [2, 2] and [len(b) for _, b in right] == [2]
    tensors = torch.utils.data.TensorDataset(torch.arange(6), torch.arange(6) * 2)
    _, right = split_dataset(tensors, right_size=2)
    assert [(int(a), int(b)) for a, b in right] == [(4, 8), (5, 10)]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "needs `left_size`, `right_size` or both"),
        ({"left_size": 0}, ValueError, "`left_size` must be a float between 0 and 1"),
        ({"left_size": 10}, ValueError, "an integer from 1 to 9, received 10"),
        ({"right_size": 1.5}, ValueError, "`right_size` must be a float between 0 and 1"),
        ({"left_size": "half"}, ValueError, "`left_size` must be"),
        ({"left_size": 0.8, "right_size": 0.4}, ValueError, "parts of 8 and 4"),
        ({"left_size": 0.01}, ValueError, "parts of 0 and 10"),
        ({"dataset": [], "left_size": 1}, ValueError, "arrays of one length"),
        ({"dataset": [np.ones(2), np.ones(3)], "left_size": 1}, ValueError, "arrays of one length"),
        ({"dataset": "text", "left_size": 1}, TypeError, "received str"),
        ({"dataset": 3, "left_size": 1}, TypeError, "received int"),
        ({"dataset": iter(()), "left_size": 1}, ValueError, "is empty"),
        ({"left_size": 1, "preferred_backend": "torch"}, ValueError, "`preferred_backend` must be"),
    ],
)
def test_mistakes_are_clear_errors(arguments, error, message):
    with pytest.raises(error, match=message):
        split_dataset(**{"dataset": np.arange(10)} | arguments)
