"""Sources of batches."""

import hashlib
import itertools
import threading
import time

import jax
import numpy as np
import pytest

from fjax.data import ArraySource, IteratorSource, LoaderSource
from fjax.data.conversion import to_batch
from fjax.data.reading import Reader
from fjax.data.shuffling import order_of_pass
from fjax.preprocessing.dataset import Dataset
from fjax.training.placement import Placement

pytestmark = pytest.mark.short


def taken(source, epoch, start=0, **options):
    """Return the rows of an epoch, batch by batch."""
    batches = []
    for window in source.windows(epoch, start, **options):
        batched = np.asarray(window.data.inputs[0])
        values = batched.reshape(-1, batched.shape[-1])[: window.rows, 0]
        size = window.batch_size
        batches += [
            values[i * size : (i + 1) * size].tolist() for i in range(window.first, window.last)
        ]
    return batches


def data(count):
    return to_batch(np.arange(float(count))[:, None])


def test_an_epoch_has_every_row_once_and_a_smaller_last_batch():
    source = ArraySource(data(10), 4)
    assert taken(source, 0) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert source.steps == 3


def test_large_seeds_give_different_orders():
    first, second = (ArraySource(data(20), 4, 2**63 + seed) for seed in (5, 6))
    assert taken(first, 0) != taken(second, 0)


def test_orders_depend_only_on_seed_and_epoch():
    one, other = ArraySource(data(20), 4, 1), ArraySource(data(20), 4, 1)
    taken(other, 2)
    assert taken(one, 1) == taken(other, 1)
    assert taken(one, 0) != taken(one, 1)
    assert taken(one, 0) != taken(ArraySource(data(20), 4, 2), 0)
    assert sorted(row for batch in taken(one, 5) for row in batch) == list(range(20))


def test_the_bits_of_an_order_are_pinned():
    assert order_of_pass(2**63 + 5, 2**40, 12).tolist() == [10, 2, 4, 3, 0, 6, 11, 9, 7, 1, 8, 5]
    assert order_of_pass(7, 3, 1).tolist() == [0]
    digest = hashlib.sha256(order_of_pass(1, 2, 60_000).tobytes()).hexdigest()
    assert digest == "ca5fd31aa7b611e2dbd583951a66c71512db0d4d16faa71eeed36be8b719a972"


def test_orders_are_uniform():
    counts = np.zeros((4, 4), int)
    for number in range(2000):
        counts[np.arange(4), order_of_pass(3, number, 4)] += 1
    # Each row in each place a quarter of the time: 500, with a standard deviation of 19.
    assert np.abs(counts - 500).max() < 90


def test_an_epoch_can_begin_at_any_step():
    source = ArraySource(data(20), 4, 1)
    assert taken(source, 2, 3) == taken(source, 2)[3:]


def test_steps_per_epoch_continues_where_the_last_epoch_ended():
    whole = ArraySource(data(10), 4, 1)
    passes = taken(whole, 0) + taken(whole, 1) + taken(whole, 2)
    short = ArraySource(data(10), 4, 1, steps_per_epoch=2)
    assert taken(short, 0) + taken(short, 1) + taken(short, 2) == passes[:6]
    long = ArraySource(data(10), 4, 1, steps_per_epoch=5)
    assert taken(long, 0) == passes[:5]


@pytest.mark.parametrize("is_cpu", [True, False])
def test_any_capacity_of_windows_gives_the_same_batches(monkeypatch, is_cpu):
    whole = taken(ArraySource(data(50), 4, 1), 1)
    monkeypatch.setattr(Placement, "is_cpu", is_cpu)
    monkeypatch.setattr("fjax.training.batch.WINDOW_BYTES", 3 * 4 * 4)
    windows = list(ArraySource(data(50), 4, 1).windows(1))
    assert [(window.last, window.batch_size) for window in windows] == [(3, 4)] * 4 + [(1, 2)]
    assert {window.data.inputs[0].shape for window in windows[:-1]} == {(3, 4, 1)}
    assert taken(ArraySource(data(50), 4, 1), 1) == whole
    assert taken(ArraySource(data(50), 4, 1), 1, fill=True) == whole
    assert taken(ArraySource(data(50), 4, 1), 1, 5) == whole[5:]


def test_filled_batches_repeat_the_last_row():
    (window,) = ArraySource(data(10), 4).windows(0, fill=True)
    assert window.is_filled and (window.last, window.rows) == (3, 10)
    assert np.asarray(window.data.inputs[0])[2, :, 0].tolist() == [8, 9, 9, 9]
    (window,) = ArraySource(data(8), 4).windows(0, fill=True)
    assert not window.is_filled


def test_fewer_rows_than_a_batch_are_filled_to_few_sizes():
    sizes = {
        count: next(ArraySource(data(count), 100).windows(0, fill=True)).batch_size
        for count in (1, 2, 5, 33, 65, 99, 100)
    }
    assert sizes == {1: 1, 2: 32, 5: 32, 33: 64, 65: 100, 99: 100, 100: 100}


def test_a_window_is_a_copy_of_the_data():
    batch = data(64)
    (window,) = ArraySource(batch, 8).windows(0)
    batch.inputs[0][:] = -1
    assert np.asarray(window.data.inputs[0]).ravel()[:64].tolist() == list(range(64))


def test_iterables_restart_each_epoch():
    batches = [(np.full((2, 1), i), np.zeros(2)) for i in range(3)]
    source = LoaderSource(batches)
    assert source.steps == 3
    assert source.batch_sizes == (2,)
    assert taken(source, 0) == taken(source, 1) == [[0, 0], [1, 1], [2, 2]]


