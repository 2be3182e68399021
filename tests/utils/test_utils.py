"""Random seeds, one-hot labels, normalized rows."""

import random

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import fjax
from fjax.utils import normalize, set_random_seed, to_categorical

pytestmark = pytest.mark.short


def test_a_seed_makes_random_numbers_of_python_and_numpy_reproducible():
    set_random_seed(1)
    first = random.random(), np.random.random()
    set_random_seed(1)
    assert (random.random(), np.random.random()) == first


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "a", None])
def test_invalid_seeds_raise(seed):
    with pytest.raises(ValueError, match="`set_random_seed`: `seed` must be an integer from 0"):
        set_random_seed(seed)


def test_labels_become_one_hot_rows():
    np.testing.assert_array_equal(to_categorical([[1], [0]]), [[0, 1], [1, 0]])
    assert to_categorical([1], num_classes=4).shape == (1, 4)
    assert to_categorical(np.zeros((2, 3), int), 5).shape == (2, 3, 5)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, -1], r"found -1 at \(1,\)"),
        ([0.5], "found 0.5"),
        ([3], "integers from 0 to 2, found 3"),
        ([], "needs class labels"),
        (["a"], "needs class labels"),
    ],
)
def test_invalid_labels_raise(labels, message):
    with pytest.raises(ValueError, match=message):
        to_categorical(labels, 3)


def test_one_hot_rows_equal_those_of_keras():
    for labels, count in (([0, 2, 1], None), ([[1], [0]], 4), (np.ones((2, 3), int), 3)):
        rows = to_categorical(labels, count)
        expected = keras.utils.to_categorical(labels, count)
        np.testing.assert_array_equal(rows, expected)


def test_normalized_rows_equal_those_of_keras():
    x = np.random.default_rng(0).normal(size=(3, 4, 2))
    x[1] = 0
    for arguments in ({}, {"axis": 1}, {"axis": -2, "order": 1}, {"axis": 2, "order": 3}):
        np.testing.assert_allclose(normalize(x, **arguments), keras.utils.normalize(x, **arguments))
    # `keras.utils.normalize` of Keras 3.15 raises for axis 0; `keras.ops.normalize` does not.
    np.testing.assert_allclose(
        normalize(x, axis=0), keras.ops.normalize(x.astype("float32"), axis=0), rtol=1e-5
    )


def test_rows_of_zeros_stay_zeros():
    np.testing.assert_array_equal(normalize(np.zeros((2, 3))), np.zeros((2, 3)))
    np.testing.assert_allclose(
        np.linalg.norm(normalize(np.arange(1.0, 7).reshape(2, 3)), axis=1), 1
    )


def test_arrays_in_traced_functions_and_symbols_equal_those_of_keras():
    rows = jnp.array([[3.0, 4.0, 0.0], [0.0, 0.0, 0.0]])
    labels = jnp.array([[2], [0]])
    inputs, targets = fjax.Input((3,)), fjax.Input((1,), dtype="int32")
    outputs = [normalize(inputs, axis=1), to_categorical(targets, 3)]
    symbolic = fjax.Model([inputs, targets], outputs)(rows, labels)
    traced = jax.jit(lambda a, b: (normalize(a, axis=1), to_categorical(b, 3)))(rows, labels)
    expected = keras.utils.normalize(rows, axis=1), keras.utils.to_categorical(labels, 3)
    for ours in (symbolic, traced, (normalize(rows, axis=1), to_categorical(labels, 3))):
        for array, theirs in zip(ours, expected, strict=True):
            np.testing.assert_allclose(array, theirs, rtol=1e-6)


def test_labels_without_values_need_the_number_of_classes():
    with pytest.raises(ValueError, match="needs `num_classes`"):
        jax.eval_shape(to_categorical, jnp.array([1]))
