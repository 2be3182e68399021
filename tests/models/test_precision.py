"""Dtype policies in layers and models, the loss scale, rematerialization and memory reports."""

import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax import Sequential, layers, mixed_precision, remat, repeat, serial
from fjax.core.precision import apply_layer, init_layer
from fjax.dtype_policies import policy_scope
from fjax.layers import LSTM, Activation, BatchNormalization, Dense, Input
from fjax.optimizers import LossScaleOptimizer

X = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
KEY = jax.random.key(0)


@pytest.fixture(autouse=True)
def _keep_the_global_policy():
    with policy_scope("float32"):
        yield


def classifier():
    return Sequential([
        Input((3,)), Dense(4, "relu"), BatchNormalization(), Dense(2),
        Activation("softmax", dtype="float32"),
    ])  # fmt: skip


@pytest.mark.short
def test_the_default_policy_changes_no_program_and_no_description():
    layer = Dense(4, "relu", kernel_regularizer="l2")
    params, state = layer.init(KEY, X)
    plain = jax.make_jaxpr(lambda p, x: layer.apply(p, state, x))(params, X)
    called = jax.make_jaxpr(lambda p, x: apply_layer(layer, p, state, x))(params, X)
    assert str(plain) == str(called)
    assert not {"dtype", "autocast", "remat"} & layer.get_config().keys()
    assert repr(layer) == "Dense(units=4, activation=relu, kernel_regularizer=L2())"
    assert Dense(4) == Dense(4, dtype="float32") == Dense(4, dtype=jnp.float32)
    assert Dense(4) != Dense(4, dtype="mixed_bfloat16")


def test_a_model_in_mixed_precision_trains_and_keeps_its_policy(tmp_path):
    mixed_precision.set_global_policy("mixed_bfloat16")
    model = classifier()
    model.compile("adam", "sparse_categorical_crossentropy")
    losses = model.fit(X, X[:, 0] > 0, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert {w.dtype for w in model.weights} == {"float32"}
    assert [layer.output.dtype for layer in model.layers] == ["bfloat16"] * 3 + ["float32"]
    outputs = model.predict(X, verbose=0)
    model.save(tmp_path / "mixed.fjax")
    mixed_precision.set_global_policy("float32")
    loaded = fjax.models.load_model(tmp_path / "mixed.fjax")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), outputs)
    for copy in (
        loaded,
        Sequential.from_config(model.get_config()),
        fjax.models.clone_model(model),
    ):
        assert copy.dtype_policy.name == "mixed_bfloat16"
        names = [layer.dtype_policy.name for layer in copy.layers]
        assert names == ["mixed_bfloat16"] * 3 + ["float32"]


def test_a_configuration_without_a_policy_means_the_default():
    config, mixed = Dense(4).get_config(), Dense(4, dtype="mixed_float16").get_config()
    assert mixed["dtype"]["class_name"] == "DTypePolicy"
    assert mixed["dtype"]["config"] == {"name": "mixed_float16"}
    mixed_precision.set_global_policy("mixed_bfloat16")
    assert Dense.from_config(config).compute_dtype == "float32"
    assert Dense.from_config(mixed).compute_dtype == "float16"
    assert Dense(4).compute_dtype == "bfloat16"


def test_float_inputs_are_cast_and_integers_are_not():
    _, state = {}, {}
    assert apply_layer(Activation("relu"), {}, state, X.astype("float16"))[0].dtype == "float32"
    layer = Activation("relu", dtype="mixed_bfloat16")
    assert apply_layer(layer, {}, state, X)[0].dtype == "bfloat16"
    assert apply_layer(layer, {}, state, jnp.arange(3))[0].dtype == "int32"
    kept = Activation("relu", dtype="mixed_bfloat16", autocast=False)
    assert apply_layer(kept, {}, state, X)[0].dtype == "float32"


def test_the_three_dtypes_of_a_policy():
    layer = Dense(4, dtype="params=bfloat16,compute=float32,output=float16")
    params, state = init_layer(layer, KEY, X)
    assert params["kernel"].dtype == "bfloat16"
    assert apply_layer(layer, params, state, X)[0].dtype == "float16"


