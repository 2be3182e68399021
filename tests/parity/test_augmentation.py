"""Image layers compared with Keras: the same draws give the same images, and draws are alike."""

import itertools
import random

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from scipy import stats

import fjax
from tests.layers.catalogue import samples
from tests.layers.catalogue_augmentation import AUGMENTATION

pytestmark = pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")
# Each two-sample test would fail for one in ten thousand seeds; the seeds are fixed.
LEAST_P_VALUE = 1e-4
TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}

every_layer = pytest.mark.parametrize("entry", AUGMENTATION, ids=lambda entry: entry.label)
# Their draws are those of other layers.
COMPOSED = {"AugMix", "RandAugment", "RandomColorJitter"}


def keras_layer(entry):
    name, config = entry.keras
    return getattr(keras.layers, name)(**{**config, "seed": 1} if "seed" in config else config)


def is_drawing(entry):
    return hasattr(entry.layer, "seed")


@pytest.mark.sampled(4)
@every_layer
def test_the_draws_of_keras_give_the_images_of_keras(entry):
    (images,), theirs = samples(entry), keras_layer(entry)
    if entry.keras[0] == "RandomColorJitter":
        pytest.skip("Keras draws its numbers where it uses them")
    if entry.keras[0] == "AugMix":
        pytest.skip("Keras lists the layers that it drew: see the test of AugMix")
    for data in (images, images[0]):
        drawn = theirs.get_random_transformation(jnp.asarray(data), training=True)
        if isinstance(drawn, dict) and "seed" in drawn:
            drawn["seed"] = 7
        if data.ndim == 4:
            expected = theirs.transform_images(jnp.asarray(data), drawn, training=True)
        else:
            expected = theirs.transform_single_image(jnp.asarray(data), drawn, training=True)
        ours = entry.layer.transform_images(data, drawn)
        np.testing.assert_allclose(ours, expected, **TOLERANCE)


SKIPPED = {"input_shape", "seed"}


def flat_draws(drawn):
    """Return the numbers of a transformation by name, those of all images in one row."""
    if drawn is None:
        return {}
    named = drawn if isinstance(drawn, dict) else {"drawn": drawn}
    return {name: np.asarray(value) for name, value in named.items() if name not in SKIPPED}


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "entry",
    [e for e in AUGMENTATION if is_drawing(e) and e.keras[0] not in COMPOSED],
    ids=lambda entry: entry.label,
)
def test_the_draws_are_distributed_as_those_of_keras(entry):
    theirs, count = keras_layer(entry), 2000
    images = np.zeros((count, *entry.shape[1:]), "float32")
    ours = flat_draws(entry.layer.get_random_transformation(images, seed=3))
    # With an integer, Keras would draw equal numbers for all entries.
    generator = keras.random.SeedGenerator(4)
    expected = flat_draws(
        theirs.get_random_transformation(jnp.asarray(images), training=True, seed=generator)
    )
    assert set(ours) <= set(expected)
    for name, values in ours.items():
        assert values.shape == expected[name].shape, name
        if values.shape[:1] != (count,):
            continue
        pairs = zip(values.reshape(count, -1).T, expected[name].reshape(count, -1).T, strict=True)
        for column, other in itertools.islice(pairs, 9):
            assert stats.ks_2samp(column, other).pvalue > LEAST_P_VALUE, name


@pytest.mark.sampled(4)
@every_layer
def test_one_image_is_a_batch_of_one(entry):
    (images,), key = samples(entry), jax.random.key(5)
    single, _ = entry.layer.apply({}, {}, images[0], key=key, training=True)
    batch, _ = entry.layer.apply({}, {}, images[:1], key=key, training=True)
    np.testing.assert_array_equal(single, batch[0])


@pytest.mark.sampled(4)
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


def test_tiles_are_equalized_as_in_keras():
    images = np.random.default_rng(0).integers(0, 256, (2, 11, 13, 3)).astype("float32")
    for config in ({"tile_grid_size": (3, 2)}, {"clip_limit": 0.0, "tile_grid_size": (1, 1)}):
        expected, outputs = (
            home.layers.ContrastLimitedAdaptiveHistogramEqualization(**config)(images)
            for home in (keras, fjax)
        )
        np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-3)


