"""Layers as pairs of functions: conversion, names, configuration and error messages."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax.core import Layer, as_layer, output_specs
from fjax.core.naming import unique_names
from fjax.layers import Activation, Dense

KEY = jax.random.key(0)


def test_a_layer_unpacks_into_init_and_apply():
    layer = Dense(3)
    init, apply = layer
    assert (init, apply) == (layer.init, layer.apply)


def test_any_two_functions_make_a_layer():
    def init(key, spec):
        return {"bias": jnp.ones(spec.shape[-1])}, {"calls": jnp.zeros((), jnp.int32)}

    def apply(params, state, inputs, *, key=None, training=False):
        return inputs + params["bias"], {"calls": state["calls"] + 1}

    for layer in (Layer.from_functions(init, apply), as_layer((init, apply))):
        params, state = layer.init(KEY, jnp.zeros((2, 3)))
        outputs, state = layer.apply(params, state, jnp.zeros((2, 3)))
        assert outputs.sum() == 6
        assert state["calls"] == 1


def test_a_function_is_a_layer_without_weights():
    layer = as_layer(jax.nn.relu)
    assert layer.init(KEY, jnp.zeros((2, 3))) == ({}, {})
    outputs, state = layer.apply({}, {}, jnp.array([-1.0, 1.0]))
    assert (outputs.tolist(), state) == ([0.0, 1.0], {})


def test_an_object_with_init_and_apply_is_returned_unchanged():
    class Foreign:
        def init(self, key, spec):
            return {}, {}

        def apply(self, params, state, inputs, *, key=None, training=False):
            return inputs * 2, state

    foreign = Foreign()
    assert as_layer(foreign) is foreign


@pytest.mark.parametrize(
    ("candidate", "message"),
    [
        (Dense, r"received the class `Dense`. Call it: `Dense\(…\)`"),
        ("dense", "received 'dense' of type `str`"),
        (3, "received 3 of type `int`"),
    ],
)
def test_as_layer_rejects_other_objects(candidate, message):
    with pytest.raises(TypeError, match=message):
        as_layer(candidate)


def test_output_shapes_are_evaluated_without_computing():
    def fail(inputs):
        jax.debug.callback(lambda: pytest.fail("it ran"))
        return inputs[:, :2]

    spec = jax.ShapeDtypeStruct((4, 8), "float32")
    assert output_specs(as_layer(fail), {}, {}, spec).shape == (4, 2)


def test_names_are_numbered_within_a_container_and_around_given_ones():
    layers = [Dense(1), Dense(1, name="dense_1"), Dense(1), Activation("relu"), as_layer(jnp.tanh)]
    assert unique_names(layers) == ["dense", "dense_1", "dense_2", "activation", "tanh"]


def test_names_do_not_depend_on_earlier_layers():
    first = unique_names([Dense(1), Dense(2)])
    Dense(3)
    assert unique_names([Dense(1), Dense(2)]) == first


@pytest.mark.parametrize("name", ["", "a/b", 3])
def test_a_name_must_be_usable_as_a_key(name):
    with pytest.raises(ValueError, match="`name` must"):
        Dense(1, name=name)


def test_several_inputs_are_rejected():
    with pytest.raises(TypeError, match="`Dense` takes one input, received 2"):
        Dense(1).init(KEY, jnp.zeros((2, 3)), jnp.zeros((2, 3)))


def test_layers_are_compared_by_their_configuration():
    assert Dense(3, "relu") == Dense(units=3, activation="relu")
    assert hash(Dense(3, "relu")) == hash(Dense(units=3, activation="relu"))
    assert Dense(3) != Dense(4)
    assert repr(Dense(3, "relu", name="top")) == "Dense(units=3, activation=relu, name='top')"
    assert Dense.from_config(Dense(3, "relu").get_config()) == Dense(3, "relu")


def test_a_layer_cannot_be_changed():
    with pytest.raises(AttributeError, match="`Dense` cannot be changed"):
        Dense(3).units = 4


def test_an_error_suggests_the_nearest_argument_or_name():
    with pytest.raises(TypeError, match=r"no argument `activaton`. Did you mean `activation`"):
        Dense(3, activaton="relu")
    with pytest.raises(ValueError, match=r"Unknown activation 'rleu'. Did you mean `relu`"):
        Dense(3, activation="rleu")
    with pytest.raises(
        ValueError, match=r"Unknown initializer 'he_norml'. Did you mean `he_normal`"
    ):
        Dense(3, kernel_initializer="he_norml")


def test_input_dim_is_the_older_spelling_of_input_shape():
    with pytest.warns(DeprecationWarning, match="older spelling of `input_shape="):
        layer = Dense(3, input_dim=8)
    assert layer.input_shape == (8,)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Dense(0), "`units` must be an integer of at least 1, received 0"),
        (lambda: Dense(2.5), "`units` must be an integer of at least 1, received 2.5"),
        (lambda: Dense(True), "`units` must be an integer of at least 1, received True"),
        (lambda: Dense(3, input_shape=(0,)), r"`input_shape\[0\]` must be an integer"),
    ],
)
def test_invalid_numbers(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_dense_reports_the_expected_number_of_features():
    layer = Dense(2)
    params, state = layer.init(KEY, jnp.zeros((4, 8)))
    with pytest.raises(
        ValueError, match=r"built for 8 features, received inputs of shape \(4, 9\)"
    ):
        layer.apply(params, state, jnp.zeros((4, 9)))
    with pytest.raises(ValueError, match=r"needs inputs of shape \(batch, …, features\)"):
        layer.init(KEY, jnp.zeros(4))


def test_initial_weights_depend_on_the_key_only():
    first, _ = Dense(3).init(jax.random.key(1), jnp.zeros((2, 4)))
    same, _ = Dense(3).init(jax.random.key(1), jnp.zeros((2, 4)))
    other, _ = Dense(3).init(jax.random.key(2), jnp.zeros((2, 4)))
    np.testing.assert_array_equal(first["kernel"], same["kernel"])
    assert not np.array_equal(first["kernel"], other["kernel"])


def test_a_layer_that_is_not_built_has_no_weights():
    layer = Dense(3)
    assert layer.get_weights() == layer.weights == []
    assert not layer.built
    with pytest.raises(ValueError, match=r"`count_params`: the layer 'dense' is not built"):
        layer.count_params()
    with pytest.raises(AttributeError, match=r"`kernel`\. The layer is not built"):
        _ = layer.kernel
    with pytest.raises(AttributeError, match=r"`Dense` has no attribute `unit`\.$"):
        _ = Dense(3).unit
