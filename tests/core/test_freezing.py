"""Frozen layers: paths, flags, the training step, the optimizer and the layers."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from fjax import branch, repeat, residual, serial
from fjax.core import graph
from fjax.core.freezing import (
    apply_trainable_flags,
    frozen_paths,
    merge_params,
    set_trainable,
    trainable_flags,
    trainable_part,
)
from fjax.layers import BatchNormalization, Concatenate, Dense, Dropout, Input
from fjax.losses import MeanSquaredError
from fjax.optimizers import SGD, Adam
from fjax.training import Batch, create_train_state, train_step

KEY = jax.random.key(0)
X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
Y = np.random.default_rng(1).normal(size=(8, 1)).astype("float32")


def network(**base):
    return serial(
        serial(Dense(4), BatchNormalization(), name="base", **base), Dropout(0.5), Dense(1)
    )


def test_frozen_paths():
    plain = network()
    assert frozen_paths(plain) == []
    frozen = serial(Dense(4, trainable=False), residual(Dense(4, trainable=False)), Dense(1))
    assert frozen_paths(frozen) == [("dense",), ("residual", "dense")]
    side = serial(branch(Dense(2, trainable=False, name="a"), Dense(2, name="b")), Concatenate())
    assert frozen_paths(side) == [("branch", "a")]
    assert frozen_paths(jnp.tanh) == []


def test_a_frozen_container_freezes_its_sublayers():
    net = network()
    net.layers[0].trainable = False
    fixed = apply_trainable_flags(net)
    assert frozen_paths(fixed) == [("base",)]
    assert not any(trainable_flags(fixed.layers[0]))
    assert trainable_flags(net.layers[0]) == (False, False, False)


def test_later_changes_do_not_affect_a_network_with_applied_flags():
    original = network()
    fixed = apply_trainable_flags(original)
    set_trainable(original, False)
    assert not any(trainable_flags(original))
    assert all(trainable_flags(fixed))
    assert fixed == network()
    assert fixed != original


def test_splitting_and_merging_params():
    params = {"a": {"kernel": 1, "bias": 2}, "b": {"c": {"kernel": 3}, "d": {"kernel": 4}}}
    part = trainable_part(params, [("a",), ("b", "c")])
    assert part == {"b": {"d": {"kernel": 4}}}
    assert merge_params(params, {"b": {"d": {"kernel": 9}}})["b"] == {
        "c": {"kernel": 3},
        "d": {"kernel": 9},
    }
    assert trainable_part(params, [()]) == {}
    assert merge_params(params, {}) == params
    assert trainable_part(params, [("unknown",)]) == params


def test_a_repeated_block_can_be_frozen_partly():
    block = residual(serial(Dense(3, trainable=False), Dense(3)))
    deep = repeat(block, 3)
    assert frozen_paths(deep) == [("sequential", "dense")]
    params, _ = deep.init(KEY, X)
    kept = trainable_part(params, frozen_paths(deep))
    assert set(kept["sequential"]) == {"dense_1"}
    assert kept["sequential"]["dense_1"]["kernel"].shape == (3, 3, 3)


@pytest.mark.parametrize("optimizer", [SGD(0.1, momentum=0.9), Adam(), optax.adam(1e-3)])
def test_a_step_leaves_frozen_params_alone_and_the_optimizer_never_sees_them(optimizer):
    net = network()
    set_trainable(net.layers[0], False)
    fixed = apply_trainable_flags(net)
    batch = Batch((X,), Y)
    before = create_train_state(fixed, optimizer, KEY, X)
    shapes = [leaf.shape for leaf in jax.tree.leaves(before.opt_state) if np.ndim(leaf)]
    assert sorted(shapes) in ([(1,), (1,), (4, 1), (4, 1)], [(1,), (4, 1)])
    after, _ = jax.jit(train_step(fixed, MeanSquaredError(), optimizer))(before, batch)
    for name, same in (("base", True), ("dense", False)):
        pairs = zip(*(jax.tree.leaves(s.params[name]) for s in (before, after)), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs) == same
    for old, new in zip(*map(jax.tree.leaves, (before.state, after.state)), strict=True):
        np.testing.assert_array_equal(old, new)


def test_batch_normalization_frozen_is_in_inference_mode():
    fixed = apply_trainable_flags(network(), trainable=False)
    params, state = fixed.init(KEY, X)
    outputs, after = fixed.layers[0].apply(params["base"], state["base"], X, training=True)
    expected, _ = fixed.layers[0].apply(params["base"], state["base"], X, training=False)
    np.testing.assert_array_equal(outputs, expected)
    for new, old in zip(*map(jax.tree.leaves, (after, state["base"])), strict=True):
        np.testing.assert_array_equal(new, old)


def test_a_fully_frozen_network_trains_nothing_but_counts_steps():
    fixed = apply_trainable_flags(network(), trainable=False)
    state = create_train_state(fixed, SGD(0.1), KEY, X)
    after, logs = train_step(fixed, MeanSquaredError(), SGD(0.1))(state, Batch((X,), Y))
    assert int(after.step) == 1
    assert np.isfinite(logs["loss"])
    for old, new in zip(*map(jax.tree.leaves, (state.params, after.params)), strict=True):
        np.testing.assert_array_equal(old, new)


def test_flags_do_not_change_the_program_of_an_unfrozen_network():
    plain, batch = network(), Batch((X,), Y)
    state = create_train_state(plain, SGD(0.1), KEY, X)

    def program(network):
        return str(jax.make_jaxpr(train_step(network, MeanSquaredError(), SGD(0.1)))(state, batch))

    assert program(plain) == program(apply_trainable_flags(plain))


def test_graphs_are_frozen_by_layer():
    a = Input((3,))
    base = Dense(4)
    net = graph(a, Dense(1)(base(a)))
    base.trainable = False
    assert frozen_paths(net) == [("dense",)]
    assert apply_trainable_flags(net).names == net.names


@pytest.mark.parametrize("value", [0, None, "no"])
def test_trainable_must_be_a_bool(value):
    with pytest.raises(TypeError, match="`trainable` must be True or False"):
        set_trainable(Dense(3), value)
    with pytest.raises(TypeError, match="`trainable` must be True or False"):
        Dense(3, trainable=value)
    with pytest.raises(TypeError, match="`trainable` must be True or False"):
        Dense(3).trainable = value
