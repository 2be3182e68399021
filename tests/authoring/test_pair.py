"""The pair of an authored layer is pure, whatever the author's code does."""

import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import Layer, serial
from fjax.core import penalty
from tests.authoring.example_layers import KEY, Block, X, built, close, contents


def test_a_pass_does_not_change_the_object():
    layer = Block(5)
    before = contents(vars(layer))
    params, state = layer.init(KEY, X)
    layer.apply(params, state, X, key=KEY, training=True)
    layer.apply(params, state, X)
    assert contents(vars(layer)) == before
    assert layer.notes == {"seen": []}


def test_apply_returns_the_next_state():
    layer = Block(5)
    params, state = built(layer)
    _, once = layer.apply(params, state, X, key=KEY, training=True)
    _, twice = layer.apply(params, once, X, key=KEY, training=True)
    assert [int(s["passes"]) for s in (state, once, twice)] == [0, 1, 2]
    close(once["mean"], 0.1 * X.mean(axis=0))
    close(twice["mean"], 0.19 * X.mean(axis=0))
    assert float(once["heads_right_1"]["moving_variance"][0]) != 1.0
    assert float(penalty(once)) > 0 == float(penalty(state))


def test_the_pair_goes_through_every_transformation():
    layer = Block(5)
    params, state = built(layer)

    def run(params, state, x, key):
        outputs, state = layer.apply(params, state, x, key=key, training=True)
        return outputs, state

    eager = run(params, state, X, KEY)
    close(jax.jit(run)(params, state, X, KEY), eager)
    close(jax.jit(layer.init)(KEY, X), (params, state))
    shapes = jax.eval_shape(run, params, state, X, KEY)
    assert jax.tree.map(jnp.shape, shapes) == jax.tree.map(jnp.shape, eager)

    def objective(params):
        outputs, after = run(params, state, X, KEY)
        return jnp.sum(outputs**2) + penalty(after)

    direction = jax.tree.map(jnp.ones_like, params)

    @jax.jit
    def derivatives(params, direction):
        remembered = jax.grad(jax.checkpoint(objective))(params)
        return (
            jax.grad(objective)(params),
            remembered,
            jax.jvp(objective, (params,), (direction,))[1],
        )

    gradients, remembered, slope = derivatives(params, direction)
    close(remembered, gradients)
    close(slope, sum(jnp.sum(g) for g in jax.tree.leaves(gradients)))

    batches = jnp.stack([X, 2 * X])
    keys = jax.random.split(KEY, 2)
    outputs, _ = jax.vmap(run, in_axes=(None, None, 0, 0))(params, state, batches, keys)
    close(outputs[1], run(params, state, 2 * X, keys[1])[0])
    many, _ = jax.vmap(lambda key: layer.init(key, X))(keys)
    close(jax.tree.map(lambda a: a[1], many), layer.init(keys[1], X)[0])

    def step(state, x):
        outputs, state = layer.apply(params, state, x)
        return state, outputs

    last, stacked = jax.lax.scan(step, state, batches)
    assert int(last["passes"]) == 2
    close(stacked[1], layer.apply(params, state, 2 * X)[0])


def test_two_threads_can_apply_one_object():
    layer = Block(5)
    weights = [layer.init(jax.random.key(seed), X) for seed in range(2)]
    expected = [layer.apply(*pair, X)[0] for pair in weights]
    found = [[], []]

    def work(which):
        for _ in range(10):
            found[which].append(layer.apply(*weights[which], X)[0])

    threads = [threading.Thread(target=work, args=(which,)) for which in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for which in range(2):
        assert len(found[which]) == 10
        for outputs in found[which]:
            np.testing.assert_array_equal(outputs, expected[which])


def test_the_same_key_gives_the_same_weights_and_each_weight_its_own():
    one, other = built(Block(5)), built(Block(5))
    jax.tree.map(np.testing.assert_array_equal, one, other)
    params = one[0]
    assert not np.allclose(params["hidden_0"]["kernel"], params["hidden_1"]["kernel"])
    assert not np.allclose(Block(5).init(jax.random.key(1), X)[0]["last"]["kernel"], 0)


@pytest.mark.parametrize(("wrap", "most"), [(lambda layer: layer, 2), (serial, 128)])
def test_the_cost_of_init_does_not_grow_exponentially_with_depth(wrap, most):
    counts = {"build": 0, "call": 0}

    class Leaf(Layer):
        def build(self, input_shape):
            counts["build"] += 1
            self.scale = self.add_weight((input_shape[-1],), name="scale")

        def call(self, inputs, training=False):
            counts["call"] += 1
            return inputs * self.scale

    class Nest(Layer):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def call(self, inputs):
            return self.inner(inputs)

    costs = []
    for depth in range(1, 6):
        counts.update(build=0, call=0)
        layer = Leaf()
        for _ in range(depth):
            layer = Nest(wrap(layer))
        layer.init(KEY, X)
        assert counts["build"] == counts["call"]
        costs.append(counts["build"])
    assert costs[0] <= 6 and costs[-1] <= most
    params, state = layer.init(KEY, X)
    assert layer.apply(params, state, X)[0].shape == X.shape
