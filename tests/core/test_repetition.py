"""`repeat`: equal blocks in one loop, compared with the same blocks in `serial`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax import branch, parallel, repeat, residual, serial
from fjax.layers import BatchNormalization, Concatenate, Dense, Dropout

pytestmark = pytest.mark.sampled(3, whole=True)

KEY = jax.random.key(0)
INPUTS = jnp.asarray(np.random.default_rng(0).normal(size=(6, 4)), "float32")


def block():
    return residual(serial(BatchNormalization(), Dense(8, "tanh"), Dropout(0.3), Dense(4)))


def close(one, other, **tolerance):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, **tolerance), one, other)


def stacked(tree, names):
    """Return the weights of the blocks of a `serial`, stacked."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *(tree[name] for name in names))


def run(net, params, state, inputs, key=KEY, training=True):
    return net.apply(params, state, inputs, key=key, training=training)


def test_repeat_is_public():
    assert fjax.repeat is fjax.core.repeat


def test_weights_and_outputs_equal_those_of_a_serial():
    net, unrolled = repeat(block(), 3), serial(*[block() for _ in range(3)])
    params, state = net.init(KEY, INPUTS)
    serial_params, serial_state = unrolled.init(KEY, INPUTS)
    close(params, stacked(serial_params, unrolled.names), rtol=1e-6)
    close(state, stacked(serial_state, unrolled.names), rtol=1e-6)
    for training in (False, True):
        outputs, after = run(net, params, state, INPUTS, training=training)
        expected, state_after = run(
            unrolled, serial_params, serial_state, INPUTS, training=training
        )
        close(outputs, expected, rtol=1e-5, atol=1e-5)
        close(after, stacked(state_after, unrolled.names), rtol=1e-5, atol=1e-5)


def test_gradients_equal_those_of_a_serial():
    net, unrolled = repeat(block(), 3), serial(*[block() for _ in range(3)])

    def loss(params, net, state):
        return jnp.sum(run(net, params, state, INPUTS)[0] ** 2)

    params, state = unrolled.init(KEY, INPUTS)
    gradient = jax.jit(jax.grad(loss), static_argnums=1)
    expected = stacked(gradient(params, unrolled, state), unrolled.names)
    params, state = net.init(KEY, INPUTS)
    close(gradient(params, net, state), expected, rtol=1e-4, atol=1e-4)


def test_more_blocks_do_not_change_the_first_ones():
    short, _ = repeat(Dense(4), 2).init(KEY, INPUTS)
    long, _ = repeat(Dense(4), 5).init(KEY, INPUTS)
    close(jax.tree.map(lambda a: a[:2], long), short, rtol=0)
    assert not np.array_equal(short["kernel"][0], short["kernel"][1])


def test_one_block_is_traced_whatever_the_count():
    def count(times):
        traced = []

        def look(inputs):
            traced.append(1)
            return jnp.tanh(inputs)

        net = repeat(serial(Dense(4), look), times)
        params, state = net.init(KEY, INPUTS)
        traced.clear()
        program = jax.make_jaxpr(lambda p, x: net.apply(p, state, x)[0])(params, INPUTS)
        return len(traced), len(program.eqns)

    assert count(2) == count(50)


