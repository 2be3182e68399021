"""The draws of `fjax.random` are those of `keras.random`, to the bit."""

import inspect

import jax.numpy as jnp
import keras
import numpy as np
import pytest

from fjax import random, utils

LOGITS = np.log(np.array([[0.1, 0.2, 0.7], [0.5, 0.4, 0.1]], "float32"))
ARRAY = jnp.arange(24, dtype="float32").reshape(4, 6)

CASES = {
    "normal": [((2, 3),), ((4,), 1.0, 2.0, "float16")],
    "uniform": [((2, 3),), ((4,), -1.0, 2.0)],
    "truncated_normal": [((5, 3),), ((4,), 1.0, 0.5)],
    "randint": [((6,), 0, 10), ((6,), -3, 3, "uint8")],
    "categorical": [(LOGITS, 5), (LOGITS, 2, "int16")],
    "dropout": [
        (ARRAY, 0.3),
        (ARRAY, 0.5, (4, 1)),
        (ARRAY, 0.5, (None, 1)),
        (ARRAY, 0),
        (ARRAY, 1),
    ],
    "shuffle": [(ARRAY,), (ARRAY, 1)],
    "gamma": [((5,), 2.0), ((3, 2), np.array([0.5, 3.0], "float32"))],
    "beta": [((5,), 2.0, 3.0)],
    "binomial": [((5,), 10.0, 0.3), ((2,), [4.0, 5.0], [0.5, 0.9])],
}
ALL = [(name, number) for name, cases in CASES.items() for number in range(len(cases))]


def check_same_bits(found, expected):
    assert str(found.dtype) == str(expected.dtype)
    np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))


def test_all_functions_of_keras_are_there():
    names = {name for name in dir(keras.random) if not name.startswith("_")}
    assert set(CASES) == names - {"SeedGenerator"}
    for name in names - {"SeedGenerator"}:
        ours, theirs = (inspect.signature(getattr(m, name)) for m in (random, keras.random))
        assert [(p.name, p.default) for p in ours.parameters.values()] == [
            (p.name, p.default) for p in theirs.parameters.values()
        ]


@pytest.mark.parametrize(("name", "number"), ALL)
def test_an_integer_seed(name, number):
    args = CASES[name][number]
    for seed in (0, 42, 2**32 - 1):
        expected = getattr(keras.random, name)(*args, seed=seed)
        check_same_bits(getattr(random, name)(*args, seed=seed), expected)


@pytest.mark.parametrize("name", CASES)
def test_a_seed_generator(name):
    args = CASES[name][0]
    ours, theirs = random.SeedGenerator(7), keras.random.SeedGenerator(7)
    for _ in range(3):
        expected = getattr(keras.random, name)(*args, seed=theirs)
        check_same_bits(getattr(random, name)(*args, seed=ours), expected)
    np.testing.assert_array_equal(ours.state.numpy(), np.asarray(theirs.state))


def test_no_seed_after_set_random_seed():
    keras.utils.set_random_seed(3)
    expected = [keras.random.normal((3,)) for _ in range(2)]
    utils.set_random_seed(3)
    for each in expected:
        check_same_bits(random.normal((3,)), each)
