"""Python's operators and indexing of symbolic tensors, compared with Keras."""

import keras
import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)

EXPRESSIONS = {
    "a + b": lambda a, b: a + b,
    "a - b": lambda a, b: a - b,
    "a * b": lambda a, b: a * b,
    "a / b": lambda a, b: a / b,
    "a // b": lambda a, b: a // b,
    "a % b": lambda a, b: a % b,
    "b ** a": lambda a, b: b**a,
    "a + 1": lambda a, b: a + 1,
    "1 + a": lambda a, b: 1 + a,
    "2 * a - 1": lambda a, b: 2 * a - 1,
    "1 - a": lambda a, b: 1 - a,
    "1.5 / b": lambda a, b: 1.5 / b,
    "a ** 2": lambda a, b: a**2,
    "2 ** a": lambda a, b: 2**a,
    "b // 0.5": lambda a, b: b // 0.5,
    "3 // b": lambda a, b: 3 // b,
    "3 % b": lambda a, b: 3 % b,
    "-a": lambda a, b: -a,
    "abs(a)": lambda a, b: abs(a),
    "a @ b": lambda a, b: a @ b,
    "a > b": lambda a, b: a > b,
    "a >= 0": lambda a, b: a >= 0,
    "a < b": lambda a, b: a < b,
    "a <= 0": lambda a, b: a <= 0,
    "a[:, 1:3]": lambda a, b: a[:, 1:3],
    "a[:, 0]": lambda a, b: a[:, 0],
    "a[:, -1, ::2]": lambda a, b: a[:, -1, ::2],
    "a[..., 1]": lambda a, b: a[..., 1],
    "a[:, None]": lambda a, b: a[:, None],
    "a[:, ::-1]": lambda a, b: a[:, ::-1],
    "a[:, 0] + b[:, 1]": lambda a, b: a[:, 0] + b[:, 1],
    "a - a[:, :1]": lambda a, b: a - a[:, :1],
}


def every_expression(library):
    a, b = library.Input((4, 4)), library.Input((4, 4))
    outputs = [expression(a, b) for expression in EXPRESSIONS.values()]
    return library.Model([a, b], outputs), outputs


@pytest.fixture(scope="module")
def models():
    return {library: every_expression(library) for library in (fjax, keras)}


@pytest.fixture(scope="module")
def values(models, digits):
    pictures, _ = digits
    a, b = pictures[:32, :4, 2:6] - 0.3, pictures[:32, 4:, 2:6] + 0.1
    return [model.predict([a, b], verbose=0) for model, _ in models.values()]


@pytest.mark.parametrize("place", range(len(EXPRESSIONS)), ids=EXPRESSIONS)
def test_the_same_numbers_and_shapes(models, values, place):
    ours, theirs = (outputs[place] for outputs in values)
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    one, other = (tensors[place] for _, tensors in models.values())
    assert (one.shape, one.dtype) == (other.shape, other.dtype)
