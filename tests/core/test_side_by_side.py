"""`parallel` and `branch`, and how tuples go from layer to layer."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax import branch, parallel, serial
from fjax.layers import Add, BatchNormalization, Concatenate, Dense, Dropout, Flatten

KEY = jax.random.key(0)
RANDOM = np.random.default_rng(0)
ONE = jnp.asarray(RANDOM.normal(size=(6, 4)), "float32")
OTHER = jnp.asarray(RANDOM.normal(size=(6, 2, 3)), "float32")


def two_inputs():
    """Two ways that meet, with state and noise on one of them."""
    noisy = serial(Dense(5), BatchNormalization(), Dropout(0.5))
    return serial(parallel(noisy, Flatten()), Concatenate(), branch(Dense(3), Dense(3)), Add())


def close(one, other, **tolerance):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, **tolerance), one, other)


def test_the_names_are_there_at_the_top():
    assert (fjax.parallel, fjax.branch) == (fjax.core.parallel, fjax.core.branch)


def test_parallel_gives_each_layer_its_input():
    first, second = Dense(2), Flatten()
    net = parallel(first, second)
    params, state = net.init(KEY, ONE, OTHER)
    assert set(params) == set(state) == {"dense", "flatten"}
    outputs, _ = net.apply(params, state, ONE, OTHER)
    assert isinstance(outputs, tuple)
    np.testing.assert_array_equal(outputs[0], first.apply(params["dense"], {}, ONE)[0])
    np.testing.assert_array_equal(outputs[1], OTHER.reshape(6, 6))


def test_branch_gives_every_layer_all_inputs():
    net = branch(Dense(2), jnp.tanh, Dense(3))
    params, state = net.init(KEY, ONE)
    outputs, _ = net.apply(params, state, ONE)
    assert [output.shape for output in outputs] == [(6, 2), (6, 4), (6, 3)]
    np.testing.assert_array_equal(outputs[1], jnp.tanh(ONE))
    assert set(params) == {"dense", "tanh", "dense_1"}
    both, _ = branch(jnp.add, jnp.subtract).apply(
        {"add": {}, "subtract": {}}, {"add": {}, "subtract": {}}, ONE, ONE
    )
    close(both, (2 * ONE, jnp.zeros_like(ONE)))


def test_one_layer_alone_returns_a_tuple_too():
    for net in (branch(Flatten()), parallel(Flatten()), serial(branch(Flatten()))):
        outputs, _ = net.apply(*net.init(KEY, OTHER), OTHER)
        assert isinstance(outputs, tuple) and len(outputs) == 1


def test_branches_draw_and_drop_each_by_its_own_key():
    ones = jnp.ones((50, 50))
    net = branch(Dropout(0.5), Dropout(0.5), Dense(50), Dense(50))
    params, state = net.init(KEY, ones)
    assert not np.array_equal(params["dense"]["kernel"], params["dense_1"]["kernel"])
    (one, other, _, _), _ = net.apply(params, state, ones, key=KEY, training=True)
    assert not np.array_equal(one, other)
    longer, _ = branch(*net.layers, Dense(2)).init(KEY, ones)
    close({name: longer[name] for name in params}, params, rtol=0)


class TestWhatGoesFromLayerToLayer:
    def received(self, made):
        """What a layer is called with, after one that returns this."""
        seen = []

        def see(*inputs):
            seen.append(inputs)
            return inputs[0]

        serial(lambda x: made, see).apply({"lambda": {}, "see": {}}, {"lambda": {}, "see": {}}, ONE)
        return seen[0]

    def test_a_tuple_is_several_arguments(self):
        assert self.received((1, 2)) == (1, 2)
        assert self.received((1, (2, 3))) == (1, (2, 3))

    def test_a_list_a_dict_or_a_named_tuple_is_one(self):
        class Pair(NamedTuple):
            a: int
            b: int

        for made in ([1, 2], {"a": 1}, Pair(1, 2)):
            assert self.received(made) == (made,)

    def test_nested_tuples_reach_the_layer_in_their_place(self):
        net = serial(parallel(branch(jnp.sin, jnp.cos), Flatten()), parallel(Add(), jnp.negative))
        (summed, negative), _ = net.apply(*net.init(KEY, ONE, OTHER), ONE, OTHER)
        close(summed, jnp.sin(ONE) + jnp.cos(ONE), rtol=1e-6)
        close(negative, -OTHER.reshape(6, 6))

    def test_a_serial_inside_takes_several_as_well(self):
        net = serial(branch(Dense(2), Dense(3)), serial(Concatenate(), Dense(1)))
        params, state = net.init(KEY, ONE)
        assert params["sequential"]["dense"]["kernel"].shape == (5, 1)
        assert net.apply(params, state, ONE)[0].shape == (6, 1)

    def test_in_a_sequential(self):
        model = fjax.Sequential([fjax.Input((4,)), branch(Dense(2), Dense(3)), Concatenate()])
        model.add(Dense(1))
        assert model.output_shape == (None, 1)
        lines = []
        model.summary(print_fn=lines.append)
        assert "(None, 2), (None, 3)" in lines[0] and "concatenate" in lines[0]
        model.compile(loss="mse")
        history = model.fit(np.asarray(ONE), np.zeros((6, 1)), epochs=2, verbose=0)
        assert len(history.history["loss"]) == 2


class TestTransformations:
    def test_jit_and_eval_shape(self):
        net = two_inputs()
        params, state = jax.jit(net.init)(KEY, ONE, OTHER)
        close((params, state), net.init(KEY, ONE, OTHER), rtol=1e-6)

        def apply(params, state, key):
            return net.apply(params, state, ONE, OTHER, key=key, training=True)

        close(jax.jit(apply)(params, state, KEY), apply(params, state, KEY), rtol=1e-5, atol=1e-6)
        specs = jax.eval_shape(net.init, KEY, ONE, OTHER)
        assert jax.eval_shape(apply, *specs, KEY)[0].shape == (6, 3)

    def test_grad_checkpoint_and_vmap(self):
        net = two_inputs()
        params, state = net.init(KEY, ONE, OTHER)

        def run(params, one, key):
            return net.apply(params, state, one, OTHER, key=key, training=True)[0]

        def loss(params, run):
            return jnp.sum(run(params, ONE, KEY) ** 2)

        gradients = jax.grad(loss)(params, run)
        assert all(np.abs(g).max() > 0 for g in jax.tree.leaves(gradients["branch"]))
        close(jax.grad(loss)(params, jax.checkpoint(run)), gradients, rtol=1e-5, atol=1e-5)
        keys = jax.random.split(KEY, 3)
        stacked = jax.vmap(lambda key: run(params, ONE, key))(keys)
        close(stacked[2], run(params, ONE, keys[2]), rtol=1e-5, atol=1e-5)

    def test_state_moves_inside(self):
        net = two_inputs()
        params, state = net.init(KEY, ONE, OTHER)
        _, after = net.apply(params, state, ONE, OTHER, key=KEY, training=True)
        assert jax.tree.structure(after) == jax.tree.structure(state)
        moved = after["parallel"]["sequential"]["batch_normalization"]["moving_mean"]
        assert np.abs(moved).max() > 0


class TestMistakes:
    def test_as_many_inputs_as_layers(self):
        with pytest.raises(TypeError, match=r"2 layers takes one input for each, received 1.*bran"):
            parallel(Dense(1), Dense(1)).init(KEY, ONE)

    @pytest.mark.parametrize("make", [parallel, branch])
    def test_no_layers(self, make):
        with pytest.raises(ValueError, match="needs at least one layer"):
            make()

    @pytest.mark.parametrize("make", [parallel, branch])
    def test_no_layer_or_a_name_twice(self, make):
        with pytest.raises(TypeError, match="received the class `Dense`"):
            make(Dense)
        with pytest.raises(ValueError, match="Two layers are named 'top'"):
            make(Dense(1, name="top"), Dense(2, name="top"))

    def test_an_error_inside_says_where(self):
        net = branch(Dense(3), serial(Dense(2), name="deep"))
        params, state = net.init(KEY, ONE)
        with pytest.raises(ValueError, match="built for 4 features") as caught:
            net.apply(params, state, jnp.zeros((6, 5)))
        assert caught.value.__notes__[0].startswith("In layer 'dense', Dense(units=3)")
        net = parallel(Flatten(), Dense(2, name="narrow"))
        with pytest.raises(ValueError, match="`Dense` needs inputs") as caught:
            net.init(KEY, ONE, jnp.zeros(6))
        assert caught.value.__notes__[0].startswith("In layer 'narrow', Dense(units=2")