@pytest.mark.parametrize("dtype", ["mixed_bfloat17", 5, "int32", {"config": {}}])
def test_an_unknown_policy_is_an_error(dtype):
    with pytest.raises(
        ValueError, match="`Dense`: `dtype` must be one of 'float32', 'mixed_bfloat16'"
    ):
        Dense(3, dtype=dtype)
    with pytest.raises(ValueError, match="`set_dtype_policy`: `policy` must be one of"):
        mixed_precision.set_global_policy(dtype)


def test_regularizers_see_the_weights_as_they_are():
    layer = Dense(4, kernel_regularizer="l2", dtype="mixed_bfloat16")
    params, state = init_layer(layer, KEY, X)
    _, state = apply_layer(layer, params, state, X)
    expected = layer.kernel_regularizer(params["kernel"])
    assert float(state["penalty"]["weights"]) == float(expected)


class Scaled(fjax.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight((input_shape[-1],), "ones", name="scale")
        self.calls = self.add_weight((), "zeros", trainable=False, name="calls")
        self.exact = self.add_weight((), "ones", autocast=False, name="exact")

    def call(self, inputs):
        seen = [x.dtype.name for x in (inputs, self.scale, self.calls, self.exact)]
        assert seen == [self.compute_dtype] * 3 + ["float32"], seen
        self.calls = self.calls + 1
        return inputs * self.scale


def test_an_authored_layer_follows_its_policy():
    layer = Scaled(dtype="mixed_bfloat16")
    outputs = layer(X)
    assert outputs.dtype == "bfloat16"
    assert {w.dtype for w in layer.weights} == {"float32"} and float(layer.calls) == 1.0
    outputs, _ = layer.apply(
        {"scale": jnp.ones(3), "exact": jnp.ones(())}, {"calls": jnp.zeros(())}, X
    )
    assert outputs.dtype == "bfloat16"
    assert Scaled()(X).dtype == "float32"


class Doubled(Dense):
    def call(self, inputs):
        assert self.kernel.dtype == inputs.dtype == self.compute_dtype
        return 2 * super().call(inputs)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "bfloat16"])
def test_a_class_that_extends_a_layer_follows_its_policy(policy):
    layer = Doubled(4, dtype=policy)
    assert layer(X).dtype == "bfloat16"
    assert layer.kernel.dtype == layer.variable_dtype


class Block(fjax.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scaled = Scaled(dtype="float32")

    def call(self, inputs):
        assert inputs.dtype == self.compute_dtype
        return self.scaled(inputs)


def test_an_authored_model_has_a_policy_of_its_own():
    model = Block(dtype="mixed_bfloat16")
    assert model(X).dtype == "float32" and model.compute_dtype == "bfloat16"
    mixed_precision.set_global_policy("mixed_float16")
    assert Block().dtype_policy.name == "mixed_float16"


def test_a_stateful_recurrent_layer_carries_its_states_in_half_precision():
    mixed_precision.set_global_policy("mixed_bfloat16")
    model = Sequential([Input((4, 3), batch_size=2), LSTM(2, stateful=True), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 4, 3)), np.ones((8, 1)), batch_size=2, epochs=2, shuffle=False, verbose=0)
    assert model.layers[0].states[0].dtype == "float32"


@pytest.mark.thorough
@pytest.mark.parametrize("cell", [layers.LSTMCell, layers.GRUCell, layers.SimpleRNNCell])
def test_a_cell_has_the_policy_that_it_was_given(cell):
    sequences = jnp.ones((2, 4, 3))
    for policy, dtype in (("mixed_bfloat16", "bfloat16"), ("float32", "float32")):
        layer = layers.RNN(cell(2, dtype=policy), dtype="mixed_bfloat16")
        assert apply_layer(layer, *init_layer(layer, KEY, sequences), sequences)[0].dtype == dtype


