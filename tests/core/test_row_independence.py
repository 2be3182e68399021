"""Row independence: rows appended to a batch do not change the outputs of the others."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import branch, layers, serial
from fjax.core.masking import strip_masks
from fjax.core.operations import Index, Operation, as_index
from fjax.core.row_independence import rows_are_independent
from fjax.training.numpy_eval import evaluate_on_host
from tests.layers.catalogue import CATALOGUE, samples

ADDED_ROWS = 2

# Parts of the `repr` of the layers in the catalogue whose rows are not independent.
DEPENDENT = (
    "ActivityRegularization",
    "AugMix",
    "BatchNormalization",
    "CutMix",
    "Equalization",
    "Lambda",
    "MelSpectrogram",
    "MixUp",
    "RandAugment",
    "activity_regularizer",
    "stateful=True",
)


def apply_in_training(layer, params, state, inputs, key):
    outputs, state = layer.apply(params, state, *inputs, key=key, training=True)
    return strip_masks(outputs), state


@pytest.mark.sampled(4)
@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.label)
def test_added_rows_do_not_change_the_others(entry):
    layer = entry.layer
    if not rows_are_independent(layer):
        assert any(word in repr(layer) for word in DEPENDENT)
        return
    few = samples(entry)
    more = tuple(
        np.concatenate([rows, other[:ADDED_ROWS]])
        for rows, other in zip(few, samples(entry, seed=1), strict=True)
    )
    specs = [jax.ShapeDtypeStruct(rows.shape, rows.dtype) for rows in few]
    params, state = evaluate_on_host(
        lambda seed: layer.init(jax.random.key(seed), *specs), np.uint32(0)
    )
    key = jax.random.key(1)

    @jax.jit
    def both(params, state, few, more):
        return [apply_in_training(layer, params, state, inputs, key) for inputs in (few, more)]

    (outputs, state), (outputs_with_more, state_with_more) = both(params, state, few, more)
    # Nor do they change what later batches see, or the penalties.
    np.testing.assert_equal(*jax.tree.map(np.asarray, (state, state_with_more)))
    pairs = zip(jax.tree.leaves(outputs), jax.tree.leaves(outputs_with_more), strict=True)
    for rows, all_rows in pairs:
        assert all_rows.shape[0] == rows.shape[0] + ADDED_ROWS
        np.testing.assert_allclose(all_rows[: rows.shape[0]], rows, rtol=1e-5, atol=1e-6)


def subtract_batch_mean(values):
    return values - jnp.mean(values, axis=0)


class KerasStyle(layers.Layer):
    def call(self, inputs):
        return subtract_batch_mean(inputs)


class UserDense(layers.Dense):
    """A user's subclass, which does not inherit the trait."""


DEPENDENT_LAYERS = [
    layers.BatchNormalization(),
    layers.ActivityRegularization(0.1),
    layers.Dense(2, activity_regularizer="l2"),
    layers.Dense(2, activation=subtract_batch_mean),
    layers.Activation(subtract_batch_mean),
    layers.Lambda(subtract_batch_mean),
    KerasStyle(),
    subtract_batch_mean,
    jnp.flip,
    jnp.cumsum,
    jnp.ravel,
    np.vectorize(float),
    layers.Activation(jnp.flip),
    layers.Lambda(jnp.flip),
    Index(as_index(slice(None, None, -1))),
    Index(as_index((..., 0))),
    Operation("matmul"),
    UserDense(2),
    layers.Softmax(axis=0),
    layers.UnitNormalization(axis=0),
    layers.LayerNormalization(axis=0),
    layers.LayerNormalization(axis=[-2, -1]),
    layers.LSTM(2, stateful=True),
    layers.TimeDistributed(layers.BatchNormalization()),
    layers.Bidirectional(layers.LSTM(2, activity_regularizer="l2")),
]


def name_of(layer):
    # The `repr` of a function contains its address, which differs between processes.
    return getattr(layer, "__name__", repr(layer))


@pytest.mark.parametrize("layer", DEPENDENT_LAYERS, ids=name_of)
def test_dependent_rows_are_recognized_also_in_sublayers(layer):
    assert not rows_are_independent(layer)
    assert not rows_are_independent(serial(layers.Dense(2), layer))
    assert not rows_are_independent(serial(branch(layers.Dense(2), serial(layer))))


def test_functions_of_jax_and_fjax_keep_rows_independent():
    assert rows_are_independent(layers.Dense(2, activation=jax.nn.relu))
    assert rows_are_independent(serial(layers.Dense(2, "softmax"), layers.Dropout(0.5)))
    assert rows_are_independent(serial(layers.Concatenate(axis=1), layers.LayerNormalization()))
