"""Models that Keras saved are loaded, and models that fjax saved are loaded by Keras.

Both compute the same outputs, and their training goes on with the same losses.
"""

import importlib.util
import json
from pathlib import Path

import h5py
import jax
import keras
import numpy as np
import pytest
import safetensors.numpy

import fjax
from fjax.saving import ModelFileError
from tests.layers.catalogue import CATALOGUE, samples

SPEC = importlib.util.spec_from_file_location("battery", Path(__file__).with_name("models.py"))
battery = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(battery)

pytestmark = [
    # Keras 3.15 asks JAX for int64, and it warns of its own `.h5` format by absl.
    pytest.mark.filterwarnings("ignore:[\\s\\S]*Explicitly requested dtype int64"),
    pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file"),
    pytest.mark.filterwarnings("ignore:`SpectralNormalization` of a file of Keras"),
]

# Keras cannot load its own file of the first, and build no model of the second.
UNLOADABLE = {"RandomShear", "Equalization"}
# Layers that are random in a call without `training`.
RANDOM = {"RandomColorJitter"}
LAYERS = {
    entry.keras[0]: entry
    for entry in reversed(CATALOGUE)
    if entry.keras is not None and entry.keras[0] not in UNLOADABLE | RANDOM
}
IN_DEFAULT_RUN = {
    "Dense", "Normalization", "nested", "shared", "several_outputs", "attention", "recurrent",
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
    if name not in DIFFERENT_AT_INFERENCE:
        assert_equal(ours.predict_on_batch(sample.x), expected)
    ours.save(tmp_path / "ours.keras")
    again = keras.models.load_model(tmp_path / "ours.keras")
    assert_equal(again.predict_on_batch(sample.x), expected)
    if sample.y is not None and name not in TRAINED_ONCE:
        losses = steps(theirs, sample)
        assert_equal(steps(ours, sample), losses)
        assert_equal(steps(again, sample), losses)


DIFFERENT_AT_INFERENCE = {"spectral"}
# Keras cannot train these a second time.
TRAINED_ONCE = {"averaged"}


@pytest.mark.parametrize(
    "name",
    [
        "nested",
        *(
            pytest.param(name, marks=pytest.mark.thorough)
            for name in ("recurrent", "spectral", "shared")
        ),
    ],
)
def test_older_files_and_files_of_weights(name, tmp_path):
    sample = SAMPLES[name]()
    theirs = sample.model
    steps(theirs, sample, epochs=1)
    theirs.save(tmp_path / "theirs.h5")
    ours = fjax.models.load_model(tmp_path / "theirs.h5")
    expected = theirs.predict_on_batch(sample.x)
    if name not in DIFFERENT_AT_INFERENCE:
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
    assert_equal(steps(ours, sample, epochs=1), steps(theirs, sample, epochs=1))


def test_a_state_that_fjax_has_in_another_form_is_an_error(tmp_path):
    sample = battery.dense_classifier()
    sample.model.compile(keras.optimizers.Adafactor(0.01), "sparse_categorical_crossentropy")
    steps(sample.model, sample, epochs=1)
    sample.model.save(tmp_path / "model.keras")
    with pytest.raises(ModelFileError, match="load it with `compile=False`"):
        fjax.models.load_model(tmp_path / "model.keras")
    ours = fjax.models.load_model(tmp_path / "model.keras", compile=False)
    assert_equal(ours.predict_on_batch(sample.x), sample.model.predict_on_batch(sample.x))


def authored(library):
    """Return a model and a layer of the user's own, for fjax or for Keras."""

    class Scaled(library.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.hidden = [library.layers.Dense(units), library.layers.Dense(units, "tanh")]
            self._private = library.layers.BatchNormalization()

        def build(self, input_shape):
            self.scale = self.add_weight((input_shape[-1],), "ones", name="scale")
            shape = (*input_shape[:-1], self.units)
            for layer, at in zip([*self.hidden, self._private], [input_shape, shape, shape]):  # noqa: B905
                layer.build(at)

        def call(self, inputs):
            values = inputs * self.scale
            for layer in self.hidden:
                values = layer(values)
            return self._private(values)

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    class Tower(library.Model):
        def __init__(self, units=3, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.scaled = Scaled(units)
            self.last = library.layers.Dense(2)

        def call(self, inputs):
            return self.last(self.scaled(inputs))

        def get_config(self):
            return {"units": self.units, "name": self.name}

    return {"Scaled": Scaled, "Tower": Tower}


def scaled(library):
    """Return a layer as Keras's guide on saving writes it, whose constructor takes no name."""

    @library.saving.register_keras_serializable(package="keras_files")
    class Factor(library.layers.Layer):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def call(self, inputs):
            return inputs * self.factor

        def get_config(self):
            return {"factor": self.factor}

    return Factor


@pytest.mark.parametrize("kind", ["sequential", "functional", "input_shape"])
def test_what_tutorials_save_is_loaded_by_both(kind, tmp_path):
    ours, theirs = scaled(fjax), scaled(keras)
    x = battery.numbers(4, 3)
    if kind == "sequential":
        model = fjax.Sequential([fjax.Input((3,)), ours(0.5), ours(3.0), fjax.layers.Dense(2)])
    elif kind == "functional":
        inputs = fjax.Input((3,))
        model = fjax.Model(inputs, fjax.layers.Dense(2)(ours(3.0)(ours(0.5)(inputs))))
    else:
        model = fjax.Sequential([fjax.layers.Dense(2, input_shape=(3,))])
    model.save(tmp_path / "ours.keras")
    for library, factor in ((fjax, ours), (keras, theirs)):
        custom = {"keras_files>Factor": factor}
        loaded = library.models.load_model(tmp_path / "ours.keras", custom_objects=custom)
        assert_equal(loaded.predict_on_batch(x), model.predict_on_batch(x))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float16", "bfloat16"])
def test_dtype_policies_go_to_and_fro(policy, tmp_path):
    x = battery.numbers(4, 3)
    theirs = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, dtype=policy)])
    theirs.save(tmp_path / "theirs.keras")
    ours = fjax.models.load_model(tmp_path / "theirs.keras")
    ours.save(tmp_path / "ours.keras")
    again = keras.models.load_model(tmp_path / "ours.keras")
    expected = theirs(x)
    for model in (ours, again):
        assert model.layers[-1].dtype_policy.name == policy
        outputs = model(x)
        assert outputs.dtype == expected.dtype
        assert_equal(np.asarray(outputs, "float32"), np.asarray(expected, "float32"))


