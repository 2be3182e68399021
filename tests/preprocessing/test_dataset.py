"""The methods of `Dataset`, and TensorFlow's orders."""

import threading

import jax.numpy as jnp
import numpy as np
import pytest

from fjax.preprocessing.dataset import AUTOTUNE, Dataset
from fjax.preprocessing.shuffle_buffer import random_words
from fjax.preprocessing.threads import map_in_threads, read_ahead


def numbers(count):
    return Dataset.from_tensor_slices(np.arange(count))


def values(dataset):
    return [int(value) for value in dataset]


# What TensorFlow 2.21 yields for `tf.data.Dataset.range(count).shuffle(size, seed)`: a few
# passes, and the one with `reshuffle_each_iteration=False`.
ORDERS = {
    (10, 4, 7): (
        [[0, 4, 2, 3, 5, 6, 1, 8, 7, 9], [1, 3, 0, 4, 6, 5, 7, 8, 9, 2]],
        [3, 4, 0, 5, 1, 8, 2, 7, 6, 9],
    ),
    (6, 10, 0): ([[0, 1, 2, 5, 3, 4], [3, 0, 2, 5, 1, 4], [1, 3, 2, 5, 4, 0]], [3, 4, 1, 5, 0, 2]),
}


@pytest.mark.parametrize(("count", "size", "seed"), ORDERS)
def test_orders_are_those_of_tensorflow(count, size, seed):
    passes, fixed = ORDERS[count, size, seed]
    dataset = numbers(count).shuffle(size, seed)
    assert [values(dataset) for _ in passes] == passes
    assert [values(dataset.iterate_pass(number)) for number in range(len(passes))] == passes
    dataset = numbers(count).shuffle(size, seed, reshuffle_each_iteration=False)
    assert values(dataset) == values(dataset) == fixed


def test_random_words_are_those_of_the_paper():
    # The known answers for Philox-4x32-10 in Random123's `kat_vectors`.
    words = random_words(0, 0)
    assert [next(words) for _ in range(4)] == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


def test_data_sets_that_share_a_shuffle_share_its_passes():
    # As in TensorFlow: looking at a batch before training advances the order.
    passes = ORDERS[6, 10, 0][0]
    shuffled = numbers(6).shuffle(10, 0)
    assert values(shuffled.take(1)) == passes[0][:1]
    assert values(shuffled) == passes[1]


def test_map_passes_the_parts_of_a_tuple_as_arguments():
    pairs = Dataset.from_tensor_slices((np.arange(4), np.arange(4) * 2))
    for workers in (None, 2, AUTOTUNE):
        assert values(pairs.map(lambda x, y: x + y, workers)) == [0, 3, 6, 9]
    records = Dataset.from_tensor_slices({"a": np.arange(3)})
    assert values(records.map(lambda record: record["a"])) == [0, 1, 2]


def test_batches():
    assert [batch.tolist() for batch in numbers(5).batch(2)] == [[0, 1], [2, 3], [4]]
    assert [batch.tolist() for batch in numbers(5).batch(2, drop_remainder=True)] == [
        [0, 1],
        [2, 3],
    ]
    assert values(numbers(5).batch(2).unbatch()) == [0, 1, 2, 3, 4]
    x, y = next(iter(Dataset.from_tensor_slices((np.eye(2), ["a", "b"])).batch(2)))
    assert x.shape == (2, 2) and y.tolist() == ["a", "b"] and y.dtype == object


def test_padded_batches():
    rows = Dataset.from_items([np.ones(length, "float32") for length in (1, 3, 2)])
    assert [batch.tolist() for batch in rows.padded_batch(2)] == [[[1, 0, 0], [1, 1, 1]], [[1, 1]]]
    with pytest.raises(ValueError, match=r"`batch` takes elements of one shape, received \[\(1,\)"):
        list(rows.batch(2))


