"""Row weights are relative, and a weight of 2 equals two rows."""

import numpy as np
import pytest

from fjax.wrappers import SKLearnRegressor
from fjax.wrappers.examples import Examples


def predictions(build, data, weight=None, **options):
    options = {"epochs": 3, "random_state": 0, "n_hidden": 1, **options}
    return SKLearnRegressor(build, **options).fit(*data, sample_weight=weight).predict(data[0])


@pytest.fixture
def weight():
    return np.random.default_rng(1).integers(0, 4, 40)


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_weight_of_two_equals_two_rows_to_the_bit(build, line, weight, shuffled):
    x, y = line
    index = np.repeat(np.arange(40), weight)
    if shuffled:
        np.random.default_rng(2).shuffle(index)
    options = {"batch_size": 200, "epochs": 3, "random_state": 0, "n_hidden": 1}
    repeated = SKLearnRegressor(build, **options).fit(x[index], y[index]).predict(x)
    assert (predictions(build, line, weight, batch_size=200) == repeated).all()


def test_a_weight_of_zero_equals_an_absent_row(build, line, weight):
    x, y = line
    kept = weight > 0
    options = {"epochs": 3, "random_state": 0, "n_hidden": 1, "batch_size": 8}
    absent = SKLearnRegressor(build, **options).fit(x[kept], y[kept]).predict(x)
    assert (predictions(build, line, kept * 1.0, batch_size=8) == absent).all()


def test_weights_are_relative(build, line, weight):
    weight = weight + 0.5
    one = predictions(build, line, weight, batch_size=8)
    many = predictions(build, line, 1024 * weight, batch_size=8)
    assert (one == many).all() and (one != predictions(build, line, batch_size=8)).any()


def test_rows_in_training_order():
    x = np.array([[3.0], [1.0], [2.0]], np.float32)
    examples = Examples(x, x[:, 0], np.array([1.0, 2.0, 3.0]))
    one_batch = examples.in_training_order(None)
    assert sorted(one_batch.y.tolist()) == [1, 1, 2, 2, 2, 3]
    assert one_batch.relative_weight is None
    several = examples.in_training_order(2)
    assert (several.x == x).all() and several.relative_weight.tolist() == [0.5, 1.0, 1.5]
    again = examples.rows([2, 0, 1]).in_training_order(6)
    assert again.y.tolist() == one_batch.y.tolist()
    parts = examples._replace(sample_weight=np.array([0.5, 1.0, 1.5])).in_training_order(3)
    assert sorted(zip(parts.y, parts.sample_weight, strict=True)) == [(1, 1), (2, 1.5), (3, 0.5)]
