"""Symbolic tensors: shapes, operators, indexing, and errors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import activations
from fjax.core import as_layer, graph
from fjax.layers import (
    Concatenate,
    Conv1D,
    Conv2D,
    Dense,
    Flatten,
    Input,
    MaxPooling2D,
    Reshape,
)

KEY = jax.random.key(0)
X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def value_of(function, *arrays):
    """Return the outputs of a function of symbolic tensors for these arrays."""
    tensors = [Input(array.shape[1:], dtype=array.dtype.name) for array in arrays]
    network = graph(tensors, function(*tensors))
    params, state = network.init(KEY, *arrays)
    return network.apply(params, state, *arrays)[0]


OPERATIONS = {
    "add": lambda a, b: a + b,
    "add a number": lambda a, b: (a + 2) * b,
    "a number added": lambda a, b: 2 + b * a,
    "subtract": lambda a, b: a - b,
    "from a number": lambda a, b: 1.0 - a * b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / (b * b + 1.0),
    "divide a number": lambda a, b: 2.0 / (a * a + b * b + 1.0),
    "floor": lambda a, b: (a * 10) // (b * b + 1.0),
    "modulo": lambda a, b: (a * 10) % (b * b + 1.0),
    "power": lambda a, b: (a * a + 0.1) ** b,
    "a number's power": lambda a, b: 2.0 ** (a + b),
    "negative": lambda a, b: -(a + b),
    "absolute": lambda a, b: abs(a - b),
    "greater": lambda a, b: a > b,
    "at most": lambda a, b: a <= b,
    "index": lambda a, b: (a + b)[:, 1],
    "slice": lambda a, b: (a * b)[..., 1:],
    "new axis": lambda a, b: (a - b)[:, None, :],
    "backwards": lambda a, b: (a + b)[:, ::-1],
    "numpy's number": lambda a, b: np.float32(3.0) * a + b,
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operators_compute_what_they_compute_on_arrays(name):
    operation = OPERATIONS[name]
    found = value_of(operation, X, 2 * X + 1)
    np.testing.assert_array_equal(found, operation(jnp.asarray(X), jnp.asarray(2 * X + 1)))


def test_matmul():
    one, other = np.ones((4, 2, 3), "float32"), np.full((4, 3, 5), 2.0, "float32")
    np.testing.assert_array_equal(value_of(lambda a, b: a @ b, one, other), one @ other)


def test_axes_of_any_size_are_none():
    image = Input((28, 28), name="image")
    assert image.shape == (None, 28, 28)
    assert (image.ndim, image.dtype, image.name) == (3, "float32", "image")
    assert Flatten()(image).shape == (None, 784)
    assert Dense(3)(image).shape == (None, 28, 3)
    sequence = Input((None, 5))
    assert sequence.shape == (None, None, 5)
    assert Dense(3)(sequence).shape == (None, None, 3)
    assert (sequence * 2.0)[:, 0].shape == (None, 5)
    assert Input((), dtype="int32").dtype == "int32"
    assert Input((4,), batch_size=32).shape == (32, 4)


def test_several_inputs_may_be_a_list():
    a, b = Input((3,)), Input((3,))
    assert Concatenate()([a, b]).shape == (None, 6)
    assert Concatenate()(a, b).shape == (None, 6)
    assert graph([a, b], Concatenate()([a, b])) == graph([a, b], Concatenate()(a, b))


def test_functions_become_layers():
    tensor = Input((3,))
    outputs = as_layer(jnp.tanh)(tensor)
    network = graph(tensor, outputs)
    assert network.names == ("tanh",)
    np.testing.assert_allclose(network.apply({"tanh": {}}, {"tanh": {}}, X)[0], np.tanh(X), 1e-5)


def test_layers_may_be_called_on_arrays():
    assert Flatten()(np.ones((2, 3, 4))).shape == (2, 12)
    layer = Dense(3)
    outputs = layer(X)
    np.testing.assert_allclose(outputs, X @ layer.get_weights()[0], rtol=1e-5)


def test_arrays_beside_tensors_are_constants_of_the_graph():
    row = np.arange(3, dtype="float32")
    for make in (lambda t: t + row, lambda t: row * t, lambda t: t > jnp.asarray(row)):
        np.testing.assert_array_equal(value_of(make, X), make(jnp.asarray(X)))
    found = value_of(lambda t: as_layer(jnp.add)(t, row), X)
    np.testing.assert_array_equal(found, X + row)


def test_logical_operators_are_logical_for_any_dtype():
    tensor = Input((3,))
    assert [t.dtype for t in (tensor & True, True | tensor, tensor ^ tensor, ~tensor)] == [
        "bool"
    ] * 4
    numbers = np.array([[0.0, 2.0, -1.0]], "float32")
    found = value_of(lambda t: ~t | (t & (t > 0)), numbers)
    assert found.tolist() == [[True, True, False]]


def test_activations_become_nodes():
    for function in (activations.relu, activations.softmax, activations.leaky_relu):
        np.testing.assert_array_equal(value_of(function, X), function(X))
    assert activations.leaky_relu(Input((3,)), negative_slope=0.5).name == "leaky_relu"


REFUSED = {
    "a shape that does not fit": (
        lambda t: Reshape((5,))(t),
        ValueError,
        r"`Reshape` cannot reshape .* to \(5,\)",
    ),
    "a function of arrays": (lambda t: jnp.tanh(t), ValueError, r"Make the function a layer"),
    "numpy's function": (lambda t: np.asarray(t), ValueError, "has no value yet"),
    "a traced array beside it": (
        lambda t: jax.jit(lambda x: Concatenate()([t, x]))(X),
        TypeError,
        "cannot hold an array that is being computed",
    ),
    "an operator with a traced array": (
        lambda t: jax.jit(lambda x: (t + x).shape)(X),
        TypeError,
        "cannot hold an array that is being computed",
    ),
    "a condition": (lambda t: 1 if t > 0 else 0, TypeError, "cannot test it"),
    "iteration": (lambda t: list(t), TypeError, "cannot be iterated"),
    "an index out of bounds": (lambda t: t[:, 3], IndexError, "index 3 is out of bounds"),
    "an index that is no index": (
        lambda t: t["a"],
        TypeError,
        r"be indexed by integers.*received 'a'",
    ),
    "no shape": (lambda t: Input(), ValueError, "needs the shape of one sample"),
    "a mode that is none": (lambda t: Dense(2)(t, training="yes"), TypeError, "`training='yes'`"),
    "an unknown option": (lambda t: Dense(2)(t, scale=2), TypeError, "takes no argument `scale`"),
    "too many inputs": (lambda t: Dense(2)(t, t), TypeError, "`Dense` takes one input, received 2"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_invalid_uses_are_refused(name):
    make, kind, message = REFUSED[name]
    with pytest.raises(kind, match=message):
        make(Input((3,)))


def test_an_error_names_the_layer_and_the_shapes():
    with pytest.raises(ValueError, match="Reshape") as raised:
        Reshape((5,), name="shaped")(Input((3,)))
    notes = " ".join(raised.value.__notes__)
    assert "In layer 'shaped', Reshape(target_shape=(5,), name='shaped')" in notes


def test_an_error_shows_axes_of_any_size_as_none():
    with pytest.raises(ValueError, match=r"batch, time, channels.*\(None, None\)") as caught:
        Conv1D(4, 3)(Input((None,)))
    assert any("with inputs of (None, None)" in note for note in caught.value.__notes__)


def test_placeholder_sizes_are_larger_than_kernels():
    tensor = Conv2D(4, 7, strides=2)(Input((None, None, 3)))
    assert MaxPooling2D()(tensor).shape == (None, None, None, 4)
