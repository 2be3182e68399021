"""Noise layers: the distribution of the outputs, keys and seeds, error messages."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from fjax import layers

KEY = jax.random.key(0)
# Each statistical test would fail for one in ten thousand keys; the key is fixed.
LEAST_P_VALUE = 1e-4


def noisy(layer, inputs, key=KEY):
    return np.asarray(layer.apply({}, {}, jnp.asarray(inputs), key=key, training=True)[0])


def test_gaussian_noise_is_normal():
    noise = noisy(layers.GaussianNoise(0.3), np.full(5000, 2.0, "float32")) - 2.0
    assert stats.kstest(noise / 0.3, "norm").pvalue > LEAST_P_VALUE


def test_gaussian_dropout_is_normal_with_the_variance_of_dropout():
    outputs = noisy(layers.GaussianDropout(0.2), np.full(5000, 3.0, "float32"))
    assert stats.kstest((outputs / 3.0 - 1.0) / 0.25**0.5 / 1.0, "norm").pvalue > LEAST_P_VALUE


@pytest.mark.parametrize("rate", [0.1, 0.6])
def test_alpha_dropout_drops_its_share_and_keeps_mean_and_variance(rate):
    inputs = np.random.default_rng(0).normal(size=20000).astype("float32")
    outputs = noisy(layers.AlphaDropout(rate), inputs)
    values, counts = np.unique(outputs, return_counts=True)
    dropped = counts.max()
    assert stats.binomtest(int(dropped), 20000, rate).pvalue > LEAST_P_VALUE
    assert stats.ttest_1samp(outputs, 0.0).pvalue > LEAST_P_VALUE
    assert abs(outputs.var() - 1.0) < 0.05
    # Keras's formula: the lower limit of selu, scaled and shifted.
    limit = -1.6732632423543772 * 1.0507009873554805
    scale = ((1 - rate) * (1 + rate * limit**2)) ** -0.5
    np.testing.assert_allclose(values[counts.argmax()], scale * limit * (1 - rate), rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "shape", "config", "shared"),
    [
        ("SpatialDropout1D", (3, 5, 4000), {}, (1,)),
        ("SpatialDropout2D", (3, 2, 3, 4000), {}, (1, 2)),
        ("SpatialDropout2D", (3, 4000, 2, 2), {"data_format": "channels_first"}, (2, 3)),
        ("SpatialDropout3D", (3, 2, 1, 2, 4000), {}, (1, 2, 3)),
    ],
)
def test_spatial_dropout_drops_whole_channels(name, shape, config, shared):
    outputs = noisy(getattr(layers, name)(0.3, **config), np.ones(shape, "float32"))
    assert (outputs.max(axis=shared) == outputs.min(axis=shared)).all()
    channels = outputs.max(axis=shared)
    assert stats.binomtest(int((channels == 0).sum()), channels.size, 0.3).pvalue > LEAST_P_VALUE
    np.testing.assert_allclose(channels[channels != 0], 1 / 0.7, rtol=1e-6)


LAYERS = [
    layers.GaussianNoise(0.3), layers.GaussianDropout(0.3), layers.AlphaDropout(0.3),
    layers.SpatialDropout1D(0.3),
]  # fmt: skip


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_keys_and_seeds_determine_the_noise(layer):
    inputs = jnp.ones((2, 3, 50))
    one = noisy(layer, inputs)
    assert (one == noisy(layer, inputs)).all()
    assert (one != noisy(layer, inputs, jax.random.key(1))).any()
    seeded = type(layer)(0.3, seed=7)
    assert (one != noisy(seeded, inputs)).any()
    np.testing.assert_array_equal(layer.apply({}, {}, inputs)[0], inputs)
    with pytest.raises(ValueError, match="draws random numbers in training and needs a key"):
        layer.apply({}, {}, inputs, training=True)


@pytest.mark.parametrize("name", ["GaussianDropout", "AlphaDropout"])
def test_a_rate_of_one_is_rejected(name):
    with pytest.raises(ValueError, match=r"`rate` must be a number in \[0, 1\), received 1"):
        getattr(layers, name)(1.0)


def test_error_messages():
    with pytest.raises(ValueError, match="`stddev` must be a number"):
        layers.GaussianNoise("much")
    with pytest.raises(ValueError, match=r"`noise_shape` .* does not fit inputs"):
        noisy(layers.AlphaDropout(0.5, noise_shape=(2, 2)), jnp.ones((3, 3)))
    with pytest.raises(ValueError, match="needs inputs of shape"):
        layers.SpatialDropout2D(0.5).apply({}, {}, jnp.ones((3, 3)))
