"""Regularizers compared with Keras: values, gradients, names, and penalties of layers."""

import inspect

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from fjax import regularizers
from fjax.core import has_penalty, penalty
from fjax.layers import ActivityRegularization
from tests.layers.catalogue import CATALOGUE, samples
from tests.parity.test_layers import pair

pytestmark = pytest.mark.sampled(3, whole=True)

CASES = [
    ("L1", {}),
    ("L1", {"l1": 0.3}),
    ("L2", {}),
    ("L2", {"l2": 0.3}),
    ("L1L2", {}),
    ("L1L2", {"l1": 0.2, "l2": 0.1}),
    ("L1L2", {"l2": 0.1}),
    ("OrthogonalRegularizer", {}),
    ("OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"}),
]
PUBLIC = sorted(
    name
    for name, value in vars(keras.regularizers).items()
    if inspect.isclass(value) and name != "Regularizer"
)


@pytest.mark.parametrize(
    ("name", "arguments", "shape"),
    [
        (name, arguments, shape)
        for name, arguments in CASES
        for shape in ((6, 4), (3, 7), (2, 3, 4), (5,))
        if name != "OrthogonalRegularizer" or len(shape) == 2
    ],
    ids=str,
)
def test_values_and_gradients(name, arguments, shape):
    x = jnp.asarray(np.random.default_rng(0).normal(size=shape), "float32")
    ours = getattr(regularizers, name)(**arguments)
    theirs = getattr(keras.regularizers, name)(**arguments)
    np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-6)
    np.testing.assert_allclose(jax.grad(ours)(x), jax.grad(theirs)(x), rtol=1e-5, atol=1e-8)


def test_short_rows_are_as_in_keras():
    x = jnp.array([[1e-9, 2e-9], [1.0, 1.0], [0.0, 0.0]])
    ours = regularizers.OrthogonalRegularizer(1.0)(x)
    np.testing.assert_allclose(ours, keras.regularizers.OrthogonalRegularizer(1.0)(x), rtol=1e-6)


@pytest.mark.parametrize("name", PUBLIC)
def test_constructor_and_config(name):
    ours, theirs = getattr(regularizers, name), getattr(keras.regularizers, name)
    taken = [(p.name, p.default) for p in inspect.signature(theirs).parameters.values()]
    given = [(p.name, p.default) for p in inspect.signature(ours).parameters.values()]
    assert given == taken
    assert ours().get_config() == pytest.approx(theirs().get_config())


def test_all_names_of_keras_exist():
    assert {"L1", "L2", "l1", "l2", "l1_l2", "orthogonal_regularizer"} <= set(PUBLIC)
    for name in sorted(keras.src.regularizers.ALL_OBJECTS_DICT.keys() - {"Regularizer"}):
        if name != "regularizer":
            expected = type(keras.regularizers.get(name)).__name__
            assert type(regularizers.get(name)).__name__ == expected


CHARGING = [
    entry
    for entry in CATALOGUE
    if entry.keras and has_penalty(entry.layer.init(jax.random.key(0), *samples(entry))[1])
]


@pytest.mark.parametrize("entry", CHARGING, ids=lambda entry: entry.label)
def test_penalties_of_layers(entry):
    theirs, params, state, (inputs,) = pair(entry)
    accepts = {"training": True} if entry.keras[0] == "BatchNormalization" else {}
    # A Keras layer that is called alone discards its activity penalty; in a model it does not.
    model = keras.Sequential([keras.Input(inputs.shape[1:]), theirs])
    trainable = [w.value for w in theirs.trainable_variables]
    fixed = [w.value for w in theirs.non_trainable_variables]

    def their_losses(trainable, inputs):
        _, _, terms = model.stateless_call(trainable, fixed, inputs, return_losses=True, **accepts)
        return sum(terms)

    def our_losses(params, inputs):
        _, after = entry.layer.apply(params, state, inputs, training=True)
        return penalty(after)

    expected, theirs_grads = jax.value_and_grad(their_losses, (0, 1))(trainable, inputs)
    value, grads = jax.value_and_grad(our_losses, (0, 1))(params, inputs)
    assert float(expected) > 0
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(grads[1], theirs_grads[1], rtol=1e-4, atol=1e-6)
    named = zip(theirs.trainable_variables, theirs_grads[0], strict=True)
    for name, gradient in ((weight.name, gradient) for weight, gradient in named):
        np.testing.assert_allclose(grads[0][name], gradient, rtol=1e-4, atol=1e-6, err_msg=name)


def test_a_frozen_layer():
    inputs = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    theirs = keras.layers.Dense(
        2, kernel_regularizer="l2", activity_regularizer="l1", trainable=False
    )
    theirs(inputs)
    ours = ActivityRegularization(l1=0.01)
    outputs = inputs @ theirs.kernel.numpy()
    np.testing.assert_allclose(
        penalty(ours.apply({}, {}, outputs)[1]), sum(theirs.losses), rtol=1e-6
    )
