"""Layers in the attributes of an authored layer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax import Layer, Model, branch, repeat, serial
from fjax.core import penalty
from fjax.layers import BatchNormalization, Concatenate, Dense, Dropout
from tests.authoring.example_layers import KEY, Block, Linear, X, built, close, layer_of


def test_a_sublayer_in_two_attributes_has_one_set_of_weights():
    class Twice(Layer):
        def __init__(self):
            super().__init__()
            self.dense = Dense(3, kernel_regularizer="l2", activity_regularizer="l2")
            self.again = [self.dense]

        def call(self, inputs):
            return self.again[0](self.dense(inputs))

    layer = Twice()
    params, state = built(layer)
    assert list(params) == ["dense"]
    outputs, after = layer.apply(params, state, X)
    dense = layer.dense
    middle, one = dense.apply(params["dense"], state["dense"], X)
    end, two = dense.apply(params["dense"], one, middle)
    close(outputs, end)
    charges = one["penalty"]["weights"] + one["penalty"]["calls"] + two["penalty"]["calls"]
    close(penalty(after), charges)


def test_a_sublayer_called_twice_draws_twice():
    class Draws(Layer):
        def __init__(self):
            super().__init__()
            self.dropout = Dropout(0.5)

        def call(self, inputs):
            return self.dropout(inputs) - self.dropout(inputs)

    assert np.any(Draws().apply({"dropout": {}}, {"dropout": {}}, X, key=KEY, training=True)[0])


def test_a_sublayer_may_be_called_only_in_training():
    class Inner(Layer):
        def __init__(self):
            super().__init__()
            self.extra = Dense(3)

        def call(self, inputs, training=None):
            return self.extra(inputs) if training else inputs

    class Outer(Layer):
        def __init__(self):
            super().__init__()
            self.inner = Inner()

        def call(self, inputs):
            return self.inner(inputs)

    layer = Outer()
    params, state = built(layer)
    close(layer.apply(params, state, X)[0], X)
    outputs, _ = layer.apply(params, state, X, training=True)
    close(outputs, X @ params["inner"]["extra"]["kernel"])


def test_combinators_and_models_as_sublayers():
    def inner():
        graph = fjax.Input((3,))
        return {
            "serial": serial(Linear(3), jnp.tanh),
            "repeat": repeat(Linear(3, "tanh"), 3),
            "branch": serial(branch(Linear(2), Dense(1)), Concatenate()),
            "sequential": fjax.Sequential([Dense(3), Linear(3)]),
            "graph": Model(graph, Linear(3)(graph) + graph),
        }

    class Holds(Layer):
        def __init__(self, parts):
            super().__init__()
            self.parts = parts

        def call(self, inputs):
            for part in self.parts.values():
                inputs = part(inputs)
            return inputs

    parts = inner()
    layer = Holds(parts)
    params, state = built(layer)
    outputs, _ = jax.jit(layer.apply)(params, state, X)
    expected = X
    for name, part in parts.items():
        pair = getattr(part, "layer_tree", part)
        found = next(key for key in params if key.startswith((f"parts_{name}", name, "functional")))
        expected, _ = pair.apply(params[found], state[found], expected)
    close(outputs, expected)


def test_authored_layers_in_combinators_graphs_and_sequential():
    network = serial(Linear(3), repeat(Linear(3, "tanh"), 4), branch(Linear(1), Block(2)))
    params, state = built(network)
    assert params["repeat"]["kernel"].shape == (4, 3, 3)
    outputs, after = network.apply(params, state, X, key=KEY, training=True)
    assert [o.shape for o in outputs] == [(4, 1), (4, 3)]
    assert int(after["branch"]["block"]["passes"]) == 1
    inputs = fjax.Input((3,))
    shared = Linear(3, name="shared")
    model = Model(inputs, shared(shared(inputs)) + Block(4)(inputs))
    assert [view.name for view in model.layers] == [
        "input_layer", "shared", "block", "add"
    ]  # fmt: skip
    assert model.predict(np.asarray(X), verbose=0).shape == (4, 3)
    repeated = repeat(Block(3), 2)
    params, state = built(repeated)
    _, after = jax.jit(lambda p, s: repeated.apply(p, s, X, key=KEY, training=True))(params, state)
    np.testing.assert_array_equal(after["passes"], [1, 1])


def test_a_bound_sublayer_has_its_weights_and_fields_as_attributes():
    class Tied(Layer):
        def __init__(self):
            super().__init__()
            self.dense, self.own, self.norm = Dense(2), Linear(2), BatchNormalization()

        def call(self, inputs):
            coded = self.dense(inputs) @ self.dense.kernel.T + self.own(inputs) @ self.own.kernel.T
            assert self.dense.units == self.own.units == 2
            return self.norm(coded) + self.norm.moving_mean

    layer = Tied()
    params, state = built(layer)
    gradients = jax.grad(lambda p: layer.apply(p, state, X)[0].sum())(params)
    assert np.any(gradients["dense"]["kernel"]) and np.any(gradients["own"]["kernel"])


def test_a_frozen_layer_that_build_makes_needs_a_model():
    def build(self):
        self.inner = Dense(3, trainable=False)

    layer = layer_of(build, lambda self, x: self.inner(x))
    with pytest.raises(ValueError, match=r"'inner' is frozen and made in `build`.* in `__init__`"):
        built(layer)
    # A model keeps the layers that its own `build` makes.
    model = type("Made", (fjax.Model,), {"build": build, "call": lambda self, x: self.inner(x)})()
    model.compile("sgd", "mse")
    before = model(np.asarray(X))
    model.fit(np.asarray(X), np.ones((4, 3)), verbose=0)
    np.testing.assert_array_equal(model(np.asarray(X)), before)
    assert [view.name for view in model.layers] == ["inner"]


def test_a_layer_that_contains_itself_through_another_is_an_error():
    first, second = layer_of(), layer_of()
    first.inner, second.inner = serial(second), [first]
    with pytest.raises(ValueError, match="cannot contain itself"):
        built(layer_of(init=lambda self: setattr(self, "inner", second)))
