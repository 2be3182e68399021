"""`serial`: layers composed in sequence."""

from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import serial
from fjax.layers import BatchNormalization, Dense, Dropout, Flatten

pytestmark = pytest.mark.short

KEY = jax.random.key(0)
INPUTS = jnp.asarray(np.random.default_rng(0).normal(size=(6, 2, 4)), "float32")


def network():
    return serial(
        Flatten(), Dense(5), BatchNormalization(), jnp.tanh, Dropout(0.5), Dense(3), jax.nn.softmax
    )


def apply(net, params, state, inputs, key=KEY, training=True):
    return net.apply(params, state, inputs, key=key, training=training)


def close(one, other, **tolerance):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, **tolerance), one, other)


def test_weights_are_nested_dicts_by_layer_name():
    params, state = network().init(KEY, INPUTS)
    names = {"flatten", "dense", "batch_normalization", "tanh", "dropout", "dense_1", "softmax"}
    assert set(params) == set(state) == names
    assert params["dense"]["kernel"].shape == (8, 5)
    assert params["dense_1"]["kernel"].shape == (5, 3)
    assert params["flatten"] == state["dense"] == {}


def test_the_outputs_equal_those_of_the_layers_in_sequence():
    first, second = Dense(5), Dense(3)
    net = serial(first, jnp.tanh, second)
    inputs = INPUTS.reshape(6, 8)
    params, state = net.init(KEY, inputs)
    hidden, _ = first.apply(params["dense"], {}, inputs)
    expected, _ = second.apply(params["dense_1"], {}, jnp.tanh(hidden))
    outputs, _ = net.apply(params, state, inputs)
    np.testing.assert_array_equal(outputs, expected)


def test_serials_nest():
    inner = serial(Dense(5), jnp.tanh)
    params, _ = serial(Flatten(), inner, Dense(3)).init(KEY, INPUTS)
    assert params["sequential"]["dense"]["kernel"].shape == (8, 5)
    assert params["dense"]["kernel"].shape == (5, 3)
    named = serial(Flatten(), serial(Dense(5), name="encoder")).init(KEY, INPUTS)[0]
    assert set(named) == {"flatten", "encoder"}


def test_an_added_layer_does_not_change_the_weights_of_others():
    short, _ = serial(Flatten(), Dense(5), Dense(4)).init(KEY, INPUTS)
    long, _ = serial(Flatten(), Dense(5), Dense(4), Dense(3)).init(KEY, INPUTS)
    for name in short:
        close(short[name], long[name], rtol=0)


def test_equal_layers_have_different_weights():
    params, _ = serial(Dense(8), Dense(8)).init(KEY, jnp.zeros((1, 8)))
    assert not np.array_equal(params["dense"]["kernel"], params["dense_1"]["kernel"])


def test_equal_networks_compare_equal():
    assert network().names == network().names
    assert network() == network()
    assert hash(network()) == hash(network())


@pytest.mark.parametrize("training", [False, True])
def test_jit(training):
    net = network()
    params, state = jax.jit(net.init)(KEY, INPUTS)
    close((params, state), net.init(KEY, INPUTS), rtol=1e-6)
    compiled = jax.jit(lambda p, s, x, k: apply(net, p, s, x, k, training))
    close(compiled(params, state, INPUTS, KEY), apply(net, params, state, INPUTS, KEY, training),
          rtol=1e-5, atol=1e-6)  # fmt: skip


def test_grad_agrees_with_finite_differences():
    net = serial(Flatten(), Dense(5), jnp.tanh, Dense(1))
    params, state = net.init(KEY, INPUTS)

    def loss(params):
        return jnp.sum(jnp.square(net.apply(params, state, INPUTS)[0]))

    direction = jax.tree.map(jnp.ones_like, params)
    gradient = jax.grad(loss)(params)
    along = sum(
        jnp.vdot(g, d) for g, d in zip(*map(jax.tree.leaves, (gradient, direction)), strict=True)
    )
    step = 1e-2
    moved = [
        loss(jax.tree.map(lambda p, d, s=s: p + s * step * d, params, direction)) for s in (1, -1)
    ]
    np.testing.assert_allclose(along, (moved[0] - moved[1]) / (2 * step), rtol=1e-2)


