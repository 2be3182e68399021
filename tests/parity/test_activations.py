import inspect

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from fjax import activations

CASES = [
    ("celu", {}),
    ("celu", {"alpha": 0.7}),
    ("elu", {}),
    ("elu", {"alpha": 0.7}),
    ("exponential", {}),
    ("gelu", {}),
    ("gelu", {"approximate": True}),
    ("glu", {}),
    ("glu", {"axis": 0}),
    ("hard_shrink", {}),
    ("hard_shrink", {"threshold": 1.0}),
    ("hard_sigmoid", {}),
    ("hard_silu", {}),
    ("hard_swish", {}),
    ("hard_tanh", {}),
    ("leaky_relu", {}),
    ("leaky_relu", {"negative_slope": 0.4}),
    ("linear", {}),
    ("log_sigmoid", {}),
    ("log_softmax", {}),
    ("log_softmax", {"axis": 0}),
    ("mish", {}),
    ("relu", {}),
    ("relu", {"negative_slope": 0.3}),
    ("relu", {"max_value": 6.0}),
    ("relu", {"max_value": 2.5}),
    ("relu", {"threshold": 1.0}),
    ("relu", {"threshold": -1.0}),
    ("relu", {"threshold": -1.0, "max_value": 2.0}),
    ("relu", {"negative_slope": 0.3, "max_value": 6.0}),
    ("relu", {"negative_slope": 0.3, "threshold": 1.0}),
    ("relu", {"negative_slope": 0.3, "max_value": 2.0, "threshold": 1.0}),
    ("relu6", {}),
    ("selu", {}),
    ("sigmoid", {}),
    ("silu", {}),
    ("soft_shrink", {}),
    ("soft_shrink", {"threshold": 1.0}),
    ("softmax", {}),
    ("softmax", {"axis": 0}),
    ("softmax", {"axis": (0, 1)}),
    ("softplus", {}),
    ("softsign", {}),
    ("sparse_plus", {}),
    ("sparse_sigmoid", {}),
    ("squareplus", {}),
    ("squareplus", {"b": 1}),
    ("swish", {}),
    ("tanh", {}),
    ("tanh_shrink", {}),
    ("threshold", {"threshold": 1.0, "default_value": -0.5}),
]
IDS = [f"{name}-{arguments}" for name, arguments in CASES]

# All kinks of all functions, both signed zeros, ordinary and very large numbers.
KINKS = [-6.0, -3.0, -2.5, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, 2.5, 3.0, 6.0, -1e4, 1e4, -30.0]
ORDINARY = np.random.default_rng(1).normal(size=32).astype("float32") * 3
X = np.concatenate([np.float32(KINKS), ORDINARY]).reshape(4, 12)


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=IDS)
def test_values(name, arguments):
    ours = getattr(activations, name)(X, **arguments)
    theirs = getattr(keras.activations, name)(X, **arguments)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=IDS)
def test_gradients_including_kinks(name, arguments):
    ours, theirs = getattr(activations, name), getattr(keras.activations, name)
    x = jnp.where(jnp.abs(X) > 50, 5.0, X) if name == "exponential" else jnp.asarray(X)
    weights = jnp.asarray(np.random.default_rng(2).normal(size=ours(x, **arguments).shape))

    def gradient(function):
        return jax.grad(lambda x: (function(x, **arguments) * weights).sum())(x)

    np.testing.assert_allclose(gradient(ours), gradient(theirs), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("x", [3, [1, -2], [1.5, -2.0], np.float64(2.0), np.arange(3)])
@pytest.mark.parametrize("name", ["relu", "tanh", "softsign", "hard_silu"])
def test_accepts_what_keras_accepts(name, x):
    ours, theirs = getattr(activations, name)(x), getattr(keras.activations, name)(x)
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_sparsemax_with_one_positive_entry():
    x = np.eye(3, dtype="float32") * 5
    np.testing.assert_allclose(activations.sparsemax(x), keras.activations.sparsemax(x), atol=1e-6)


def test_keras_sparsemax_is_still_wrong_with_two_positive_entries():
    # If this fails, Keras has corrected it: remove the note in our docstring.
    assert abs(float(keras.activations.sparsemax(np.float32([[1.0, 0.75]])).sum()) - 1.0) > 0.1


PUBLIC = [
    name
    for name, value in vars(keras.activations).items()
    if inspect.isfunction(value) and name not in ("serialize", "deserialize", "get")
]


@pytest.mark.parametrize("name", PUBLIC)
def test_signatures_equal_those_of_keras(name):
    ours = inspect.signature(getattr(activations, name)).parameters.values()
    theirs = inspect.signature(getattr(keras.activations, name)).parameters.values()
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]


def test_all_names_of_keras_exist():
    assert set(PUBLIC) <= set(vars(activations))
