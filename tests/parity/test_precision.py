"""Layers in half precision, compared with Keras: dtypes, and values up to the rounding."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from fjax.configuration import replace
from fjax.core.precision import apply_layer, init_layer
from tests.layers.catalogue import samples
from tests.parity.test_layers import DETERMINISTIC, as_keras_takes

POLICIES = ("mixed_bfloat16", "bfloat16")


def in_policy(entry, policy):
    """Return a Keras layer with weights, ours, our weights that are equal, and inputs."""
    name, config = entry.keras
    theirs = getattr(keras.layers, name)(**config, dtype=policy)
    inputs = samples(entry)
    theirs.build(entry.shape)
    random = np.random.default_rng(1)
    if theirs.weights and name != "Normalization":
        theirs.set_weights([random.uniform(0.5, 1.5, w.shape) for w in theirs.weights])
    layer = replace(entry.layer, dtype=policy)
    params, state = init_layer(layer, jax.random.key(0), *inputs)
    own = {weight.name: weight.value for weight in theirs.weights}
    assert {k: v.dtype for k, v in params.items()} == {k: own[k].dtype for k in params}
    params = {name: jnp.asarray(own[name]) for name in params}
    state = {
        name: jnp.asarray(own.get(name, value)) if name != "penalty" else value
        for name, value in state.items()
    }
    return theirs, layer, params, state, inputs


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("entry", DETERMINISTIC, ids=lambda entry: entry.label)
def test_outputs_and_gradients(entry, policy):
    theirs, layer, params, state, inputs = in_policy(entry, policy)

    def ours(params):
        return apply_layer(layer, params, state, *inputs)[0]

    expected = theirs(as_keras_takes(inputs), training=False)
    outputs = ours(params)
    assert outputs.dtype == expected.dtype
    wide, exact = np.asarray(outputs, "float32"), np.asarray(expected, "float32")
    # Keras rounds each operation to 8 bits, fjax in some layers only the outputs.
    np.testing.assert_allclose(wide, exact, rtol=0.04, atol=0.02 * np.abs(exact).max())
    gradients = jax.grad(lambda p: ours(p).astype("float32").sum())(params)
    for name, gradient in gradients.items():
        assert gradient.dtype == params[name].dtype
