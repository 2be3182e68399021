"""Calls after the first one skip what was checked, and still refuse what they must."""

import threading

import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax.layers import Dense, Embedding, GlobalAveragePooling1D, Input

pytestmark = pytest.mark.short


def numbers(*shape, seed=0):
    return np.random.RandomState(seed).standard_normal(shape).astype("float32")


X, Y = numbers(32, 4), numbers(32, 1, seed=1)


def make_model():
    model = fjax.Sequential([Input((4,)), Dense(5, "relu"), Dense(1)], seed=0)
    model.compile("adam", "mse")
    return model


CALLS = {
    "train_on_batch": lambda model, x, y: model.train_on_batch(x, y),
    "test_on_batch": lambda model, x, y: model.test_on_batch(x, y),
    "predict_on_batch": lambda model, x, y: model.predict_on_batch(x),
    "predict": lambda model, x, y: model.predict(x, verbose=0),
    "call": lambda model, x, y: model(x),
}


@pytest.fixture(params=CALLS)
def call(request):
    return CALLS[request.param]


def test_another_rank_or_size_is_an_error(call):
    model = make_model()
    call(model, X, Y)
    for x in (numbers(32, 4, 2), numbers(32, 3)):
        with pytest.raises(ValueError, match=r"samples of shape"):
            call(model, x, Y)


def test_numbers_that_are_not_finite_are_an_error(call):
    model = make_model()
    call(model, X, Y)
    with pytest.raises(ValueError, match="`x` has 32 entries that are NaN or infinite"):
        call(model, np.where(np.arange(4) == 1, np.nan, X), Y)


def test_a_label_or_a_token_out_of_range_is_an_error():
    model = fjax.Sequential(
        [Input((3,), dtype="int32"), Embedding(5, 2), GlobalAveragePooling1D(), Dense(3, "softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    tokens, labels = np.zeros((4, 3), int), np.zeros(4, int)
    model.train_on_batch(tokens, labels)
    with pytest.raises(ValueError, match="3"):
        model.train_on_batch(tokens, labels + 3)
    for call in (model, model.predict_on_batch, lambda x: model.train_on_batch(x, labels)):
        with pytest.raises(ValueError, match="5"):
            call(tokens + 5)


def test_the_calls_use_the_current_weights(call):
    model = make_model()
    call(model, X, Y)
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    np.testing.assert_array_equal(model(X), 0)
    np.testing.assert_array_equal(model.predict_on_batch(X), 0)
    np.testing.assert_allclose(model.test_on_batch(X, Y), np.mean(Y**2), rtol=1e-6)


def test_the_calls_use_the_current_code(monkeypatch):
    model = make_model()
    first = [np.asarray(each) for each in (model(X), model.predict_on_batch(X), model.predict(X))]
    own = Dense.apply
    monkeypatch.setattr(Dense, "apply", lambda *args, **options: (own(*args, **options)[0] + 1, {}))
    second = [model(X), model.predict_on_batch(X), model.predict(X, verbose=0)]
    for before, after in zip(first, second, strict=True):
        assert not np.allclose(before, after)


def test_a_call_on_one_row_is_the_row_of_the_call_on_all():
    model = make_model()
    np.testing.assert_allclose(model(X)[:1], model(X[:1]), rtol=1e-6)
    assert isinstance(model(X[:1]), jnp.ndarray)


def test_a_users_layer_runs_uncompiled_so_that_it_may_print_values():
    seen = []

    class Printing(fjax.layers.Layer):
        def call(self, inputs):
            seen.append(inputs)
            return -inputs

    model = fjax.Sequential([Printing()])
    assert np.asarray(model(np.array([[-1.0, -2.0]]))).tolist() == [[1.0, 2.0]]
    assert np.asarray(seen[-1]).tolist() == [[-1.0, -2.0]]


def test_outputs_of_predict_on_batch_may_be_written_to():
    outputs = make_model().predict_on_batch(X)
    outputs[:] = 0


def test_the_inputs_of_a_call_may_be_written_to_at_once():
    width = 1000
    memory = np.ones(width * width + 16, "float32")
    # XLA reads an array in place if it begins at a multiple of 64 bytes.
    start = -memory.ctypes.data % 64 // 4
    x = memory[start : start + width * width].reshape(width, width)
    layers = [Dense(width, kernel_initializer="zeros") for _ in range(8)]
    inputs = Input((width,))
    slow = fjax.Sequential(layers)(inputs)
    model = fjax.Model(inputs, fjax.layers.Add()([inputs, slow]))
    model(x).block_until_ready()
    outputs = model(x)
    x[:] = 5
    np.testing.assert_array_equal(outputs, 1)


def test_two_threads_predict_at_once():
    model = make_model()
    expected = {count: model.predict(X[:count], verbose=0) for count in (5, 32)}
    errors = []

    def predict(count):
        for _ in range(20):
            for result in (
                model.predict(X[:count], verbose=0),
                model.predict_on_batch(X[:count]),
                np.asarray(model(X[:count])),
            ):
                if not np.allclose(result, expected[count], rtol=1e-5):
                    errors.append(count)

    threads = [threading.Thread(target=predict, args=(count,)) for count in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


@pytest.mark.parametrize("hooks", [False, True])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (None, "`x` is None"),
        ((numbers(8, 3), Y[:8]), r"samples of shape \(3,\)"),
        ((X[:8], Y[:7]), "8 samples and `y` has 7"),
        ((X[:8] * np.nan, Y[:8]), "NaN or infinite"),
    ],
)
def test_an_invalid_batch_of_a_stream_raises_at_its_step(bad, message, hooks):
    model = make_model()
    steps = []

    def batches():
        for _ in range(5):
            yield X[:8], Y[:8]
        yield bad
        raise AssertionError("read after the invalid batch")

    class Count(fjax.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            steps.append(batch)

    with pytest.raises(ValueError, match=message):
        model.fit(batches(), steps_per_epoch=9, verbose=0, callbacks=[Count()] if hooks else [])
    assert int(model.train_state.step) == 5
    assert steps == (list(range(5)) if hooks else [])


def test_batches_of_several_dtypes_and_sizes_train_as_one_by_one():
    sizes, dtypes = (8, 8, 5, 8, 3), ("float32", "float64", "float32", "int64", "float32")
    batches = [
        (numbers(size, 4, seed=size).astype(dtype), numbers(size, 1, seed=2))
        for size, dtype in zip(sizes, dtypes, strict=True)
    ]
    together, alone = make_model(), make_model()
    together.fit(batches.__iter__(), steps_per_epoch=5, verbose=0)
    for x, y in batches:
        alone.train_on_batch(x, y)
    for ours, theirs in zip(together.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
