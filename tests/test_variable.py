"""Variables, and the scope that makes code which assigns them pure."""

import operator
import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import fjax

VALUES = np.arange(6, dtype="float32").reshape(2, 3) + 1


@pytest.mark.parametrize("value", [1, 1.5, True, np.arange(3), np.ones(2), np.float16(2)])
def test_dtype_and_value_are_those_of_keras(value):
    ours, theirs = fjax.Variable(value), keras.Variable(value)
    assert (ours.shape, ours.dtype, ours.ndim) == (theirs.shape, theirs.dtype, theirs.ndim)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"])
def test_arithmetic_is_that_of_keras(name):
    function = getattr(operator, name)
    ours, theirs = fjax.Variable(VALUES), keras.Variable(VALUES)
    for other in (2.0, VALUES, jnp.asarray(VALUES)):
        np.testing.assert_allclose(function(ours, other), function(theirs, other), rtol=1e-6)
        np.testing.assert_allclose(function(other, ours), function(other, theirs), rtol=1e-6)
    np.testing.assert_allclose(function(ours, ours), function(theirs, theirs), rtol=1e-6)


def test_comparison_and_unary_operators_are_elementwise():
    variable = fjax.Variable(VALUES)
    np.testing.assert_array_equal(variable > 2, VALUES > 2)
    np.testing.assert_array_equal(variable == VALUES, np.ones((2, 3), bool))
    np.testing.assert_array_equal(-variable, -VALUES)
    np.testing.assert_array_equal(variable @ VALUES.T, VALUES @ VALUES.T)
    np.testing.assert_array_equal(variable[1], VALUES[1])
    assert len({variable: 1}) == 1 and len(variable) == 2


def test_functions_of_jax_and_numpy_take_a_variable():
    variable = fjax.Variable(VALUES)
    assert float(np.sum(variable)) == 21.0
    np.testing.assert_array_equal(jnp.asarray(variable), VALUES)


def test_assignment():
    variable = fjax.Variable("zeros", shape=(2,), name="total")
    np.testing.assert_array_equal(variable.assign([1, 2]), [1.0, 2.0])
    variable.assign_add(np.ones(2))
    variable.assign_sub(fjax.Variable([0.5, 0.5]))
    np.testing.assert_array_equal(variable.numpy(), [1.5, 2.5])
    assert variable.dtype == "float32" and variable.name == variable.path == "total"


def test_an_initializer_draws_reproducibly():
    def drawn():
        fjax.utils.set_random_seed(3)
        return fjax.Variable("glorot_uniform", shape=(4, 4)).numpy()

    np.testing.assert_array_equal(drawn(), drawn())
    constant = fjax.Variable(lambda shape, dtype: np.full(shape, 2, dtype), shape=(3,))
    assert constant.numpy().tolist() == [2.0, 2.0, 2.0]


def test_a_scope_makes_assignments_pure():
    total = fjax.Variable(1.0)

    @jax.jit
    def add(value, amount):
        with fjax.StatelessScope([(total, value)]) as scope:
            total.assign_add(amount)
            total.assign(total * 2)
        return scope.get_current_value(total)

    assert float(add(3.0, 4.0)) == 14.0
    assert float(jax.grad(add)(3.0, 4.0)) == 2.0
    assert float(total.numpy()) == 1.0
    with fjax.StatelessScope() as scope:
        assert scope.get_current_value(total) is None


def test_a_variable_of_a_slot_reads_and_writes_there():
    class Slot:
        value = jnp.zeros(2)

        def read(self):
            return self.value

        def write(self, value):
            self.value = value

    slot = Slot()
    variable = fjax.Variable.linked(slot, "dense/bias", (2,), "float32", trainable=False)
    variable.assign([1.0, 2.0])
    assert slot.value.tolist() == [1.0, 2.0]
    assert (variable.name, variable.path, variable.trainable) == ("bias", "dense/bias", False)
    assert repr(variable).startswith("<Variable path=dense/bias, shape=(2,), dtype=float32")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: fjax.Variable(0, name=3), "`name` must be a str without '/', received 3"),
        (lambda: fjax.Variable(0, name="a/b"), "`name` must be a str without '/'"),
        (lambda: fjax.Variable("zeros"), "'zeros' needs a `shape`"),
        (lambda: fjax.Variable("zeross", shape=(1,)), "zeros"),
        (lambda: fjax.Variable([0.0, 0.0]).assign([1.0]), r"has the shape \(2,\), received an"),
        (
            lambda: fjax.StatelessScope([(fjax.Variable(0.0), [1.0, 2.0])]),
            r"has the shape \(\), received a value of the shape \(2,\)",
        ),
    ],
)
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_assignment_of_a_traced_array_is_an_error():
    variable = fjax.Variable(0.0, name="count")
    with pytest.raises(RuntimeError, match="'count' received a traced array"):
        jax.jit(variable.assign)(1.0)


@pytest.mark.parametrize("value", [1.0, 1, True, np.float32(1)])
def test_an_assignment_compiles_no_function_again(value):
    variable, traces = fjax.Variable(value), []

    @jax.jit
    def double(array):
        traces.append(array)
        return array * 2

    double(variable)
    variable.assign(0)
    double(variable)
    assert len(traces) == 1 and not variable.value.weak_type


def test_text_is_assigned_to_no_variable():
    with pytest.raises(
        TypeError, match=r"'variable' takes an array of numbers of the shape \(\), "
    ):
        fjax.Variable(1.0).assign("a")
