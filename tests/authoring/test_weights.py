"""Weights of authored layers: names, types, regularizers, constraints; and configuration."""

import copy

import jax.numpy as jnp
import pytest

import fjax
from fjax import Layer, serial
from fjax.core import penalty
from fjax.layers import Dense
from tests.authoring.example_layers import Block, Linear, X, built, close


def test_weights_are_named_after_their_attributes():
    params, state = built(Block(5))
    assert set(params) == {
        "first", "hidden_0", "hidden_1", "heads_left", "heads_right_0", "heads_right_1", "last"
    }  # fmt: skip
    assert list(params["first"]) == ["kernel", "bias"]
    assert state["passes"].dtype == "int32"
    assert {"passes", "mean", "penalty"} <= set(state)


def test_names_of_weights_in_containers_with_a_name_and_without_an_attribute():
    class Named(Layer):
        def build(self, input_shape):
            self.pairs = [self.add_weight((2,)), {"a": self.add_weight((3,))}]
            self.other = self.add_weight((4,), name="given")
            loose = self.add_weight((5,))
            another = self.add_weight((6,))
            self.sizes = loose.size + another.size

        def call(self, inputs):
            return inputs * self.pairs[0].sum()

    params, _ = built(Named())
    assert {name: weight.shape for name, weight in params.items()} == {
        "pairs_0": (2,),
        "pairs_1_a": (3,),
        "given": (4,),
        "variable": (5,),
        "variable_1": (6,),
    }


def test_regularizers_and_losses_of_trained_and_frozen_layers():
    class Charged(Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = Dense(3, use_bias=False, kernel_regularizer="l2")

        def build(self, input_shape):
            self.scale = self.add_weight((input_shape[-1],), "ones", regularizer="l2")
            self.kept = self.add_weight((2,), "ones", trainable=False, regularizer="l2")

        def call(self, inputs, training=False):
            if training:
                self.add_loss(jnp.float32(5))
            return self.dense(inputs * self.scale)

    layer = Charged()
    params, state = built(layer)
    assert float(penalty(state)) == 0
    kernel = 0.01 * float(jnp.sum(params["dense"]["kernel"] ** 2))
    for training, expected in ((False, 0.03 + kernel), (True, 5.03 + kernel)):
        _, after = layer.apply(params, state, X, training=training)
        assert float(penalty(after)) == pytest.approx(expected, rel=1e-6)
    frozen = Charged(trainable=False)
    _, after = frozen.apply(params, state, X, training=True)
    assert float(penalty(after)) == pytest.approx(5.0 + kernel)
    layer.dense.trainable = False
    _, after = layer.apply(params, state, X)
    assert float(penalty(after)) == pytest.approx(0.03)


def test_constraints_are_attributes():
    layer = serial(Linear(2, kernel_constraint="non_neg"))
    params, _ = built(layer)
    constrained = layer.constrain(params)["linear"]
    close(constrained["kernel"], jnp.maximum(params["linear"]["kernel"], 0))
    close(constrained["bias"], params["linear"]["bias"])
    frozen = Linear(2, kernel_constraint="non_neg", trainable=False)
    assert frozen.constrain(params["linear"]) is params["linear"]


def test_types_and_initializers_of_weights():
    class Typed(Layer):
        def build(self, input_shape):
            self.half = self.add_weight(3, "ones", "float16")
            self.whole = self.add_weight((), dtype="int32", trainable=False)
            self.made = self.add_weight([2, 2], lambda shape, dtype: jnp.full(shape, 7, dtype))
            self.drawn = self.add_weight((2,), fjax.initializers.RandomNormal(seed=3))
            self.flag = self.add_weight((), "zeros", "bool", trainable=False)

        def call(self, inputs):
            self.flag = ~self.flag
            return inputs * self.half.astype("float32")

    params, state = built(Typed())
    assert [str(params[name].dtype) for name in ("half", "made")] == ["float16", "float32"]
    assert params["half"].shape == (3,)
    assert float(params["made"].sum()) == 28
    close(params["drawn"], fjax.initializers.RandomNormal(seed=3)((2,), "float32"))
    _, after = Typed().apply(params, state, X)
    assert bool(after["flag"]) and int(after["whole"]) == 0


def test_get_config_as_authors_write_it():
    layer = Linear(2, "relu", name="own", trainable=False, input_shape=(3,))
    config = layer.get_config()
    assert config == {"name": "own", "trainable": False, "units": 2, "activation": "relu"}
    again = Linear.from_config(config)
    assert again.get_config() == config
    assert fjax.Sequential([layer]).output_shape == (None, 2)
    with pytest.raises(TypeError, match=r"takes no argument `nam`. Did you mean `name`"):
        Linear(2, nam="x")


def test_a_layer_with_fields_instead_of_a_constructor():
    class Fields(Layer):
        units: int
        activation: object = "tanh"

        def __post_init__(self):
            super().__post_init__()
            self.activation = fjax.activations.get(self.activation)

        def build(self, input_shape):
            self.kernel = self.add_weight((input_shape[-1], self.units))
            self.last = Dense(1)

        def call(self, inputs):
            return self.last(self.activation(inputs @ self.kernel))

    layer = Fields(2)
    assert layer == Fields(2, "tanh") != Fields(3)
    assert hash(layer) == hash(Fields(2))
    assert repr(layer) == "Fields(units=2)"
    assert Fields.from_config(layer.get_config()) == layer
    assert copy.deepcopy(layer) == layer
    params, state = built(layer)
    close(
        layer.apply(params, state, X)[0], jnp.tanh(X @ params["kernel"]) @ params["last"]["kernel"]
    )
    with pytest.raises(AttributeError, match="cannot be changed"):
        layer.units = 3
