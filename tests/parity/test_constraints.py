"""Constraints compared with Keras."""

import inspect

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from fjax import constraints

CASES = [
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 1.2, "axis": 1}),
    ("MaxNorm", {"max_value": 3, "axis": [0, 1, 2]}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": (0, 1)}),
    ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 2.5, "max_value": 3.5, "rate": 0.3, "axis": -1}),
]
PUBLIC = sorted(
    name
    for name, value in vars(keras.constraints).items()
    if inspect.isclass(value) and name != "Constraint"
)


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=str)
def test_values_and_gradients(name, arguments):
    random = np.random.default_rng(0)
    w, direction = (jnp.asarray(random.normal(size=(3, 4, 2, 5)), "float32") for _ in range(2))
    ours = getattr(constraints, name)(**arguments)
    theirs = getattr(keras.constraints, name)(**arguments)
    np.testing.assert_allclose(ours(w), theirs(w), rtol=1e-6, atol=1e-7)
    gradients = [jax.grad(lambda w, c=c: jnp.vdot(c(w), direction))(w) for c in (ours, theirs)]
    np.testing.assert_allclose(*gradients, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", PUBLIC)
def test_constructor_and_config(name):
    ours, theirs = getattr(constraints, name), getattr(keras.constraints, name)
    taken = [
        (p.name, p.default)
        for p in inspect.signature(theirs).parameters.values()
        if p.kind is p.POSITIONAL_OR_KEYWORD
    ]
    given = [(p.name, p.default) for p in inspect.signature(ours).parameters.values()]
    assert given == taken
    assert ours().get_config() == theirs().get_config()


def test_all_names_of_keras_exist():
    assert {"max_norm", "min_max_norm", "non_neg", "unit_norm"} <= set(PUBLIC)
    for name in keras.src.constraints.ALL_OBJECTS_DICT.keys() - {"Constraint", "constraint"}:
        expected = type(keras.constraints.get(name)).__name__
        assert type(constraints.get(name)).__name__ == expected
