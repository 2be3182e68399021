import numpy as np
import pytest
from sklearn.datasets import load_digits

from fjax.datasets import digits

pytestmark = pytest.mark.short


def test_digits_equal_those_of_scikit_learn():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert x_train.shape == (1437, 8, 8) and y_train.shape == (1437,)
    assert x_test.shape == (360, 8, 8) and y_test.shape == (360,)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}
    theirs = load_digits()
    order = np.random.default_rng(0).permutation(1797)
    np.testing.assert_array_equal(np.concatenate([x_train, x_test]), theirs.images[order])
    np.testing.assert_array_equal(np.concatenate([y_train, y_test]), theirs.target[order])


def test_each_part_has_every_digit():
    (_, y_train), (_, y_test) = digits.load_data()
    assert np.bincount(y_train).min() >= 100
    assert np.bincount(y_test).min() > 25


def test_arrays_are_not_shared():
    (x_train, _), _ = digits.load_data()
    x_train[:] = 0
    assert digits.load_data()[0][0].any()
