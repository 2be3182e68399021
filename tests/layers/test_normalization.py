"""Normalization layers: masks, axes and errors; for Keras's numbers see `tests/parity`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import layers
from fjax.core.masking import Masked

pytestmark = pytest.mark.short

X = jnp.asarray(np.random.default_rng(0).normal(2.0, 3.0, (4, 3, 6)).astype("float32"))


def apply(layer, *inputs, training=False):
    params, state = layer.init(jax.random.key(0), *inputs)
    return layer.apply(params, state, *inputs, training=training)


@pytest.mark.parametrize("layer", [layers.LayerNormalization, layers.RMSNormalization])
def test_axes_may_be_negative_and_in_any_order(layer):
    expected, _ = apply(layer(axis=(1, 2)), X)
    for axis in ((2, 1), (-1, 1), [-1, -2]):
        np.testing.assert_array_equal(apply(layer(axis=axis), X)[0], expected)


def test_group_normalization_with_one_group_and_with_one_group_per_channel():
    single_group, _ = apply(layers.GroupNormalization(groups=1), X)
    layer, _ = apply(layers.LayerNormalization(axis=(1, 2)), X)
    np.testing.assert_allclose(single_group, layer, rtol=1e-5, atol=1e-5)
    per_channel, _ = apply(layers.GroupNormalization(groups=-1), X)
    np.testing.assert_allclose(per_channel.mean(axis=1), 0.0, atol=1e-5)


def test_batch_statistics_exclude_masked_steps():
    mask = jnp.array([[True, True, False]] * 3 + [[True, False, False]])
    layer = layers.BatchNormalization(momentum=0.0)
    outputs, state = apply(layer, Masked(X, mask), training=True)
    unmasked = np.asarray(X)[np.asarray(mask)]
    np.testing.assert_allclose(state["moving_mean"], unmasked.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(state["moving_variance"], unmasked.var(axis=0), rtol=1e-5)
    np.testing.assert_array_equal(outputs.mask, mask)
    at_inference, _ = apply(layer, Masked(X, mask))
    np.testing.assert_array_equal(at_inference.mask, mask)


def test_the_spectral_norm_converges_to_one():
    layer = layers.SpectralNormalization(layers.Dense(5, use_bias=False))
    params, state = layer.init(jax.random.key(0), X)
    for _ in range(60):
        _, state = layer.apply(params, state, X, training=True)
    eye = jnp.eye(6)[None]
    outputs, after = layer.apply(params, state, eye)
    np.testing.assert_allclose(jnp.linalg.norm(outputs[0], ord=2), 1.0, rtol=1e-3)
    np.testing.assert_array_equal(after["vector_u"], state["vector_u"])


def test_spectral_normalization_leaves_a_kernel_of_zeros():
    layer = layers.SpectralNormalization(layers.Dense(2, kernel_initializer="zeros"))
    params, state = layer.init(jax.random.key(0), X)
    outputs, after = layer.apply(params, state, X, training=True)
    assert (np.asarray(outputs) == 0).all()
    np.testing.assert_array_equal(after["vector_u"], state["vector_u"])


def test_the_gradient_is_finite_at_zero():
    for layer in (layers.UnitNormalization(), layers.LayerNormalization()):
        gradient = jax.grad(lambda x, layer=layer: apply(layer, x)[0].sum())(jnp.zeros((2, 3)))
        assert np.isfinite(gradient).all()


# What is called, and a part of the error message.
MISTAKES = {
    "axis of letters": (lambda: layers.LayerNormalization(axis="last"), "`axis` must be an int"),
    "no axis": (lambda: layers.UnitNormalization(axis=[]), "`axis` must be an integer or a list"),
    "batch axis": (lambda: apply(layers.LayerNormalization(axis=0), X), "an axis 0 after"),
    "absent axis": (lambda: apply(layers.RMSNormalization(axis=3), X), "with an axis 3"),
    "axis twice": (lambda: apply(layers.UnitNormalization(axis=(2, -1)), X), "twice"),
    "epsilon": (lambda: layers.RMSNormalization(epsilon=-1), "`epsilon` must be a number"),
    "groups of letters": (lambda: layers.GroupNormalization("all"), "`groups` must be an integer"),
    "no groups": (lambda: layers.GroupNormalization(0), "`groups` must be an integer"),
    "groups": (lambda: apply(layers.GroupNormalization(4), X), "must divide the 6 channels"),
    "no kernel": (lambda: apply(layers.SpectralNormalization(layers.Flatten()), X), "has none"),
    "iterations": (lambda: layers.SpectralNormalization(layers.Dense(1), 0), "`power_iterations`"),
    "mask": (
        lambda: apply(layers.BatchNormalization(), Masked(X, jnp.ones((4, 6))), training=True),
        "the mask must have shape",
    ),
}


@pytest.mark.parametrize("mistake", list(MISTAKES))
def test_mistakes(mistake):
    call, message = MISTAKES[mistake]
    with pytest.raises(ValueError, match=message):
        call()


def test_inputs_of_a_size_other_than_at_init():
    for layer in (layers.LayerNormalization(), layers.RMSNormalization(),
                  layers.GroupNormalization(2)):  # fmt: skip
        params, state = layer.init(jax.random.key(0), X)
        with pytest.raises(ValueError, match="was built for"):
            layer.apply(params, state, X[..., :4])
