"""Each function of `fjax.ops` gives the numbers, shapes and dtypes of `keras.ops`."""

import inspect

import jax
import keras
import numpy as np
import pytest

import fjax
from fjax import ops
from tests.ops.catalogue import CASES

pytestmark = pytest.mark.sampled(3)

ALL = [(name, number) for name, cases in CASES.items() for number in range(len(cases))]

# Functions of functions, whose results are functions.
OF_FUNCTIONS = {"custom_gradient", "vectorize"}


def find(module, name):
    for part in name.split("."):
        module = getattr(module, part)
    return module


def names_of(module, prefix=""):
    functions = {prefix + name for name, _ in inspect.getmembers(module, callable)}
    return {name for name in functions if not name.rpartition(".")[2].startswith("_")}


KERAS_NAMES = names_of(keras.ops) | names_of(keras.ops.image, "image.")


def check_equal(found, expected, path=""):
    if isinstance(expected, list | tuple):
        assert len(found) == len(expected), path
        for number, pair in enumerate(zip(found, expected, strict=True)):
            check_equal(*pair, f"{path}[{number}]")
        return
    if isinstance(expected, str | bool):
        assert found == expected
        return
    assert np.shape(found) == np.shape(expected), path
    if hasattr(expected, "dtype"):
        assert str(found.dtype) == str(expected.dtype), path
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6, err_msg=path)


def test_every_function_of_keras_is_there():
    assert not KERAS_NAMES - names_of(ops) - names_of(ops.image, "image.")


def test_every_function_has_cases():
    assert set(CASES) == KERAS_NAMES - OF_FUNCTIONS


@pytest.mark.parametrize("family", ["numpy", "nn", "linalg", "image"])
def test_families_have_the_functions_of_keras(family):
    assert names_of(getattr(keras.ops, family)) <= names_of(getattr(ops, family))


@pytest.mark.parametrize("name", sorted(KERAS_NAMES))
def test_parameters_are_those_of_keras(name):
    theirs = inspect.signature(find(keras.ops, name)).parameters
    ours = inspect.signature(find(ops, name)).parameters
    # Only names that Keras itself no longer wants travel in its `kwargs`.
    wanted = {key: p for key, p in theirs.items() if p.kind is not p.VAR_KEYWORD}
    found = {key: p for key, p in ours.items() if p.kind is not p.VAR_KEYWORD}
    assert list(found) == list(wanted)
    for key, parameter in wanted.items():
        assert found[key].default == parameter.default, key
        assert found[key].kind == parameter.kind, key


@pytest.mark.parametrize("name", sorted(KERAS_NAMES))
def test_has_a_docstring(name):
    function = find(ops, name)
    assert len(function.__doc__.split()) >= 2
    assert function.__module__.startswith("fjax.ops.")


@pytest.mark.parametrize(("name", "number"), ALL)
def test_numbers_are_those_of_keras(name, number):
    case = CASES[name][number]
    with jax.numpy_dtype_promotion("standard"):
        expected = find(keras.ops, name)(*case.args, **case.kwargs)
        found = find(fjax.ops, name)(*case.args, **case.kwargs)
    check_equal(found, expected)