def test_a_generator_continues_over_epochs():
    source = IteratorSource((np.full((1, 1), i) for i in range(5)), steps_per_epoch=2)
    assert taken(source, 0) == [[0], [1]]
    assert taken(source, 1) == [[2], [3]]
    source.close()


def test_an_exhausted_generator_raises():
    source = IteratorSource(np.full((1, 1), i) for i in range(2))
    assert len(taken(source, 0)) == 2
    with pytest.raises(ValueError, match="no batch in epoch 2: the generator is exhausted"):
        taken(source, 1)


def test_a_short_iterable_restarts_for_steps_per_epoch():
    source = LoaderSource([np.full((1, 1), i) for i in range(3)], steps_per_epoch=5)
    assert taken(source, 0) == [[0], [1], [2], [0], [1]]


def test_an_empty_iterable_raises():
    with pytest.raises(ValueError, match="the iterable is empty"):
        LoaderSource([]).first()


def test_a_data_set_that_shuffles_is_resumed_in_the_order_of_its_epoch():
    def source():
        rows = np.arange(12.0)[:, None]
        return LoaderSource(Dataset.from_tensor_slices(rows).shuffle(12, seed=1).batch(4))

    orders = [taken(source(), epoch) for epoch in range(3)]
    assert orders[0] != orders[1] != orders[2]
    resumed = source()
    resumed.restore({"steps": 7, "epoch": 2, "shuffle_seed": 0})
    assert taken(resumed, 2, 1) == orders[2][1:]


class Sequence:
    """Batches by index, as in a PyDataset of Keras."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return np.full((2, 1), index)


def test_batches_by_index():
    assert taken(LoaderSource(Sequence()), 0) == [[0, 0], [1, 1]]


def test_reading_ahead_is_bounded():
    asked = []

    def batches():
        for i in range(100):
            asked.append(i)
            yield i

    reader = Reader(batches(), lambda item: item)
    reader.allow(None)
    assert next(reader) == 0
    time.sleep(0.3)
    assert len(asked) <= 5
    reader.close()


def endless(gate=None):
    """Yield batches of their number; after the first one, once the gate is open."""
    for i in itertools.count():
        if i and gate is not None:
            gate.wait(20)
        yield np.full((2, 1), i)


def two_windows(batches, gate, steps):
    """Return a source after its first batch, and its window of all other batches."""
    source = IteratorSource(batches, steps_per_epoch=steps)
    windows = source.windows(0)
    assert next(windows).last == 1
    gate.set()
    wait_until(lambda: len(source._reader._ready) == steps - 1)
    return source, next(windows)


def test_batches_that_are_ready_become_one_window():
    gate = threading.Event()
    source, window = two_windows(endless(gate), gate, 20)
    assert window.last == 19
    source.close()


def test_one_batch_is_read_for_a_window_if_hooks_need_each_step():
    source = IteratorSource(endless(), steps_per_epoch=5)
    assert [window.last for window in source.windows(0, most=1)] == [1] * 5
    source.close()


def test_batches_that_were_not_used_are_the_next():
    gate = threading.Event()
    batches = endless(gate)
    source, window = two_windows(batches, gate, 6)
    source.put_back(window.last - 1)
    source.close()
    again = IteratorSource(batches, steps_per_epoch=3)
    assert taken(again, 0) == [[2, 2], [3, 3], [4, 4]]
    again.close()


def test_batches_of_other_shapes_have_windows_of_their_own():
    shapes = [(4, 2), (4, 2), (4, 3), (2, 2), (4, 2)]
    batches = [np.full(shape, i) for i, shape in enumerate(shapes)]
    exact = taken(LoaderSource(batches), 0)
    assert exact == [[i] * shape[0] for i, shape in enumerate(shapes)]
    assert taken(LoaderSource(batches), 0, fill=True) == exact
    windows = list(LoaderSource(batches).windows(0, fill=True))
    filled = [window for window in windows if window.is_filled]
    assert [(window.rows, window.batch_size) for window in filled] == [(2, 4)]


def test_an_error_comes_after_the_batches_before_it():
    def batches():
        yield np.zeros((2, 1))
        yield np.ones((2, 1))
        raise OSError("disk")

    source, steps = IteratorSource(batches()), 0
    with pytest.raises(OSError, match="disk") as caught:
        for window in source.windows(0):
            steps += window.last
    assert steps == 2
    assert caught.traceback[-1].name == "batches"


def wait_until(condition):
    deadline = time.time() + 10
    while not condition():
        assert time.time() < deadline
        time.sleep(0.005)


def test_an_error_in_the_thread_is_raised_and_the_thread_ends():
    def batches():
        yield 1
        raise KeyError("lost")

    with pytest.raises(KeyError, match="lost"):
        list(Reader(batches(), lambda item: item))
    deadline = time.time() + 5
    while (
        any(t.name == "fjax-read-ahead" for t in threading.enumerate()) and time.time() < deadline
    ):
        time.sleep(0.01)
    assert not any(t.name == "fjax-read-ahead" for t in threading.enumerate())


def test_a_batch_of_four_parts_raises():
    with pytest.raises(ValueError, match="received a tuple of 4"):
        list(LoaderSource([(1, 2, 3, 4)]).windows(0))


@pytest.mark.parametrize("is_cpu", [True, False])
def test_windows_are_transferred_to_devices_that_cannot_read_them_in_place(monkeypatch, is_cpu):
    monkeypatch.setattr(Placement, "is_cpu", is_cpu)
    (window,) = ArraySource(data(4), 2).windows(0)
    assert isinstance(window.data.inputs[0], np.ndarray if is_cpu else jax.Array)


def test_a_program_reads_a_window_in_place():
    (window,) = ArraySource(data(64), 2).windows(0)
    rows = window.data.inputs[0]
    assert jax.device_put(rows).unsafe_buffer_pointer() == rows.ctypes.data
