"""Batches of generators and loaders are used in their order, and no batch is lost."""

import time

import ml_dtypes
import numpy as np
import pytest

from fjax import Model, Sequential
from fjax.callbacks import Callback
from fjax.data.reading import Reader, stream_of
from fjax.layers import Dense, Input


def model_of(size=1):
    model = Sequential([Input((size,)), Dense(1)], seed=0)
    model.compile("sgd", "mse")
    return model


def numbered(log, seconds=0.0):
    """Yield endless batches whose values are the number of the batch."""
    number = 0
    while True:
        time.sleep(seconds)
        log.append(number)
        yield np.full((2, 1), number, "float32"), np.full((2, 1), number, "float32")
        number += 1


class StopAfter(Callback):
    """Stop the training after a number of steps."""

    def __init__(self, stop_after=None):
        super().__init__()
        self.stop_after, self.count = stop_after, 0

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1
        if self.count == self.stop_after:
            self.model.stop_training = True


def test_no_batch_of_a_generator_is_lost():
    model, log = model_of(), []
    batches = numbered(log)
    model.fit(batches, steps_per_epoch=3, epochs=2, verbose=0)
    assert log == list(range(6))
    model.fit(batches, steps_per_epoch=2, verbose=0)
    assert log == list(range(8))
    assert next(batches)[0][0, 0] == 8


@pytest.mark.parametrize("wrap", [iter, lambda batches: map(tuple, batches)])
def test_the_next_fit_uses_the_batches_that_a_stopped_one_read(wrap):
    model, log, losses = model_of(), [], []
    batches = wrap(numbered(log))
    model.fit(batches, steps_per_epoch=50, verbose=0, callbacks=[StopAfter(stop_after=3)])
    read = len(log)
    assert 3 <= read <= 6

    def step(train_state, batch):
        return train_state, {"loss": batch.inputs[0].mean()}

    model.compile("sgd", "mse", train_step=step)
    for _ in range(4):
        losses += model.fit(batches, steps_per_epoch=1, verbose=0).history["loss"]
    assert losses == [3.0, 4.0, 5.0, 6.0]


def test_a_slow_generator_can_be_used_twice():
    slow = iter(slowly())
    first = Reader(slow, lambda item: item, stream_of(slow))
    first.allow(None)
    assert next(first) == 0
    first._thread.join = lambda timeout: None
    first.close()
    # The thread of the first one is still within the generator.
    second = Reader(slow, lambda item: item, stream_of(slow))
    assert [next(second) for _ in range(4)] == [1, 2, 3, 4]
    second.close()


def slowly():
    for number in range(10):
        yield number
        time.sleep(0.3)


def test_unused_items_keep_their_order():
    items = iter(range(20))
    counter = []
    for count in (1, 3, 2, 5, 4):
        reader = Reader(items, lambda item: (time.sleep(0.002), item)[1], stream_of(items))
        reader.allow(None)
        counter += [next(reader) for _ in range(count)]
        reader.close()
    assert counter == list(range(15))


def test_an_error_of_a_generator_is_raised_at_its_step():
    def batches():
        for number in range(3):
            yield np.full((2, 1), number), np.zeros((2, 1))
        raise LookupError("the fourth is missing")

    counter = StopAfter()
    with pytest.raises(LookupError, match="the fourth is missing") as caught:
        model_of().fit(batches(), steps_per_epoch=10, verbose=0, callbacks=[counter])
    assert counter.count == 3
    assert caught.traceback[-1].name == "batches"


class Loader:
    """Yield lists of arrays, as a PyTorch `DataLoader` does."""

    def __init__(self, *arrays):
        self.arrays = arrays

    def __len__(self):
        return 4

    def __iter__(self):
        for start in range(0, 8, 2):
            yield [array[start : start + 2] for array in self.arrays]


X = np.arange(8, dtype="float32").reshape(8, 1) / 8


def test_a_list_of_two_is_inputs_and_targets():
    one, other = model_of(), model_of()
    one.fit(Loader(X, 2 * X), epochs=2, verbose=0)
    other.fit(X, 2 * X, batch_size=2, epochs=2, shuffle=False, verbose=0)
    for found, wanted in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(
        one.evaluate(Loader(X, X), verbose=0), one.evaluate(X, X, batch_size=2, verbose=0)
    )


def test_batches_of_a_real_loader():
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(2 * X))
    one, other = model_of(), model_of()
    one.fit(torch.utils.data.DataLoader(data, batch_size=2), epochs=2, verbose=0)
    other.fit(X, 2 * X, batch_size=2, epochs=2, shuffle=False, verbose=0)
    for found, wanted in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_a_list_of_three_warns():
    with pytest.warns(UserWarning, match=r"lists of three.*`sample_weight`"):
        model_of().fit(Loader(X, X, np.ones(8, "float32")), verbose=0)
    with (
        pytest.warns(UserWarning, match="lists of three"),
        pytest.raises(ValueError, match="`sample_weight` must hold one number for each sample"),
    ):
        model_of().fit(Loader(X, X, np.ones((8, 3, 3), "float32")), verbose=0)


def test_a_list_of_four_raises():
    with pytest.raises(ValueError, match=r"received a list of 4.*\(\(x1, x2\), y\)"):
        model_of().fit(Loader(X, X, X, X), verbose=0)


def test_batches_as_dicts_raise_with_a_hint():
    batches = [{"image": X, "label": X}]
    with pytest.raises(ValueError, match=r"a dict with 'image', 'label'.*fjax.Model"):
        model_of().fit(iter(batches), verbose=0)


@pytest.mark.parametrize("dtype", [ml_dtypes.bfloat16, "float16"])
def test_small_floats_are_numbers(dtype):
    inputs = Input((1,), dtype="float32")
    model = Model(inputs, Dense(1)(inputs), seed=0)
    model.compile("sgd", "mse")
    history = model.fit(X.astype(dtype), X.astype(dtype), epochs=2, verbose=0).history["loss"]
    assert np.isfinite(history).all()
    assert np.isfinite(model.evaluate(X.astype(dtype), X.astype(dtype), verbose=0))
    bad = X.astype(dtype)
    bad[3] = np.nan
    with pytest.raises(ValueError, match="NaN or infinite, the first is nan at row 3"):
        model.fit(bad, X, verbose=0)


def test_an_invalid_first_batch_is_used_up():
    model, batches = model_of(), numbered([])
    bad = (
        item for item in [(np.ones((2, 3)), np.ones((2, 1))), *(next(batches) for _ in range(3))]
    )
    with pytest.raises(ValueError, match="samples of shape"):
        model.fit(bad, steps_per_epoch=1, verbose=0)
    model.fit(bad, steps_per_epoch=1, verbose=0)