def test_lengths():
    for dataset in (
        numbers(7), numbers(7).batch(3), numbers(7).batch(3, True), numbers(7).take(3),
        numbers(7).take(-1), numbers(7).skip(9), numbers(7).repeat(2),
        numbers(7).shuffle(2).cache(), numbers(7).map(lambda x: x).prefetch(2),
        numbers(7).map(lambda x: x, 2),
    ):  # fmt: skip
        assert len(dataset) == dataset.cardinality() == len(list(dataset))
    for dataset in (numbers(3).repeat(), numbers(3).filter(bool), numbers(3).batch(2).unbatch()):
        assert not hasattr(dataset, "__len__") and dataset.cardinality() == -2


def test_selections():
    assert values(numbers(9).filter(lambda x: x % 3 == 0)) == [0, 3, 6]
    assert values(numbers(9).skip(6)) == [6, 7, 8]
    assert values(numbers(2).repeat().take(5)) == [0, 1, 0, 1, 0]
    assert values(numbers(0).repeat()) == []


def test_cache_keeps_the_first_whole_pass():
    calls = []
    cached = numbers(4).map(lambda x: calls.append(int(x)) or x).cache()
    assert values(cached.take(2)) == [0, 1] and len(calls) == 2
    assert values(cached) == values(cached) == [0, 1, 2, 3]
    assert len(calls) == 6


def test_repeated_passes_are_shuffled_again():
    repeated = numbers(6).shuffle(6, seed=1).repeat(2)
    assert values(repeated.iterate_pass(1))[:6] == values(numbers(6).shuffle(6, 1).iterate_pass(2))
    assert sorted(values(repeated)[6:]) == list(range(6))


def test_arrays_have_the_method_numpy():
    batch = next(iter(numbers(3).batch(3)))
    assert type(batch.numpy()) is np.ndarray and type(batch[:2].numpy()) is np.ndarray
    assert [type(x) for x in numbers(2).batch(1).as_numpy_iterator()] == [np.ndarray] * 2
    np.testing.assert_array_equal(jnp.asarray(batch) + 1, [1, 2, 3])


def test_threads_keep_the_order_and_the_bound():
    started, gate = [], threading.Event()

    def wait(item):
        started.append(item)
        if item == 0:
            gate.wait(10)
        return item

    results = map_in_threads(wait, range(100), 2)
    taken = []
    reader = threading.Thread(target=lambda: taken.extend(results))
    reader.start()
    while len(started) < 5:
        pass
    # Two threads, and at most twice as many values beside the one that is waited for.
    assert len(started) <= 6 and not taken
    gate.set()
    reader.join(10)
    assert taken == list(range(100))


def test_errors_reach_the_reader_in_order_and_end_the_threads():
    def fail(item):
        if item == 3:
            raise ValueError("the fourth")
        return item

    before = threading.active_count()
    for iterate in (
        lambda: map_in_threads(fail, range(9), 2),
        lambda: read_ahead(map(fail, range(9)), 2),
    ):
        taken = []
        with pytest.raises(ValueError, match="the fourth"):
            for item in iterate():
                taken.append(item)
        assert taken == [0, 1, 2]
    assert threading.active_count() == before


def test_a_pass_that_is_left_ends_its_threads():
    before = threading.active_count()
    elements = iter(numbers(50).map(lambda x: x, 2).prefetch(3))
    assert int(next(elements)) == 0
    elements.close()
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: numbers(3).batch(0), "`batch_size` must be an integer of at least 1"),
        (lambda: numbers(3).shuffle(0), "`buffer_size` must be an integer of at least 1"),
        (lambda: numbers(3).shuffle(2, seed=-1), "`seed` must be an integer from 0"),
        (lambda: numbers(3).map(abs, 0), "`num_parallel_calls` must be an integer of at least 1"),
        (lambda: numbers(3).take(-2), "`count` must be an integer of at least 0"),
        (lambda: Dataset.from_tensor_slices((np.ones(2), np.ones(3))), "arrays of one length"),
        (lambda: Dataset.from_tensor_slices(3), "arrays of one length"),
        (lambda: list(Dataset.from_items([1, (1, 2)]).batch(2)), "elements of one structure"),
    ],
)
def test_mistakes_are_clear_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