def test_jit_eval_shape_and_vmap_over_seeds():
    net = repeat(block(), 2)
    params, state = jax.jit(net.init)(KEY, INPUTS)
    close((params, state), net.init(KEY, INPUTS), rtol=1e-6)
    eager = run(net, params, state, INPUTS)
    close(jax.jit(lambda p, s, x, k: run(net, p, s, x, k))(params, state, INPUTS, KEY), eager,
          rtol=1e-5, atol=1e-5)  # fmt: skip
    shapes = jax.eval_shape(net.init, KEY, jax.ShapeDtypeStruct((6, 4), "float32"))
    assert jax.tree.map(jnp.shape, (params, state)) == jax.tree.map(lambda s: s.shape, shapes)
    keys = jax.random.split(KEY, 3)
    many = jax.jit(jax.vmap(lambda key: net.init(key, INPUTS)))(keys)
    seeds = jax.vmap(lambda p, s, k: run(net, p, s, INPUTS, k))
    outputs, _ = jax.jit(seeds)(*many, keys)
    single = jax.tree.map(lambda a: a[1], many)
    close(outputs[1], run(net, *single, INPUTS, keys[1])[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("inside", [False, True])
def test_checkpoint_around_it_and_around_a_block(inside):
    net = repeat(block(), 3)
    params, state = net.init(KEY, INPUTS)

    def saved(params, state, inputs, *, key=None, training=False):
        def apply(params, state, inputs, key):
            return block().apply(params, state, inputs, key=key, training=training)

        return jax.checkpoint(apply)(params, state, inputs, key)

    frugal = repeat((block().init, saved), 3) if inside else net

    def loss(params, apply):
        return jnp.sum(apply(params, INPUTS) ** 2)

    def plain(params, inputs):
        return run(net, params, state, inputs)[0]

    def checkpointed(params, inputs):
        return run(frugal, params, state, inputs)[0]

    @jax.jit
    def both(params):
        saved = checkpointed if inside else jax.checkpoint(plain)
        return jax.grad(loss)(params, plain), jax.grad(loss)(params, saved)

    expected, found = both(params)
    close(found, expected, rtol=1e-4, atol=1e-4)


def test_each_block_has_its_own_key():
    ones = jnp.ones((100, 100))
    net = repeat(Dropout(0.5), 2)
    outputs, _ = run(net, *net.init(KEY, ones), ones)
    assert abs(float((outputs == 0).mean()) - 0.75) < 0.02


def test_half_precision_and_numpy_inputs():
    net = repeat(serial(BatchNormalization(dtype="mixed_bfloat16"), jnp.tanh), 3)
    half = INPUTS.astype(jnp.bfloat16)
    assert run(net, *net.init(KEY, half), half)[0].dtype == jnp.bfloat16
    net = repeat(serial(BatchNormalization(), jnp.tanh), 3)
    assert run(net, *net.init(KEY, half), half)[0].dtype == jnp.float32
    rows = np.asarray(INPUTS, "float64")
    assert run(net, *net.init(KEY, rows), rows)[0].dtype == jnp.float32


def test_several_inputs_are_several_outputs():
    net = repeat(parallel(Dense(4), Dense(2)), 3)
    inputs = INPUTS, INPUTS[:, :2]
    params, state = net.init(KEY, *inputs)
    outputs, _ = net.apply(params, state, *inputs)
    assert isinstance(outputs, tuple) and [o.shape for o in outputs] == [(6, 4), (6, 2)]


def test_it_nests_with_other_combinators():
    inner = repeat(serial(branch(Dense(2), Dense(2)), Concatenate()), 2)
    net = serial(residual(repeat(inner, 3)), branch(repeat(Dense(4), 2), jnp.tanh), Concatenate())
    params, state = net.init(KEY, INPUTS)
    kernel = params["residual"]["repeat"]["branch"]["dense"]["kernel"]
    assert kernel.shape == (3, 2, 4, 2)
    assert net.apply(params, state, INPUTS)[0].shape == (6, 8)


def test_it_trains_in_a_model():
    model = fjax.Sequential([fjax.Input((4,)), repeat(block(), 4), Dense(1)], seed=0)
    model.compile("adam", "mse")
    rows = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    logs = model.fit(rows, rows.sum(axis=1, keepdims=True), epochs=20, verbose=0).history["loss"]
    assert logs[-1] < logs[0] / 2


@pytest.mark.parametrize(
    ("layer", "inputs", "message"),
    [
        (Dense(3), INPUTS, r"takes \(6, 4\) float32 and returns \(6, 3\) float32"),
        (lambda x: x[0], INPUTS, r"takes \(6, 4\) float32 and returns \(4,\) float32"),
        (lambda x: x.astype("bfloat16"), INPUTS, r"float32 and returns \(6, 4\) bfloat16"),
        (branch(Dense(4), Dense(4)), INPUTS, r"takes \(6, 4\) float32 and returns \('\(6, 4\)"),
    ],
)
def test_a_block_that_changes_shape_or_dtype_raises(layer, inputs, message):
    with pytest.raises(
        ValueError,
        match=r"`Repeat`: the outputs of a block are the inputs of the next one.*" + message,
    ):
        repeat(layer, 2).init(KEY, inputs)


@pytest.mark.parametrize("count", [0, -1, 2.0, True, None])
def test_count_must_be_a_positive_integer(count):
    with pytest.raises(ValueError, match="`Repeat`: `count` must be an integer of at least 1"):
        repeat(Dense(4), count)


def test_an_error_names_all_layers_around_it():
    net = serial(repeat(serial(Dense(4), name="block"), 2, name="tower"))
    params, state = net.init(KEY, INPUTS)
    with pytest.raises(ValueError, match="built for 4 features") as caught:
        net.apply(params, state, jnp.zeros((6, 5)))
    notes = " ".join(caught.value.__notes__)
    assert all(f"In layer {name!r}" in notes for name in ("dense", "block", "tower"))
    net = repeat(Dropout(0.5), 2)
    with pytest.raises(ValueError, match=r"`Dropout` draws .* and needs a key"):
        net.apply(*net.init(KEY, INPUTS), INPUTS, training=True)
