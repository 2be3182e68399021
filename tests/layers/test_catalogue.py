"""Properties of every layer in the catalogue."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import layers
from fjax.core import output_specs
from tests.layers.catalogue import CATALOGUE, NOT_LAYERS, Entry, samples

KEY = jax.random.key(0)
every_layer = pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.label)


def built(entry: Entry, dtype: str = "float32"):
    inputs = tuple(jnp.asarray(x, dtype) for x in samples(entry))
    params, state = entry.layer.init(KEY, *inputs)
    return params, state, inputs


def assert_equal(first, second, **tolerance):
    assert jax.tree.structure(first) == jax.tree.structure(second)
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_allclose(np.asarray(a, "float32"), np.asarray(b, "float32"), **tolerance)


def test_every_public_layer_is_in_the_catalogue():
    # Some layers have an alias.
    names = {name for name in dir(layers) if name[0].isupper()} - NOT_LAYERS
    public = {getattr(layers, name).__name__ for name in names}
    assert public == {type(entry.layer).__name__ for entry in CATALOGUE}


@pytest.mark.sampled(6)
@every_layer
def test_shapes_equal_those_of_eval_shape(entry):
    params, state, inputs = built(entry)
    spec = output_specs(entry.layer, params, state, *inputs)
    outputs, _ = entry.layer.apply(params, state, *inputs)
    assert (outputs.shape, outputs.dtype) == (spec.shape, spec.dtype)
    specs = [jax.ShapeDtypeStruct(shape, "float32") for shape in entry.shapes]
    shapes = jax.eval_shape(entry.layer.init, KEY, *specs)
    assert jax.tree.map(jnp.shape, (params, state)) == jax.tree.map(lambda s: s.shape, shapes)


@pytest.mark.sampled(6)
@pytest.mark.parametrize("training", [False, True])
@every_layer
def test_compiled_equals_eager(entry, training):
    params, state, inputs = built(entry)

    def apply(params, state, inputs, key):
        return entry.layer.apply(params, state, *inputs, key=key, training=training)

    eager = apply(params, state, inputs, KEY)
    assert_equal(eager, jax.jit(apply)(params, state, inputs, KEY), rtol=1e-6, atol=1e-6)


@every_layer
def test_the_same_key_gives_the_same_result(entry):
    params, state, inputs = built(entry)
    again, _ = entry.layer.init(KEY, *inputs)
    assert_equal(params, again, rtol=0)
    first = entry.layer.apply(params, state, *inputs, key=KEY, training=True)
    second = entry.layer.apply(params, state, *inputs, key=KEY, training=True)
    assert_equal(first, second, rtol=0)


@every_layer
def test_the_state_keeps_its_structure(entry):
    params, state, inputs = built(entry)
    for training in (False, True):
        _, after = entry.layer.apply(params, state, *inputs, key=KEY, training=training)
        assert jax.tree.structure(after) == jax.tree.structure(state)
        specs = [jax.tree.map(lambda a: (a.shape, a.dtype), tree) for tree in (state, after)]
        assert specs[0] == specs[1]


@pytest.mark.sampled(6)
@every_layer
def test_vmap_over_a_stack_of_inputs_equals_a_loop(entry):
    params, state, inputs = built(entry)
    stacked = tuple(jnp.stack([x, x * 2 + 1]) for x in inputs)

    def apply(inputs):
        return entry.layer.apply(params, state, *inputs, key=KEY, training=True)

    looped = jax.tree.map(lambda *a: jnp.stack(a), *map(apply, zip(*stacked, strict=True)))
    assert_equal(jax.vmap(apply)(stacked), looped, rtol=1e-5, atol=1e-6)


@pytest.mark.sampled(6)
@every_layer
def test_vmap_over_keys_equals_separate_calls_of_init(entry):
    _, _, inputs = built(entry)
    keys = jax.random.split(KEY, 3)
    stacked = jax.vmap(lambda key: entry.layer.init(key, *inputs))(keys)
    assert_equal(
        jax.tree.map(lambda a: a[1], stacked), entry.layer.init(keys[1], *inputs), rtol=1e-6
    )


@pytest.mark.sampled(6)
@every_layer
def test_scan_carries_the_state(entry):
    params, state, inputs = built(entry)

    def step(state, inputs):
        outputs, state = entry.layer.apply(params, state, *inputs, key=KEY, training=True)
        return state, outputs

    later = tuple(x + 1 for x in inputs)
    stacked = tuple(jnp.stack(pair) for pair in zip(inputs, later, strict=True))
    last, _ = jax.lax.scan(step, state, stacked)
    expected = step(step(state, inputs)[0], later)[0]
    assert_equal(last, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.sampled(6)
@every_layer
def test_gradients_are_finite_and_equal_under_checkpoint(entry):
    params, state, inputs = built(entry)

    def loss(params, inputs, layer_apply):
        outputs, _ = layer_apply(params, state, inputs)
        return jnp.sum(jnp.square(outputs))

    def apply(params, state, inputs):
        return entry.layer.apply(params, state, *inputs, key=KEY, training=True)

    @jax.jit
    def both(params, inputs):
        gradient = jax.grad(loss, argnums=(0, 1))
        return gradient(params, inputs, apply), gradient(params, inputs, jax.checkpoint(apply))

    gradients, saved = both(params, inputs)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))
    assert_equal(gradients, saved, rtol=1e-5, atol=1e-5)


@pytest.mark.sampled(6)
@every_layer
def test_bfloat16_inputs_give_similar_outputs(entry):
    params, state, inputs = built(entry)
    exact, _ = entry.layer.apply(params, state, *inputs)
    rough, _ = entry.layer.apply(params, state, *(x.astype(jnp.bfloat16) for x in inputs))
    np.testing.assert_allclose(np.asarray(rough, "float32"), exact, rtol=0.05, atol=0.05)


@every_layer
def test_from_config_makes_an_equal_layer(entry):
    again = type(entry.layer).from_config(entry.layer.get_config())
    assert again == entry.layer
    assert hash(again) == hash(entry.layer)
    assert repr(again) == repr(entry.layer)
