"""Batches by index: workers, orders, hooks of an epoch, and how a `fit` reads them."""

import threading

import numpy as np
import pytest

import fjax
from fjax.data import LoaderSource
from fjax.data.indexed import iterate_indexed

pytestmark = pytest.mark.short


class Numbered:
    """Batches whose entries are their index."""

    def __init__(self, count=6, **attributes):
        self.count, self.calls = count, []
        vars(self).update(attributes)

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        self.calls.append(index)
        x = np.full((4, 2), float(index))
        return x, x[:, :1]

    def on_epoch_begin(self):
        self.calls.append("begin")

    def on_epoch_end(self):
        self.calls.append("end")


def indices(batches):
    return [int(x[0, 0]) for x, _ in batches]


@pytest.mark.parametrize("workers", [1, 3])
def test_any_number_of_workers_yields_the_batches_in_order(workers):
    assert indices(iterate_indexed(Numbered(workers=workers))) == [0, 1, 2, 3, 4, 5]


def test_processes_read_a_dataset_that_can_be_pickled():
    assert indices(iterate_indexed(Numbered(3, workers=1, use_multiprocessing=True))) == [0, 1, 2]


def test_workers_read_at_the_same_time_and_no_further_than_the_queue():
    class Waiting(Numbered):
        barrier = threading.Barrier(2, timeout=20)

        def __getitem__(self, index):
            self.barrier.wait()
            return super().__getitem__(index)

    batches = iterate_indexed(Waiting(6, workers=2, max_queue_size=2))
    assert indices([next(batches)]) == [0]
    assert sorted(c for c in batches.gi_frame.f_locals["dataset"].calls if c != "begin")[:2] == [
        0,
        1,
    ]
    batches.close()


def test_the_error_of_a_worker_is_raised_in_its_turn():
    class Failing(Numbered):
        def __getitem__(self, index):
            if index == 2:
                raise OSError("disk")
            return super().__getitem__(index)

    batches = iterate_indexed(Failing(workers=2))
    assert indices([next(batches), next(batches)]) == [0, 1]
    with pytest.raises(OSError, match="disk"):
        next(batches)


def model():
    model = fjax.Sequential([fjax.Input((2,)), fjax.layers.Dense(1)], seed=0)
    model.compile("sgd", "mse")
    return model


def test_fit_takes_the_batches_in_a_new_order_each_epoch_as_keras_does():
    dataset = Numbered()
    model().fit(dataset, epochs=2, verbose=0)
    # The first batch is read once more, to build the model.
    assert [dataset.calls[i] for i in (0, 1, 8, 9, 16)] == [0, "begin", "end", "begin", "end"]
    epochs = [dataset.calls[2:8], dataset.calls[10:16]]
    assert all(sorted(epoch) == list(range(6)) for epoch in epochs)
    assert epochs[0] != epochs[1]


def test_fit_keeps_the_order_without_shuffling():
    dataset = Numbered()
    model().fit(dataset, epochs=1, verbose=0, shuffle=False)
    assert [call for call in dataset.calls[1:] if isinstance(call, int)] == [0, 1, 2, 3, 4, 5]


def test_a_resumed_source_continues_in_the_order_of_its_epoch():
    def source():
        return LoaderSource(Numbered()).checked(lambda batch: batch, shuffle_seed=7)

    def taken(windows):
        return [
            int(window.data.inputs[0][index, 0, 0])
            for window in windows
            for index in range(window.last)
        ]

    whole, resumed = source(), source()
    orders = [taken(whole.windows(epoch)) for epoch in range(3)]
    resumed.restore({"steps": 14, "epoch": 2, "shuffle_seed": 7})
    assert taken(resumed.windows(2, step=2)) == orders[2][2:]