def test_vmap_over_seeds_and_scan_over_steps():
    net = network()
    keys = jax.random.split(KEY, 3)
    params, state = jax.vmap(lambda key: net.init(key, INPUTS))(keys)

    def step(carry, key):
        outputs, carry = apply(net, one_params, carry, INPUTS, key)
        return carry, outputs

    stacked, _ = jax.vmap(lambda p, s, k: apply(net, p, s, INPUTS, k))(params, state, keys)
    one_params, one_state = jax.tree.map(lambda a: a[1], (params, state))
    single, _ = apply(net, one_params, one_state, INPUTS, keys[1])
    np.testing.assert_allclose(stacked[1], single, rtol=1e-5, atol=1e-6)
    after, outputs = jax.lax.scan(step, one_state, keys)
    assert outputs.shape == (3, 6, 3)
    loop = one_state
    for key in keys:
        _, loop = apply(net, one_params, loop, INPUTS, key)
    close(after, loop, rtol=1e-5, atol=1e-6)


def test_eval_shape_and_checkpoint():
    net = network()
    params, state = jax.eval_shape(net.init, KEY, INPUTS)
    outputs, _ = jax.eval_shape(lambda p, s, x: net.apply(p, s, x), params, state, INPUTS)
    assert outputs.shape == (6, 3)
    params, state = net.init(KEY, INPUTS)

    def loss(params, run):
        return jnp.sum(run(params, state, INPUTS)[0] ** 2)

    def run(params, state, inputs):
        return apply(net, params, state, inputs)

    close(jax.grad(loss)(params, jax.checkpoint(run)), jax.grad(loss)(params, run),
          rtol=1e-5, atol=1e-6)  # fmt: skip


def test_shard_map():
    net = network()
    params, state = net.init(KEY, INPUTS)
    auto = jax.sharding.AxisType.Auto
    mesh = jax.make_mesh((1,), ("data",), axis_types=(auto,))
    whole, rows = jax.sharding.PartitionSpec(), jax.sharding.PartitionSpec("data")
    sharded = jax.shard_map(
        lambda p, s, x: apply(net, p, s, x),
        mesh=mesh,
        in_specs=(whole, whole, rows),
        out_specs=(rows, whole),
        check_vma=False,
    )
    found = jax.jit(sharded)(params, state, INPUTS)
    close(found, apply(net, params, state, INPUTS), rtol=1e-5, atol=1e-6)


def test_threads_are_independent():
    net = network()
    keys = jax.random.split(KEY, 8)

    def run(key):
        params, state = net.init(key, INPUTS)
        return apply(net, params, state, INPUTS, key)[0]

    expected = [run(key) for key in keys]
    with ThreadPoolExecutor(4) as pool:
        for one, other in zip(pool.map(run, keys), expected, strict=True):
            np.testing.assert_array_equal(one, other)


def test_each_layer_has_its_own_key():
    net = serial(Dropout(0.5), Dropout(0.5, name="second"))
    ones = jnp.ones((50, 50))
    outputs, _ = apply(net, *net.init(KEY, ones), ones)
    assert abs(float((outputs == 0).mean()) - 0.75) < 0.05


def test_an_error_names_the_layer_its_configuration_and_the_shapes():
    net = serial(Flatten(), serial(Dense(5), Dense(3), name="block"))
    params, state = net.init(KEY, INPUTS)
    with pytest.raises(ValueError, match="built for 8 features") as caught:
        net.apply(params, state, jnp.zeros((6, 3, 3)))
    notes = caught.value.__notes__
    assert notes[0] == "In layer 'dense', Dense(units=5), with inputs of (6, 9) float32."
    assert notes[1].startswith("In layer 'block', Serial(")


def test_dropout_without_a_key_raises():
    net = serial(Dropout(0.5))
    with pytest.raises(ValueError, match=r"needs a key: .*key=jax.random.key\(0\)"):
        net.apply(*net.init(KEY, INPUTS), INPUTS, training=True)


def test_two_layers_of_one_name_raise():
    with pytest.raises(ValueError, match="Two layers are named 'top'"):
        serial(Dense(1, name="top"), Dense(2, name="top"))


def test_a_misspelled_keyword_raises():
    net = network()
    with pytest.raises(TypeError, match="trainng"):
        net.apply(*net.init(KEY, INPUTS), INPUTS, trainng=True)