def test_a_policy_that_keras_lacks_is_not_written(tmp_path):
    policy = "params=float32,compute=bfloat16,output=float32"
    model = fjax.Sequential([fjax.Input((3,)), fjax.layers.Dense(2, dtype=policy)])
    with pytest.raises(TypeError, match="Keras has no dtype policy 'params="):
        model.save(tmp_path / "model.keras")


@pytest.mark.parametrize("kind", ["layer", "model"])
def test_classes_of_the_user_are_found_by_name(kind, tmp_path):
    theirs, ours = authored(keras), authored(fjax)
    x = battery.numbers(4, 3)
    if kind == "layer":
        model = keras.Sequential([keras.Input((3,)), theirs["Scaled"](4), keras.layers.Dense(2)])
    else:
        model = theirs["Tower"]()
        model(x)
    random = np.random.default_rng(0)
    model.set_weights([random.uniform(0.5, 1.5, w.shape) for w in model.get_weights()])
    expected = model.predict_on_batch(x)
    model.save(tmp_path / "theirs.keras")
    with pytest.raises(ModelFileError, match="Pass `custom_objects="):
        fjax.models.load_model(tmp_path / "theirs.keras")
    loaded = fjax.models.load_model(tmp_path / "theirs.keras", custom_objects=ours)
    assert_equal(loaded.predict_on_batch(x), expected)
    loaded.save(tmp_path / "ours.keras")
    again = keras.models.load_model(tmp_path / "ours.keras", custom_objects=theirs)
    assert_equal(again.predict_on_batch(x), expected)


def test_what_keras_does_not_have_is_named(tmp_path):
    path = tmp_path / "model.keras"
    layers = fjax.layers
    for layer, message in (
        (layers.Maxout(2), "`Maxout` 'maxout' is not a class of Keras, .*model.fjax"),
        (fjax.residual(layers.Dense(4)), "`Residual` .* is not a class of Keras"),
        (layers.Lambda(lambda x: 2 * x), "function '<lambda>'"),
    ):
        model = fjax.Sequential([layers.Input((4,)), layer])
        with pytest.raises(TypeError, match=message):
            model.save(path)
    model = fjax.Sequential([layers.Input((4,)), layers.Dense(1)])
    model.compile(fjax.optimizers.SGD(0.1, exclude_from_weight_decay=["bias"]), "mse")
    with pytest.raises(TypeError, match=r"`exclude_from_weight_decay` is .* and Keras has no such"):
        model.save(path)
    assert not path.exists()


def test_weights_that_do_not_fit_are_listed(tmp_path):
    theirs = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(2)])
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    theirs.save(tmp_path / "theirs.keras")
    ours = fjax.Sequential(
        [fjax.Input((4,)), fjax.layers.Dense(3), fjax.layers.Dense(5), fjax.layers.PReLU()]
    )
    for name in ("theirs.weights.h5", "theirs.keras"):
        with pytest.raises(
            ModelFileError, match=r"missing: layers/p_re_lu/vars/0; different: .*1/vars/0 is"
        ):
            ours.load_weights(tmp_path / name)
    with pytest.warns(UserWarning, match="skipped what does not fit"):
        ours.load_weights(tmp_path / "theirs.keras", skip_mismatch=True)
    assert_equal(ours.get_weights()[:2], theirs.get_weights()[:2], 0)


