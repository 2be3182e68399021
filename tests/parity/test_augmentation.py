"""Image layers compared with Keras: the same draws give the same images, and draws are alike."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from scipy import stats

import fjax
from tests.layers.catalogue import samples
from tests.layers.catalogue_augmentation import AUGMENTATION

# Each two-sample test would fail for one in ten thousand seeds; the seeds are fixed.
LEAST_P_VALUE = 1e-4
TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}

every_layer = pytest.mark.parametrize("entry", AUGMENTATION, ids=lambda entry: entry.label)


def keras_layer(entry):
    name, config = entry.keras
    return getattr(keras.layers, name)(**{**config, "seed": 1} if "seed" in config else config)


def is_drawing(entry):
    return hasattr(entry.layer, "seed")


@every_layer
def test_the_draws_of_keras_give_the_images_of_keras(entry):
    (images,), theirs = samples(entry), keras_layer(entry)
    for data in (images, images[0]):
        drawn = theirs.get_random_transformation(data, training=True)
        if data.ndim == 4:
            expected = theirs.transform_images(jnp.asarray(data), drawn, training=True)
        else:
            expected = theirs.transform_single_image(jnp.asarray(data), drawn, training=True)
        ours = entry.layer.transform_images(data, drawn)
        np.testing.assert_allclose(ours, expected, **TOLERANCE)


def flat_draws(drawn):
    """Return the numbers of a transformation by name, those of all images in one row."""
    if drawn is None:
        return {}
    named = drawn if isinstance(drawn, dict) else dict(enumerate(drawn))
    arrays = {name: np.asarray(value) for name, value in named.items() if name != "input_shape"}
    return {name: array for name, array in arrays.items() if array.dtype.kind in "fiub"}


@pytest.mark.parametrize(
    "entry", [e for e in AUGMENTATION if is_drawing(e)], ids=lambda entry: entry.label
)
def test_the_draws_are_distributed_as_those_of_keras(entry):
    theirs, count = keras_layer(entry), 2000
    images = np.zeros((count, *entry.shape[1:]), "float32")
    ours = flat_draws(entry.layer.get_random_transformation(images, seed=3))
    # With an integer, Keras would draw equal numbers for all entries.
    generator = keras.random.SeedGenerator(4)
    expected = flat_draws(theirs.get_random_transformation(images, training=True, seed=generator))
    assert set(ours) <= set(expected)
    for name, values in ours.items():
        assert values.shape == expected[name].shape, name
        if values.shape[:1] != (count,):
            continue
        pairs = zip(values.reshape(count, -1).T, expected[name].reshape(count, -1).T, strict=True)
        for column, other in pairs:
            assert stats.ks_2samp(column, other).pvalue > LEAST_P_VALUE, name


@every_layer
def test_one_image_is_a_batch_of_one(entry):
    (images,), key = samples(entry), jax.random.key(5)
    single, _ = entry.layer.apply({}, {}, images[0], key=key, training=True)
    batch, _ = entry.layer.apply({}, {}, images[:1], key=key, training=True)
    np.testing.assert_array_equal(single, batch[0])


@every_layer
def test_the_configuration_of_keras_makes_the_same_layer(entry):
    config = keras_layer(entry).get_config()
    config = {name: value for name, value in config.items() if name not in ("dtype", "name")}
    made = type(entry.layer).from_config(config)
    images, key = samples(entry)[0], jax.random.key(2)
    seed = getattr(entry.layer, "seed", None)
    if seed is None and hasattr(entry.layer, "seed"):
        made = fjax.configuration.replace(made, seed=None)
    if seed == getattr(made, "seed", None):
        expected, _ = entry.layer.apply({}, {}, images, key=key, training=True)
        outputs, _ = made.apply({}, {}, images, key=key, training=True)
        np.testing.assert_array_equal(outputs, expected)
