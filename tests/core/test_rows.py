"""Rows that are apart: what stands behind a row in a batch changes nothing of it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import branch, layers, serial
from fjax.core.masking import unmasked
from fjax.core.operations import Index, Operation, as_index
from fjax.core.rows import rows_are_independent
from fjax.training.numpy_eval import evaluated
from tests.layers.catalogue import CATALOGUE, samples

BEHIND = 2

# Whose rows are not known to be apart, of all layers in the catalogue.
TOGETHER = (
    "ActivityRegularization",
    "BatchNormalization",
    "Lambda",
    "activity_regularizer",
    "stateful=True",
)


def training(layer, params, state, inputs, key):
    return unmasked(layer.apply(params, state, *inputs, key=key, training=True)[0])


@pytest.mark.sampled(4)
@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.label)
def test_rows_behind_change_nothing_of_those_before(entry):
    layer = entry.layer
    if not rows_are_independent(layer):
        assert any(word in repr(layer) for word in TOGETHER)
        return
    few = samples(entry)
    more = tuple(
        np.concatenate([own, other[:BEHIND]])
        for own, other in zip(few, samples(entry, seed=1), strict=True)
    )
    specs = [jax.ShapeDtypeStruct(own.shape, own.dtype) for own in few]
    params, state = evaluated(lambda seed: layer.init(jax.random.key(seed), *specs), np.uint32(0))
    key = jax.random.key(1)

    @jax.jit
    def both(params, state, few, more):
        return [training(layer, params, state, given, key) for given in (few, more)]

    alone, among = both(params, state, few, more)
    for own, all_rows in zip(jax.tree.leaves(alone), jax.tree.leaves(among), strict=True):
        assert all_rows.shape[0] == own.shape[0] + BEHIND
        np.testing.assert_allclose(all_rows[: own.shape[0]], own, rtol=1e-5, atol=1e-6)


def of_the_batch(values):
    return values - jnp.mean(values, axis=0)


class Authored(layers.Layer):
    def call(self, inputs):
        return of_the_batch(inputs)


class Narrower(layers.Dense):
    """A user's layer on top of one of fjax's: what it inherits may not hold for it."""


TOUCHING = [
    layers.BatchNormalization(),
    layers.ActivityRegularization(0.1),
    layers.Dense(2, activity_regularizer="l2"),
    layers.Dense(2, activation=of_the_batch),
    layers.Activation(of_the_batch),
    layers.Lambda(of_the_batch),
    Authored(),
    of_the_batch,
    jnp.flip,
    jnp.cumsum,
    jnp.ravel,
    np.vectorize(float),
    layers.Activation(jnp.flip),
    layers.Lambda(jnp.flip),
    Index(as_index(slice(None, None, -1))),
    Index(as_index((..., 0))),
    Operation("matmul"),
    Narrower(2),
    layers.Softmax(axis=0),
    layers.UnitNormalization(axis=0),
    layers.LayerNormalization(axis=0),
    layers.LayerNormalization(axis=[-2, -1]),
    layers.LSTM(2, stateful=True),
    layers.TimeDistributed(layers.BatchNormalization()),
    layers.Bidirectional(layers.LSTM(2, activity_regularizer="l2")),
]


def name_of(layer):
    # A function has another address in each process.
    return getattr(layer, "__name__", repr(layer))


@pytest.mark.parametrize("layer", TOUCHING, ids=name_of)
def test_layers_whose_rows_touch_are_known_also_within_others(layer):
    assert not rows_are_independent(layer)
    assert not rows_are_independent(serial(layers.Dense(2), layer))
    assert not rows_are_independent(serial(branch(layers.Dense(2), serial(layer))))


def test_functions_of_jax_and_fjax_take_rows_apart():
    assert rows_are_independent(layers.Dense(2, activation=jax.nn.relu))
    assert rows_are_independent(serial(layers.Dense(2, "softmax"), layers.Dropout(0.5)))
    assert rows_are_independent(serial(layers.Concatenate(axis=1), layers.LayerNormalization()))