def test_safetensors_of_another_program_by_names(tmp_path):
    kernel, bias = battery.numbers(4, 3), battery.numbers(4)
    safetensors.numpy.save_file({"fc.weight": kernel, "fc.bias": bias}, tmp_path / "x.safetensors")
    model = fjax.Sequential([fjax.Input((3,)), fjax.layers.Dense(4, name="fc")], name="net")
    names = {"net/fc/kernel": ("fc.weight", (1, 0)), "net/fc/bias": "fc.bias"}
    model.load_weights(tmp_path / "x.safetensors", names=names)
    np.testing.assert_array_equal(model.get_weights()[0], kernel.T)
    np.testing.assert_array_equal(model.get_weights()[1], bias)
    for changed, message in (
        (
            {"net/fc/kernel": "fc.weight"},
            r"missing: net/fc/bias; different: net/fc/kernel is float32",
        ),
        (
            {**names, "net/fc/kernel": "fc.weights"},
            "no array 'fc.weights'.* Did you mean `fc.weight`",
        ),
        ({**names, "net/fc/kernel": ("fc.weight", (0, 0))}, "the order of the 2 axes"),
        ({**names, "net/fc/kernle": "fc.bias"}, "no weight 'net/fc/kernle'. Did you mean"),
    ):
        with pytest.raises(ValueError, match=message):
            model.load_weights(tmp_path / "x.safetensors", names=changed)
    with pytest.raises(ModelFileError, match="names="):
        model.load_weights(tmp_path / "x.safetensors")


def test_a_file_of_weights_is_no_model(tmp_path):
    theirs = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    with pytest.raises(ModelFileError, match=r"weights and no model: .* `load_weights`"):
        fjax.models.load_model(tmp_path / "theirs.weights.h5")


def older_layer(kind, name, inputs, **config):
    """Return a layer as Keras 2 describes it."""
    calls = [[[each, 0, 0, {}] for each in inputs]] if inputs else []
    config = {"name": name, "trainable": True, "dtype": "float32", **config}
    return {"class_name": kind, "config": config, "name": name, "inbound_nodes": calls}


ZEROS = {"class_name": "Zeros", "config": {}}
OLDER_CONFIGS = {
    "graph": {"class_name": "Functional", "config": {
        "name": "model", "layers": [
            older_layer("InputLayer", "one", [], batch_input_shape=[None, 4], sparse=False),
            older_layer("Dense", "dense", ["one"], units=3, activation="relu",
                        bias_initializer=ZEROS, kernel_regularizer=None),
            older_layer("Dense", "other", ["one"], units=3),
            older_layer("Concatenate", "both", ["dense", "other"], axis=-1),
        ], "input_layers": [["one", 0, 0]], "output_layers": [["both", 0, 0]],
    }},
    "list": {"class_name": "Sequential", "config": {"name": "model", "layers": [
        older_layer("Dense", "dense", [], units=3, batch_input_shape=[None, 4]),
        older_layer("Dense", "other", [], units=3),
    ]}},
}  # fmt: skip


@pytest.mark.parametrize("case", OLDER_CONFIGS)
def test_configurations_of_keras_2(case, tmp_path):
    width = 4 if case == "graph" else 3
    kernels = {"dense": battery.numbers(4, 3), "other": battery.numbers(width, 3, seed=1)}
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(OLDER_CONFIGS[case])
        file.attrs["keras_version"], file.attrs["backend"] = "2.15.0", "tensorflow"
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [b"dense", b"other"]
        for name, kernel in kernels.items():
            group = weights.create_group(name)
            group.attrs["weight_names"] = [f"{name}/kernel:0".encode(), f"{name}/bias:0".encode()]
            group[f"{name}/kernel:0"], group[f"{name}/bias:0"] = kernel, np.ones(3, "f4")
    x = battery.numbers(2, 4, seed=2)
    ours = fjax.models.load_model(tmp_path / "model.h5")
    first = x @ kernels["dense"] + 1
    if case == "list":
        # Keras 3 reads `batch_input_shape` of such a layer as the shape of one sample.
        assert_equal(ours.predict_on_batch(x), first @ kernels["other"] + 1)
        return
    expected = np.concatenate([np.maximum(first, 0), x @ kernels["other"] + 1], axis=-1)
    assert_equal(ours.predict_on_batch(x), expected)
    theirs = keras.models.load_model(tmp_path / "model.h5", compile=False)
    assert_equal(theirs.predict_on_batch(x), expected)