def test_float16_gets_a_loss_scale():
    mixed_precision.set_global_policy("mixed_float16")
    model = classifier()
    model.compile("adam", "sparse_categorical_crossentropy")
    assert isinstance(model.model_parts.config.optimizer, LossScaleOptimizer)
    losses = model.fit(X, X[:, 0] > 0, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    with pytest.warns(UserWarning, match="computes in float16 without a loss scale"):
        model.compile("adam", "sparse_categorical_crossentropy", auto_scale_loss=False)
    optimizer = LossScaleOptimizer(fjax.optimizers.Adam())
    model.compile(optimizer, "sparse_categorical_crossentropy")
    assert model.model_parts.config.optimizer == optimizer


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_rematerialized_gradients_are_the_same(policy):
    mixed_precision.set_global_policy(policy)
    block = serial(Dense(8, "gelu"), layers.Dropout(0.5), layers.LayerNormalization(), Dense(3))
    plain = repeat(block, 3)
    params, state = init_layer(plain, KEY, X)

    def gradients(network):
        def loss(params):
            outputs, _ = apply_layer(network, params, state, X, key=KEY, training=True)
            return jnp.square(outputs.astype("float32")).sum()

        return jax.jit(jax.grad(loss))

    expected = gradients(plain)(params)
    for network in (repeat(block, 3, remat=True), repeat(remat(block), 3)):
        # XLA may fuse the two programs differently, which rounds differently.
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, 1e-4, 1e-5),
                     gradients(network)(params), expected)  # fmt: skip
        assert "remat" in str(jax.make_jaxpr(gradients(network))(params))


@pytest.mark.thorough
def test_rematerialization_saves_memory_and_is_kept():
    def model(**options):
        hidden = [Dense(512, "gelu"), Dense(16)]
        blocks = repeat(serial(*hidden), 6, **options)
        model = Sequential([Input((16,)), blocks])
        model.compile("sgd", "mse")
        return model

    plain, small = model(), model(remat=True)
    assert small.memory_report(256).temporaries < 0.6 * plain.memory_report(256).temporaries
    assert small.get_config()["layers"][0]["config"]["remat"] is True
    whole = Sequential([Input((3,)), Dense(2)], remat=True)
    assert Sequential.from_config(whole.get_config()).get_config()["remat"] is True
    assert "remat" not in Sequential([Input((3,)), Dense(2)]).get_config()
    inputs = Input((3,))
    assert fjax.Model(inputs, Dense(2)(inputs), remat=True).network.remat
    with pytest.raises(ValueError, match="`remat=True` is for models of symbolic tensors"):
        Block(remat=True)


def test_a_memory_report_counts_what_a_step_takes():
    model = classifier()
    with pytest.raises(RuntimeError, match="must be compiled"):
        model.memory_report()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    small, large = model.memory_report(100), model.memory_report(1100)
    # 3 inputs and one class id for each row.
    assert large.arguments - small.arguments == 1000 * 4 * 4
    assert small.outputs >= small.reused > 0 and "total" in str(small)
    with pytest.raises(ValueError, match="`batch_size` must be an integer of at least 1"):
        model.memory_report(0)


def test_float64_needs_the_64_bit_mode():
    with pytest.raises(ValueError, match="needs JAX's 64-bit mode"):
        Dense(3, dtype="float64")
    program = """
import jax
jax.config.update("jax_enable_x64", True)
import numpy as np, fjax
from fjax.layers import Dense, Input, LSTM
fjax.mixed_precision.set_global_policy("float64")
model = fjax.Sequential([Input((4, 3)), LSTM(2), Dense(1)])
model.compile("adam", "mse")
model.fit(np.ones((8, 4, 3)), np.ones(8), verbose=0)
assert {w.dtype for w in model.weights} == {"float64"}, model.weights
assert model.predict(np.ones((2, 4, 3)), verbose=0).dtype == "float64"
layer = Dense(1, bias_initializer=fjax.initializers.Constant(0.1))
layer.build((None, 3))
assert float(layer.bias[0]) == 0.1
assert Dense(3, dtype="float32")(np.ones((2, 3))).dtype == "float32"
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=240)
