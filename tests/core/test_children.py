"""The layers inside a layer: their names, and others in their places."""

import jax
import jax.numpy as jnp
import pytest

from fjax import Layer, branch, parallel, repeat, residual, serial
from fjax.configuration import cache_key
from fjax.layers import Dense, Dropout, Flatten, Normalization

KEY = jax.random.key(0)

COMBINATORS = {
    "serial": lambda: serial(Dense(4), jax.nn.relu, Dense(4, name="top"), name="whole"),
    "parallel": lambda: parallel(Dense(4), Dense(3)),
    "branch": lambda: branch(Dense(4), jnp.tanh, Dense(4)),
    "residual": lambda: residual(Dense(4)),
    "residual with a shortcut": lambda: residual(Dense(4), shortcut=Dense(4), name="whole"),
    "repeat": lambda: repeat(Dense(4), 3),
    "nested": lambda: serial(branch(residual(Dense(4)), repeat(Dense(4), 2)), jnp.add),
}
every_combinator = pytest.mark.parametrize("make", COMBINATORS.values(), ids=COMBINATORS)


class Held(Layer):
    """A layer around another: the same weights, no gradient."""

    inner: Layer

    def init(self, key, *specs):
        return self.inner.init(key, *specs)

    def apply(self, params, state, *inputs, key=None, training=False):
        return self.inner.apply(jax.lax.stop_gradient(params), state, *inputs)


@every_combinator
def test_equal_fields_make_equal_combinators(make):
    assert make() == make()
    assert hash(make()) == hash(make())
    assert cache_key(make())
    assert repr(make()) == repr(make())
    assert make().get_config() == make().get_config()
    assert "given_names" not in repr(make())


def test_other_fields_make_others():
    assert serial(Dense(4), Dense(3)) != parallel(Dense(4), Dense(3))
    assert residual(Dense(4)) != residual(Dense(4), shortcut=Dense(4))
    assert repeat(Dense(4), 2) != repeat(Dense(4), 3)
    assert not cache_key(branch(lambda x: x))
    assert repr(repeat(Dense(4), 2)) == "Repeat(layer=Dense(units=4), count=2)"
    assert repr(residual(Dense(4))) == "Residual(layer=Dense(units=4))"


@every_combinator
def test_children_are_named_as_the_weights_are(make):
    layer = make()
    inputs = [jnp.ones((2, 4))] * (2 if "Parallel" in repr(layer) else 1)
    params, state = layer.init(KEY, *inputs)
    names = {name for name, _ in layer.children()}
    if layer.children():
        assert names == set(params) == set(state)


@every_combinator
def test_the_same_children_give_the_same_combinator(make):
    layer = make()
    assert layer.with_children(layer.inside()) == layer


def test_a_layer_without_layers_inside():
    assert Dense(3).children() == repeat(Dense(3), 2).children() == []
    assert Dense(3).with_children([]) == Dense(3)
    with pytest.raises(ValueError, match="`Dense` has no sublayers, received 1"):
        Dense(3).with_children([Dense(2)])
    assert repeat(Dense(3), 2).inside() == [Dense(3)]
    with pytest.raises(ValueError, match="`Repeat` has one layer inside, received 0"):
        repeat(Dense(3), 2).with_children([])


@pytest.mark.parametrize(
    "make", [value for name, value in COMBINATORS.items() if name not in ("repeat", "nested")]
)
def test_others_in_their_places_take_over_names_and_weights(make):
    layer = make()
    inputs = [jnp.ones((2, 4))] * (2 if "Parallel" in repr(layer) else 1)
    replaced = layer.with_children(
        [Held(child) if isinstance(child, Dense) else child for _, child in layer.children()]
    )
    assert type(replaced) is type(layer)
    assert replaced.name == layer.name
    assert [name for name, _ in replaced.children()] == [name for name, _ in layer.children()]
    assert replaced == replaced and replaced != layer
    params, state = layer.init(KEY, *inputs)
    drawn, _ = replaced.init(KEY, *inputs)
    assert jax.tree.all(jax.tree.map(jnp.array_equal, params, drawn))
    expected = layer.apply(params, state, *inputs)
    assert jax.tree.all(
        jax.tree.map(jnp.array_equal, replaced.apply(params, state, *inputs), expected)
    )

    def total(params):
        return sum(map(jnp.sum, jax.tree.leaves(replaced.apply(params, state, *inputs)[0])))

    gradients = jax.grad(total)(params)
    assert all((gradient == 0).all() for gradient in jax.tree.leaves(gradients))


def test_names_are_kept_through_a_second_change():
    once = serial(Dense(2), Dense(2)).with_children([Held(Dense(2)), Dense(2, name="other")])
    assert once.names == ["dense", "dense_1"]
    assert once.with_children([Dense(2), Dense(2)]) == serial(Dense(2), Dense(2))
    shortened = residual(Dense(2), Dense(2)).with_children([Flatten(), Flatten()])
    assert [name for name, _ in shortened.children()] == ["dense", "dense_1"]
    assert "given_names=('dense', 'dense_1')" in repr(shortened)


@pytest.mark.parametrize(
    "layer", [serial(Dense(1)), parallel(Dense(1)), branch(Dense(1)), residual(Dense(1))], ids=repr
)
def test_as_many_as_there_were(layer):
    with pytest.raises(ValueError, match=r"has 1 layers, received 2 to replace them"):
        layer.with_children([Dense(1), Dense(1)])


@pytest.mark.parametrize("names", [("a",), ("a", "b", "c"), ("a", "a")])
def test_given_names_are_one_for_each_layer(names):
    with pytest.raises(ValueError, match="`given_names` must be one name for each of 2 layers"):
        type(serial())((Dense(1), Dense(2)), given_names=names)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda layer: serial(Flatten(), layer),
        lambda layer: parallel(layer, Flatten()),
        lambda layer: branch(Flatten(), serial(layer)),
        lambda layer: residual(layer),
        lambda layer: residual(Flatten(), shortcut=layer),
        lambda layer: repeat(serial(Dropout(0.5), layer), 2),
    ],
)
def test_a_layer_that_waits_for_data_is_found_inside(wrap):
    with pytest.raises(ValueError, match="has no statistics yet"):
        wrap(Normalization()).require_ready()
    wrap(Normalization(mean=0.0, variance=1.0)).require_ready()
