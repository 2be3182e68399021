"""Models that Keras saved are loaded, and models that fjax saved are loaded by Keras.

Both compute the same outputs, and their training goes on with the same losses.
"""

import importlib.util
from pathlib import Path

import jax
import keras
import numpy as np
import pytest

import fjax
from tests.layers.catalogue import CATALOGUE, samples

SPEC = importlib.util.spec_from_file_location("battery", Path(__file__).with_name("models.py"))
battery = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(battery)

pytestmark = [
    # Keras 3.15 asks JAX for int64, and it warns of its own `.h5` format by absl.
    pytest.mark.filterwarnings("ignore:[\\s\\S]*Explicitly requested dtype int64"),
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file"),
]

# Keras cannot load its own file of this layer.
UNLOADABLE = {"RandomShear"}
# Layers that are random in a call without `training`.
RANDOM = {"RandomColorJitter"}
LAYERS = {
    entry.keras[0]: entry
    for entry in reversed(CATALOGUE)
    if entry.keras is not None and entry.keras[0] not in UNLOADABLE | RANDOM
}
IN_DEFAULT_RUN = {
    "Dense", "Normalization", "nested", "shared_only", "several_outputs", "attention", "recurrent",
    "spectral", "operations", "adapted", "adam", "scheduled",
}  # fmt: skip


def cases(names):
    return [name if name in IN_DEFAULT_RUN else pytest.param(name, marks=pytest.mark.thorough)
            for name in names]  # fmt: skip


def assert_equal(ours, theirs, tolerance=1e-5):
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance), ours, theirs
    )


def model_of_layer(name):
    """Return a model of Keras with one layer, which has random weights, and inputs."""
    entry = LAYERS[name]
    inputs = [keras.Input(shape[1:]) for shape in entry.shapes]
    layer = getattr(keras.layers, name)(**entry.keras[1])
    one = len(inputs) == 1
    model = keras.Model(inputs[0] if one else inputs, layer(inputs[0] if one else inputs))
    random = np.random.default_rng(0)
    if name != "Normalization":
        model.set_weights([random.uniform(0.5, 1.5, w.shape) for w in model.get_weights()])
    arrays = samples(entry)
    return model, arrays[0] if one else list(arrays)


@pytest.mark.parametrize("name", cases(LAYERS))
def test_each_layer_goes_to_and_fro(name, tmp_path):
    theirs, x = model_of_layer(name)
    theirs.save(tmp_path / "theirs.keras")
    ours = fjax.models.load_model(tmp_path / "theirs.keras")
    expected = theirs.predict_on_batch(x)
    assert_equal(ours.predict_on_batch(x), expected)
    ours.save(tmp_path / "ours.keras")
    again = keras.models.load_model(tmp_path / "ours.keras")
    for one, other in zip(again.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    if theirs.layers[-1].get_config() != again.layers[-1].get_config():
        # Numbers may be floats in the one and integers in the other.
        assert_equal(again.predict_on_batch(x), expected)


def steps(model, sample, epochs=2):
    history = model.fit(
        sample.x, sample.y, batch_size=4, epochs=epochs, shuffle=False, verbose=0
    ).history
    return dict(sorted(history.items()))


SAMPLES = {
    **battery.SAMPLES,
    **{name: lambda name=name: battery.trained_with(name) for name in battery.OPTIMIZERS},
}


@pytest.mark.parametrize("name", cases(SAMPLES))
def test_a_model_goes_to_and_fro_and_is_trained_further(name, tmp_path):
    sample = SAMPLES[name]()
    theirs = sample.model
    if sample.y is not None:
        steps(theirs, sample, epochs=1)
    theirs.save(tmp_path / "theirs.keras")
    ours = fjax.models.load_model(tmp_path / "theirs.keras")
    expected = theirs.predict_on_batch(sample.x)
    assert_equal(ours.predict_on_batch(sample.x), expected)
    if name in UNWRITABLE:
        with pytest.raises(TypeError, match=UNWRITABLE[name]):
            ours.save(tmp_path / "ours.keras")
    else:
        ours.save(tmp_path / "ours.keras")
        again = keras.models.load_model(tmp_path / "ours.keras")
        assert_equal(again.predict_on_batch(sample.x), expected)
    if sample.y is not None:
        losses = steps(theirs, sample)
        assert_equal(steps(ours, sample), losses)
        if name not in UNWRITABLE:
            assert_equal(steps(again, sample), losses)


# Functions of `keras.ops` in a graph.
UNWRITABLE = {"operations": "`FunctionCall`", "shared": "xx"}


@pytest.mark.parametrize("name", cases(["nested", "recurrent", "spectral", "shared_only"]))
def test_older_files_and_files_of_weights(name, tmp_path):
    sample = SAMPLES[name]()
    theirs = sample.model
    steps(theirs, sample, epochs=1)
    theirs.save(tmp_path / "theirs.h5")
    ours = fjax.models.load_model(tmp_path / "theirs.h5")
    expected = theirs.predict_on_batch(sample.x)
    assert_equal(ours.predict_on_batch(sample.x), expected)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    other = fjax.models.clone_model(ours)
    other.load_weights(tmp_path / "theirs.weights.h5")
    assert_equal(other.get_weights(), ours.get_weights(), 0)
    other = fjax.models.clone_model(ours)
    other.load_weights(tmp_path / "theirs.h5")
    assert_equal(other.get_weights(), ours.get_weights(), 0)
    ours.save_weights(tmp_path / "ours.weights.h5")
    theirs.set_weights([np.zeros_like(weight) for weight in theirs.get_weights()])
    theirs.load_weights(tmp_path / "ours.weights.h5")
    assert_equal(theirs.predict_on_batch(sample.x), expected)
    losses = steps(ours, sample, epochs=1)
    loaded = keras.models.load_model(tmp_path / "theirs.h5")
    assert_equal(losses, steps(loaded, sample, epochs=1))
