"""Comparing masked and symbolic values: an array or a tensor of booleans, never a silent False."""

import operator

import jax.numpy as jnp
import numpy as np
import pytest

from fjax import Layer, Model, Sequential
from fjax.core.masking import Masked
from fjax.layers import Input, Masking

VALUES = np.array([[1.0, 2.0, 0.0]], "float32")
MASKED = Masked(jnp.asarray(VALUES), jnp.array([[True, True, False]]))
INTEGERS = Masked(jnp.asarray(VALUES.astype("int32")), MASKED.mask)

BINARY = ["eq", "ne", "lt", "le", "gt", "ge", "add", "sub", "mul", "truediv", "floordiv", "mod",
          "pow"]  # fmt: skip
BITS = ["and_", "or_", "xor", "lshift", "rshift"]
UNARY = ["neg", "pos", "abs"]


@pytest.mark.parametrize("name", BINARY)
def test_operators_of_masked_values_act_on_the_array(name):
    function = getattr(operator, name)
    np.testing.assert_allclose(function(MASKED, 2.0), function(VALUES, 2.0))
    np.testing.assert_allclose(function(2.0, MASKED + 1), function(2.0, VALUES + 1))
    np.testing.assert_allclose(function(MASKED, MASKED + 1), function(VALUES, VALUES + 1))
    np.testing.assert_allclose(function(VALUES, MASKED + 1), function(VALUES, VALUES + 1))


@pytest.mark.parametrize("name", BITS)
def test_bitwise_operators_of_masked_values_act_on_the_array(name):
    function = getattr(operator, name)
    np.testing.assert_array_equal(function(INTEGERS, 1), function(VALUES.astype("int32"), 1))


@pytest.mark.parametrize("name", UNARY)
def test_unary_operators_of_masked_values_act_on_the_array(name):
    function = getattr(operator, name)
    np.testing.assert_array_equal(function(MASKED), function(VALUES))
    np.testing.assert_array_equal(~INTEGERS, ~VALUES.astype("int32"))


def test_masked_values_are_iterated_and_converted_like_arrays():
    assert [row.tolist() for row in MASKED] == VALUES.tolist()
    scalar = Masked(jnp.array(2.5), jnp.array(True))
    assert (float(scalar), bool(scalar == 2.5), int(scalar)) == (2.5, True, 2)
    assert 2.0 in MASKED[0]
    assert 2.0 in Masked(jnp.arange(3.0), jnp.ones(3, bool))
    assert divmod(scalar, 2.0)[0].item() == 1.0
    with pytest.raises(ValueError, match="ambiguous"):
        bool(MASKED)


def test_a_keras_style_layer_can_compare_masked_inputs():
    class Zeros(Layer):
        def call(self, inputs):
            return jnp.where(inputs == 0, -1.0, 0.0) + jnp.where(inputs != 0, 2.0, 0.0)

    with pytest.warns(UserWarning, match="mask ends"):
        model = Sequential([Input((3, 1)), Masking(5.0), Zeros()])
        outputs = model.predict(VALUES[..., None], verbose=0)
    np.testing.assert_array_equal(outputs[..., 0], [[2.0, 2.0, -1.0]])


@pytest.mark.parametrize("name", ["eq", "ne"])
def test_symbolic_tensors_are_compared_entry_by_entry(name):
    function = getattr(operator, name)
    a, b = Input((3,)), Input((3,))
    model = Model([a, b], [function(a, 2.0), function(2.0, a), function(a, b)])
    predictions = model.predict([VALUES, VALUES[:, ::-1].copy()], verbose=0)
    for outputs, second in zip(predictions, (2.0, 2.0, VALUES[:, ::-1]), strict=True):
        assert outputs.dtype == bool
        np.testing.assert_array_equal(outputs, function(VALUES, second))


def test_a_comparison_of_symbolic_tensors_has_no_truth_value():
    tensor = Input((3,))
    with pytest.raises(TypeError, match="`is`"):
        bool(tensor == 0)
    with pytest.raises(TypeError, match="`in`"):
        assert tensor in [Input((3,))]
    assert {tensor: 1}[tensor] == 1
    assert (tensor is None, tensor == None, tensor != "text") == (False, False, True)  # noqa: E711
