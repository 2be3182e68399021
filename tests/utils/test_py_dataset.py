"""`PyDataset`: its protocol, and that it feeds `fit`."""

import inspect

import keras
import numpy as np
import pytest

from fjax import Sequential
from fjax.layers import Dense
from fjax.utils import PyDataset, Sequence


class Batches(PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return np.full((2, 4), index, "float32"), np.zeros((2, 1), "float32")


class Endless(PyDataset):
    num_batches = None

    def __getitem__(self, index):
        return np.full((2, 4), index, "float32"), np.zeros((2, 1), "float32")


def test_arguments_are_those_of_keras():
    ours, theirs = inspect.signature(PyDataset), inspect.signature(keras.utils.PyDataset)
    assert [(p.name, p.default) for p in ours.parameters.values()] == [
        (p.name, p.default) for p in theirs.parameters.values()
    ]
    dataset = Batches(workers=4, use_multiprocessing=True, max_queue_size=3)
    assert (dataset.workers, dataset.use_multiprocessing, dataset.max_queue_size) == (4, True, 3)
    assert Sequence is PyDataset


def test_a_class_that_does_not_call_init_has_the_defaults():
    class Bare(Batches):
        def __init__(self):
            pass

    assert (Bare().workers, Bare().use_multiprocessing, Bare().max_queue_size) == (1, False, 10)


def test_iteration():
    assert [int(x[0, 0]) for x, _ in Batches()] == [0, 1, 2]
    assert Batches().num_batches == 3
    endless = iter(Endless())
    assert [int(next(endless)[0][0, 0]) for _ in range(5)] == [0, 1, 2, 3, 4]
    assert Batches().on_epoch_begin() is None and Batches().on_epoch_end() is None


def test_fit_takes_it():
    model = Sequential([Dense(1, input_shape=(4,))])
    model.compile("sgd", "mse")
    assert len(model.fit(Batches(), epochs=2, verbose=0).history["loss"]) == 2
    assert model.predict(Batches(), verbose=0).shape == (6, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"workers": -1}, "`Batches`: `workers`"), ({"max_queue_size": 0}, "`max_queue_size`")],
)
def test_invalid_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Batches(**arguments)


def test_missing_methods_are_clear_errors():
    with pytest.raises(NotImplementedError, match="`PyDataset` must define `__len__"):
        iter(PyDataset()).__next__()
    with pytest.raises(NotImplementedError, match="must define `__getitem__"):
        PyDataset()[0]
