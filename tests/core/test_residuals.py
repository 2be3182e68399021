"""`residual`: a layer plus a shortcut around it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax import branch, residual, serial
from fjax.layers import BatchNormalization, Dense, Dropout

KEY = jax.random.key(0)
INPUTS = jnp.asarray(np.random.default_rng(0).normal(size=(6, 4)), "float32")


def close(one, other, **tolerance):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, **tolerance), one, other)


def test_residual_is_public():
    assert fjax.residual is fjax.core.residual


def test_the_inputs_are_added():
    layer = Dense(4)
    net = residual(layer)
    params, state = net.init(KEY, INPUTS)
    expected = layer.apply(params["dense"], {}, INPUTS)[0] + INPUTS
    close(net.apply(params, state, INPUTS)[0], expected, rtol=0)


def test_the_outputs_of_the_shortcut_are_added():
    net = residual(Dense(3, name="through"), shortcut=Dense(3, name="around"))
    params, state = net.init(KEY, INPUTS)
    assert set(params) == set(state) == {"through", "around"}
    expected = sum(Dense(3).apply(params[name], {}, INPUTS)[0] for name in params)
    close(net.apply(params, state, INPUTS)[0], expected, rtol=1e-6)
    assert not np.array_equal(params["through"]["kernel"], params["around"]["kernel"])


def test_a_shortcut_does_not_change_the_weights_of_the_layer():
    alone, _ = residual(Dense(4)).init(KEY, INPUTS)
    both, _ = residual(Dense(4), shortcut=Dense(4)).init(KEY, INPUTS)
    close(alone["dense"], both["dense"], rtol=0)


def test_several_inputs_with_a_shortcut():
    net = residual(jnp.multiply, shortcut=jnp.add)
    outputs, _ = net.apply(*net.init(KEY, INPUTS, INPUTS), INPUTS, INPUTS)
    close(outputs, INPUTS * INPUTS + 2 * INPUTS, rtol=1e-6)
    with pytest.raises(TypeError, match="`Residual` takes one input, received 2"):
        residual(jnp.multiply).init(KEY, INPUTS, INPUTS)


def test_trees_are_added_leaf_by_leaf():
    net = residual(lambda tree: {"a": -tree["a"], "b": tree["b"]})
    inputs = {"a": INPUTS, "b": INPUTS[0]}
    outputs, _ = net.apply(*net.init(KEY, inputs), inputs)
    close(outputs, {"a": jnp.zeros_like(INPUTS), "b": 2 * INPUTS[0]})


def test_half_precision_is_kept():
    half = INPUTS.astype(jnp.bfloat16)
    net = residual(serial(BatchNormalization(dtype="mixed_bfloat16"), jnp.tanh))
    assert net.apply(*net.init(KEY, half), half)[0].dtype == jnp.bfloat16


def test_transformations():
    net = residual(serial(Dense(4), BatchNormalization(), Dropout(0.5)), shortcut=Dense(4))
    params, state = jax.jit(net.init)(KEY, INPUTS)
    close((params, state), net.init(KEY, INPUTS), rtol=1e-6)

    def run(params, inputs, key):
        return net.apply(params, state, inputs, key=key, training=True)

    def loss(params, run):
        return jnp.sum(run(params, INPUTS, KEY)[0] ** 2)

    close(jax.jit(run)(params, INPUTS, KEY), run(params, INPUTS, KEY), rtol=1e-5, atol=1e-6)
    gradients = jax.grad(loss)(params, run)
    close(jax.grad(loss)(params, jax.checkpoint(run)), gradients, rtol=1e-5, atol=1e-5)
    keys = jax.random.split(KEY, 3)
    stacked = jax.vmap(lambda key: run(params, INPUTS, key))(keys)
    one = jax.tree.map(lambda a: a[1], stacked)
    close(one, run(params, INPUTS, keys[1]), rtol=1e-5, atol=1e-6)
    assert np.abs(one[1]["sequential"]["batch_normalization"]["moving_mean"]).max() > 0


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (residual(Dense(3)), r"\(6, 4\) and \(6, 3\).*shortcut=….*such as `Dense\(3\)`"),
        (residual(Dense(1)), r"\(6, 4\) and \(6, 1\).*such as `Dense\(1\)`"),
        (residual(lambda x: x[:, None]), r"\(6, 4\) and \(6, 1, 4\).*one that returns \(6, 1, 4\)"),
        (residual(lambda x: x.sum()), r"\(6, 4\) and \(\).*one that returns \(\)"),
        (residual(branch(jnp.sin, jnp.cos)), r"\(6, 4\) and \(\(6, 4\), \(6, 4\)\)"),
        (residual(Dense(3), shortcut=Dense(2)), r"and its shortcut.*\(6, 3\) and \(6, 2\)"),
    ],
)
def test_init_raises_if_the_shapes_differ(net, message):
    with pytest.raises(ValueError, match=message):
        net.init(KEY, INPUTS)
    with pytest.raises(ValueError, match=message) as caught:
        serial(net, name="block").init(KEY, INPUTS)
    assert any("In layer 'residual'" in note for note in caught.value.__notes__)


def test_arguments_that_are_no_layers_raise():
    with pytest.raises(TypeError, match="received None"):
        residual(None)
    with pytest.raises(TypeError, match="received 3 of type `int`"):
        residual(Dense(4), 3)
    with pytest.raises(ValueError, match="Two layers are named 'top'"):
        residual(Dense(1, name="top"), Dense(1, name="top"))