@pytest.mark.thorough
def test_aug_mix_mixes_as_keras_does():
    config = {"value_range": (-3, 3), "num_chains": 2, "chain_depth": 2}
    images = np.random.default_rng(0).normal(size=(2, 6, 5, 3)).astype("float32")
    theirs, ours = keras.layers.AugMix(**config, seed=1), fjax.layers.AugMix(**config)
    random.seed(2)
    drawn = theirs.get_random_transformation(images, training=True)
    assert [len(chain) for chain in drawn["chain_transforms"]] == [2, 2]
    mixed = ours.get_random_transformation(images, seed=0)
    mixed |= {name: drawn[name] for name in ("chain_mixing_weights", "weight_sample")}
    names, numbers, transforms = list(ours.parts()), np.full((2, 2), 11), mixed["chain_transforms"]
    for row, chain in enumerate(drawn["chain_transforms"]):
        for column, step in enumerate(chain):
            name, given = step["layer_name"], step["transformation"]
            numbers[row, column] = names.index(name)
            for key in transforms[name] or ():
                value = jnp.asarray(transforms[name][key])
                transforms[name][key] = value.at[row, column].set(given[key])
    mixed["chain_layers"] = jnp.asarray(numbers)
    expected = theirs.transform_images(jnp.asarray(images), drawn)
    np.testing.assert_allclose(ours.transform_images(images, mixed), expected, **TOLERANCE)
    expected = theirs.transform_segmentation_masks(jnp.asarray(images[..., :1]), drawn)
    masks = ours.transform_segmentation_masks(images[..., :1], mixed)
    np.testing.assert_allclose(masks, expected, **TOLERANCE)


@pytest.mark.thorough
def test_aug_mix_draws_its_weights_and_layers_as_keras_does():
    config = {"num_chains": 3, "chain_depth": 2, "alpha": 0.7, "all_ops": False}
    theirs, ours = keras.layers.AugMix(**config, seed=1), fjax.layers.AugMix(**config)
    images, count = np.zeros((1, 3, 3, 3), "float32"), 150
    random.seed(3)
    expected = [theirs.get_random_transformation(images, training=True) for _ in range(count)]
    draws = jax.vmap(lambda key: ours.draw(key, images.shape))(jax.random.split(
        jax.random.key(0), count))  # fmt: skip
    for name in ("weight_sample", "chain_mixing_weights"):
        other = np.stack([np.asarray(drawn[name]) for drawn in expected])
        for column, values in zip(
            np.asarray(draws[name]).reshape(count, -1).T, other.reshape(count, -1).T, strict=True
        ):
            assert stats.ks_2samp(column, values).pvalue > LEAST_P_VALUE, name
    applied = sum(len(chain) for drawn in expected for chain in drawn["chain_transforms"])
    chosen = np.bincount(np.asarray(draws["chain_layers"]).ravel(), minlength=8)
    assert stats.chisquare(chosen).pvalue > LEAST_P_VALUE
    assert stats.binomtest(applied, count * 6, 7 / 8).pvalue > LEAST_P_VALUE


def test_color_jitter_changes_the_colors_in_the_order_of_keras():
    config = {
        "brightness_factor": (0.1, 0.1), "contrast_factor": (-0.3, 0.3),
        "saturation_factor": (0.4, 0.4), "hue_factor": 0.0,
    }  # fmt: skip
    images = np.random.default_rng(0).uniform(0, 255, (2, 5, 6, 3)).astype("float32")
    expected = keras.layers.RandomColorJitter(**config)(images, training=True)
    outputs = fjax.layers.RandomColorJitter(**config)(images, training=True)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_labels_are_mixed_as_in_keras(name):
    labels = np.eye(6, dtype="float32")
    data = {"images": np.random.default_rng(0).normal(size=(6, 4, 5, 3)).astype("float32")}
    theirs, ours = getattr(keras.layers, name)(seed=1), getattr(fjax.layers, name)()
    drawn = theirs.get_random_transformation(data, training=True)
    expected = theirs.transform_labels(jnp.asarray(labels), drawn)
    np.testing.assert_allclose(ours.transform_labels(labels, drawn), expected, rtol=1e-6)
    with pytest.raises(
        ValueError, match=r"mixes labels of shape \(batch, classes\), received \(6,"
    ):
        ours({**data, "labels": np.arange(6)}, training=True)
    outputs = ours({**data, "labels": labels, "ids": np.arange(6)}, training=False)
    np.testing.assert_array_equal(outputs["labels"], labels)
    np.testing.assert_array_equal(outputs["ids"], np.arange(6))


