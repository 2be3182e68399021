"""A `Variable` that an author's code sets as an attribute is a weight, as in Keras."""

import jax
import keras
import numpy as np
import pytest

import fjax

X = np.linspace(-1, 1, 12).reshape(4, 3).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def in_build(library):
    class Dense(library.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units

        def build(self, input_shape):
            values = library.initializers.Constant(0.25)((input_shape[-1], self.units))
            self.w = library.Variable(values, name="kernel")
            self.b = library.Variable(np.zeros(self.units, "float32"))

        def call(self, inputs):
            return library.ops.matmul(inputs, self.w) + self.b

    return Dense


def in_init(library):
    class Scale(library.layers.Layer):
        def __init__(self, size, **kwargs):
            super().__init__(**kwargs)
            self.factor = library.Variable(np.full(size, 0.5, "float32"), name="factor")
            self.calls = library.Variable(0.0, trainable=False, name="calls")

        def call(self, inputs):
            self.calls.assign_add(1.0)
            return inputs * self.factor

    return Scale


def build(library, kind):
    if kind == "build":
        layers = [in_build(library)(4, name="first"), in_build(library)(1, name="second")]
    else:
        layers = [in_init(library)(3, name="scale"), library.layers.Dense(1, name="head")]
    model = library.Sequential([library.Input((3,)), *layers])
    if kind == "init":
        model.layers[-1].set_weights([np.full((3, 1), 0.1), np.zeros(1)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("kind", ["build", "init"])
def test_it_is_trained_as_in_keras(kind):
    theirs, ours = build(keras, kind), build(fjax, kind)
    assert [v.trainable for v in ours.weights] == [v.trainable for v in theirs.weights]
    for before, expected in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(before, expected)
    histories = [m.fit(X, Y, epochs=3, shuffle=False, verbose=0).history for m in (ours, theirs)]
    np.testing.assert_allclose(histories[0]["loss"], histories[1]["loss"], rtol=1e-5)
    for weight, expected in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, rtol=1e-5, atol=1e-6)
    assert not np.allclose(ours.get_weights()[0], build(fjax, kind).get_weights()[0])


def test_the_pair_owns_nothing():
    layer = in_build(fjax)(2)
    params, state = layer.init(jax.random.key(0), jax.ShapeDtypeStruct((4, 3), "float32"))
    assert {name: value.shape for name, value in params.items()} == {"kernel": (3, 2), "b": (2,)}
    assert "w" not in vars(layer)
    outputs, _ = jax.jit(layer.apply)({**params, "kernel": params["kernel"] * 2}, state, X)
    np.testing.assert_allclose(outputs, X @ np.full((3, 2), 0.5), rtol=1e-6)


def test_on_arrays_it_is_read_and_assigned():
    ours, theirs = in_init(fjax)(3), in_init(keras)(3)
    for layer in (ours, theirs):
        layer(X)
        layer(X)
        layer.factor.assign(layer.factor + 1)
    np.testing.assert_allclose(ours(X), theirs(X))
    assert ours.calls.numpy() == theirs.calls.numpy() == 3


def test_a_variable_of_two_layers_is_an_error():
    class Times(fjax.layers.Layer):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def call(self, inputs):
            return inputs * self.factor.value

    factor = fjax.Variable(2.0, name="factor")
    first, second = Times(factor), Times(factor)
    np.testing.assert_array_equal(first(X), 2 * X)
    factor.assign(3.0)
    np.testing.assert_array_equal(first(X), 3 * X)
    with pytest.raises(RuntimeError, match="has no values in `build` and `call`"):
        second(X)


def test_a_file_has_it(tmp_path):
    model = build(fjax, "init")
    model.fit(X, Y, epochs=1, verbose=0)
    model.save_weights(tmp_path / "scale.weights.h5")
    other = build(fjax, "init")
    other.load_weights(tmp_path / "scale.weights.h5")
    np.testing.assert_array_equal(other.layers[0].factor, model.layers[0].factor)
