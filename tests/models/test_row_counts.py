"""One compilation of each program serves any number of rows."""

import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten, Input
from fjax.training.filled_batches import can_be_filled

pytestmark = pytest.mark.short

COUNTS = (33, 40, 63, 64, 65, 97, 128, 200, 301, 1000)


def numbers(*shape, seed=0):
    return np.random.RandomState(seed).standard_normal(shape).astype("float32")


def network(*layers, shape=(4,)):
    model = fjax.Sequential([Input(shape), *layers], seed=0)
    model.compile("adam", "mse", metrics=["mae"])
    return model


def dense():
    return network(Dense(5, "relu"), Dropout(0.2), Dense(1))


def compiled(compilations, name):
    return [each for each in compilations if name in each]


@pytest.mark.parametrize("counts", [COUNTS, (2, 5, 9, 17, 31)])
def test_ten_row_counts_need_one_compilation(compilations, counts):
    fjax.backend.clear_session()
    model = dense()
    # Full batches alone do not tell which of their rows count; they have a program of their own.
    counts = [count for count in counts if count % 32]
    compilations.clear()
    for count in counts:
        x = numbers(count, 4)
        model.fit(x, x[:, :1], verbose=0)
        model.evaluate(x, x[:, :1], verbose=0)
        assert model.predict(x, verbose=0).shape == (count, 1)
    for name in ("advance", "measure", "predict"):
        assert len(compiled(compilations, name)) == 1, name


def test_full_batches_need_one_more_compilation_of_the_steps(compilations):
    fjax.backend.clear_session()
    model = dense()
    compilations.clear()
    for count in (32, 64, 65, 128, 100):
        x = numbers(count, 4)
        model.fit(x, x[:, :1], verbose=0)
        model.predict(x, verbose=0)
    assert len(compiled(compilations, "advance")) == 2
    assert len(compiled(compilations, "predict")) == 1


def test_predictions_of_a_row_do_not_depend_on_the_other_rows():
    model, x = dense(), numbers(100, 4)
    whole = model.predict(x, verbose=0)
    for count in (2, 5, 33, 99):
        np.testing.assert_array_equal(model.predict(x[:count], verbose=0), whole[:count])


def test_batch_normalization_predicts_filled_batches_and_trains_on_exact_ones(compilations):
    fjax.backend.clear_session()
    model = network(Conv2D(2, 3), BatchNormalization(), Flatten(), Dense(1), shape=(5, 5, 1))
    x = numbers(70, 5, 5, 1)
    model.fit(x, x[:, 0, 0], verbose=0)
    compilations.clear()
    whole = model.predict(x, verbose=0)
    for count in (3, 40, 69):
        np.testing.assert_array_equal(model.predict(x[:count], verbose=0), whole[:count])
    assert len(compiled(compilations, "predict")) == 1


@pytest.mark.parametrize("count", [7, 32, 33, 95])
def test_a_filled_batch_trains_as_the_exact_batch_does(count):
    x, y = numbers(count, 4), numbers(count, 1, seed=1)
    weight = np.abs(numbers(count, seed=2))
    filled = network(Dense(5, "relu", kernel_regularizer="l2"), Dense(1))
    exact = network(Dense(5, "relu", kernel_regularizer="l2"), lambda x: x, Dense(1))
    exact.set_weights(filled.get_weights())
    histories = [
        model.fit(x, y, sample_weight=weight, epochs=3, verbose=0, shuffle=False).history
        for model in (filled, exact)
    ]
    for name in ("loss", "mae"):
        np.testing.assert_allclose(histories[0][name], histories[1][name], rtol=2e-6)
    for ours, theirs in zip(filled.get_weights(), exact.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("reduction", ["mean", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("count", [7, 40])
def test_the_loss_of_sequences_is_that_of_their_own_batches(reduction, count):
    loss = fjax.losses.MeanSquaredError(reduction=reduction)
    model = fjax.Sequential([Input((5, 3)), Dense(2)], seed=0)
    model.compile("sgd", loss)
    x, y = numbers(count, 5, 3), numbers(count, 5, 2, seed=1)
    outputs = model.predict(x, verbose=0)
    parts = [slice(start, min(start + 32, count)) for start in range(0, count, 32)]
    expected = sum(float(loss(y[rows], outputs[rows])) * (rows.stop - rows.start) for rows in parts)
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), expected / count, rtol=2e-6)


def test_rows_that_fill_a_batch_make_no_gradient_that_is_not_finite():
    # Rows of zeros would: the gradient of a square root at 0 is infinite.
    model = network(Dense(1, kernel_initializer="ones", use_bias=False), jnp.sqrt)
    x = 1 + np.abs(numbers(40, 4))
    model.compile("sgd", "mse")
    history = model.fit(x, x[:, :1], verbose=0).history
    assert can_be_filled(model.network, fjax.losses.MeanSquaredError(), ())
    assert np.isfinite(history["loss"]).all()
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