def test_a_call_without_a_mode_augments_as_in_keras():
    def outputs(home, **mode):
        augmentation = home.layers.RandomBrightness((0.2, 0.2))

        class Authored(home.Model):
            def __init__(self, default):
                super().__init__()
                self.augmentation, self.default = augmentation, default

            def call(self, x, training=None):
                return self.augmentation(x) if self.default else self.augmentation(
                    x, training=training)  # fmt: skip

        sequential = home.Sequential([augmentation, home.layers.Dropout(0.5)])
        images = np.full((2, 3, 3, 1), 100.0, "float32")
        callables = (augmentation, sequential, Authored(True), Authored(False))
        return [np.unique(np.asarray(f(images, **mode))).tolist() for f in callables]

    for mode in ({}, {"training": False}):
        assert outputs(fjax, **mode) == outputs(keras, **mode)
    assert outputs(fjax) == [[151.0], [151.0], [151.0], [100.0]]


def test_a_model_augments_in_fit_and_not_in_predict_and_is_saved(tmp_path):
    images = np.random.default_rng(0).uniform(0, 255, (8, 6, 6, 3)).astype("float32")
    model = fjax.Sequential([
        fjax.Input((6, 6, 3)), fjax.layers.RandomFlip("horizontal", seed=3),
        fjax.layers.RandomRotation(0.1), fjax.layers.CenterCrop(4, 4), fjax.layers.Flatten(),
        fjax.layers.Dense(1),
    ])  # fmt: skip
    model.compile("sgd", "mse")
    model.fit(images / 255, np.zeros(8), batch_size=4, epochs=2, verbose=0)
    first, second = (model.predict(images, verbose=0) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(model(images), first)
    model.save(tmp_path / "model.fjax")
    loaded = fjax.saving.load_model(tmp_path / "model.fjax")
    assert loaded.layers == model.layers
    np.testing.assert_allclose(loaded.predict(images, verbose=0), first, rtol=1e-6)


def test_masks_move_with_their_images():
    images = np.random.default_rng(0).integers(0, 9, (4, 6, 6, 1))
    data = {"images": images.astype("float32"), "segmentation_masks": images}
    for layer in (fjax.layers.RandomFlip(), fjax.layers.RandomRotation(
            (0.25, 0.25), interpolation="nearest"), fjax.layers.RandomCrop(3, 4)):  # fmt: skip
        outputs = layer(data, training=True)
        np.testing.assert_array_equal(outputs["images"], outputs["segmentation_masks"])


def test_errors_name_the_argument():
    layers, images = fjax.layers, np.zeros((2, 4, 4, 3), "float32")
    with pytest.raises(ValueError, match=r"`factor` must be a number in \[-1, 1\]"):
        layers.RandomRotation("much")
    with pytest.raises(ValueError, match=r"`height_factor` must be a number in \(-1, 1\]"):
        layers.RandomZoom(-1)
    with pytest.raises(ValueError, match="`value_range` must be two different numbers"):
        layers.RandomContrast(0.1, value_range=255)
    with pytest.raises(ValueError, match="needs images of shape"):
        layers.RandomFlip()(images[0, 0])
    with pytest.raises(ValueError, match="needs images with three channels"):
        layers.RandomHue(0.5)(images[..., :2], training=True)
    with pytest.raises(ValueError, match="draws random numbers in training and needs a key"):
        layers.RandomFlip().apply({}, {}, images, training=True)
