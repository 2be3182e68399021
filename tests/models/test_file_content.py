"""Model files: a loaded model equals the saved one, and invalid files raise clear errors."""

import os
import subprocess
import sys

import jax
import numpy as np
import optax
import pytest
import safetensors

import fjax as keras
from fjax import layers
from fjax.models import clone_model, load_model, model_from_json
from fjax.saving import ModelFileError, register_serializable, save_model

pytestmark = pytest.mark.sampled(3, whole=True)

INPUTS = np.random.default_rng(0).normal(size=(24, 6)).astype("float32")
TARGETS = (INPUTS.sum(1) > 0).astype("float32")


def sequential():
    model = keras.Sequential(
        [
            layers.Input((6,)),
            layers.Dense(5, "relu", kernel_regularizer="l2", kernel_constraint="max_norm"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(1, "sigmoid"),
        ]
    )
    rate = keras.optimizers.schedules.ExponentialDecay(0.01, 5, 0.9)
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy", "AUC"])
    return model


def shared():
    inputs = layers.Input((6,), name="features")
    twice = layers.Dense(6, name="twice")
    encoder = keras.Sequential([layers.Input((6,)), layers.Dense(4, "tanh")], name="encoder")
    hidden = layers.Concatenate()([encoder(twice(twice(inputs))), inputs[:, :2] * 2.0])
    outputs = {"yes": layers.Dense(1, "sigmoid")(hidden), "sum": layers.Dense(1)(hidden)}
    model = keras.Model(inputs, outputs)
    model.compile(
        "rmsprop",
        {"yes": "binary_crossentropy", "sum": keras.losses.Huber(0.5)},
        loss_weights={"yes": 1.0, "sum": 0.5},
        metrics={"sum": ["mae"]},
    )
    return model


def frozen():
    base = layers.Dense(4, trainable=False)
    model = keras.Sequential([layers.Input((6,)), base, layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9, use_ema=True), "mse")
    return model


@register_serializable("Tests", "half")
def half(y_true, y_pred):
    return (y_true - y_pred) ** 2 / 2


class Scaled(keras.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight((input_shape[-1],), "ones", name="scale")

    def call(self, inputs):
        return inputs * self.scale


class Authored(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.units = units
        self.parts = [layers.Dense(units), Scaled()]
        self.out = layers.Dense(1)

    def get_config(self):
        return {"units": self.units}

    def call(self, inputs, training=None):
        for part in self.parts:
            inputs = part(inputs)
        return self.out(inputs)


def authored():
    model = Authored(3)
    model.compile("nadam", half)
    return model


def from_pair():
    model = keras.Model(keras.serial(layers.Dense(3), jax.nn.relu, layers.Dense(1)), seed=3)
    model.compile("sgd", "mse")
    return model


def nested():
    model = keras.Sequential([layers.Dense(3), Authored(2)])
    model.compile("sgd", "mse")
    return model


MODELS = {
    "sequential": sequential, "shared": shared, "frozen": frozen, "authored": authored,
    "pair": from_pair, "authored inside": nested,
}  # fmt: skip
CUSTOM = {"Scaled": Scaled, "Authored": Authored}


def targets(model):
    return {"yes": TARGETS, "sum": INPUTS.sum(1)} if model.output_names[0] == "sum" else TARGETS


def trained(make):
    model = make()
    model.fit(INPUTS, {"yes": TARGETS, "sum": INPUTS.sum(1)} if make is shared else TARGETS,
              epochs=2, verbose=0)  # fmt: skip
    return model


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A trained model and the path of its file."""
    path = tmp_path_factory.mktemp("saved") / "my_keras_model.h5"
    model = trained(sequential)
    model.save(path)
    return model, path


def assert_same_train_state(model, other):
    first, second = (jax.tree.map(to_numpy, each.train_state) for each in (model, other))
    first, second = (state._replace(accumulators=()) for state in (first, second))
    assert jax.tree.structure(first) == jax.tree.structure(second)
    jax.tree.map(np.testing.assert_array_equal, first, second)


def to_numpy(leaf):
    is_key = hasattr(leaf, "dtype") and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    return np.asarray(jax.random.key_data(leaf) if is_key else leaf)


@pytest.mark.parametrize("name", MODELS)
def test_a_loaded_model_continues_training_exactly(name, tmp_path):
    model = trained(MODELS[name])
    model.save(tmp_path / "model")
    loaded = load_model(tmp_path / "model", CUSTOM)
    assert type(loaded) is type(model) and loaded.output_shape == model.output_shape
    assert_same_train_state(loaded, model)
    history, loaded_history = (
        each.fit(INPUTS, targets(model), epochs=2, verbose=0).history for each in (model, loaded)
    )
    assert history == loaded_history
    assert_same_train_state(loaded, model)


def test_a_model_loads_in_another_process(saved, tmp_path):
    model, path = saved
    program = """
import sys
import numpy as np
import fjax as keras
file, inputs, outputs = sys.argv[1:]
np.save(outputs, keras.models.load_model(file).predict(np.load(inputs), verbose=0))
"""
    np.save(tmp_path / "x.npy", INPUTS)
    arguments = [path, tmp_path / "x.npy", tmp_path / "outputs.npy"]
    subprocess.run([sys.executable, "-c", program, *map(str, arguments)], check=True)
    expected = model.predict(INPUTS, verbose=0)
    np.testing.assert_array_equal(np.load(tmp_path / "outputs.npy"), expected)


def test_safetensors_reads_a_model_file(saved):
    model, path = saved
    with safetensors.safe_open(path, "numpy") as file:
        names = set(file.keys())
        kernel = file.get_tensor("params.dense.kernel")
    assert {"params.dense.kernel", "state.batch_normalization.moving_mean", "key"} <= names
    np.testing.assert_array_equal(kernel, model.get_weights()[0])


def test_saving_twice_writes_the_same_bytes(saved, tmp_path):
    model, path = saved
    save_model(model, tmp_path / "second")
    assert (tmp_path / "second").read_bytes() == path.read_bytes()


def test_saving_without_the_optimizer(tmp_path):
    model = trained(sequential)
    model.save(tmp_path / "model", include_optimizer=False)
    loaded = load_model(tmp_path / "model")
    with pytest.raises(RuntimeError, match="must be compiled"):
        loaded.evaluate(INPUTS, TARGETS, verbose=0)
    expected = model.predict(INPUTS, verbose=0)
    np.testing.assert_array_equal(loaded.predict(INPUTS, verbose=0), expected)


def test_loading_without_compiling(saved):
    model, path = saved
    loaded = load_model(path, compile=False)
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])
    loaded.compile("sgd", "mse")
    loaded.fit(INPUTS, TARGETS, verbose=0)


def test_saving_a_model_that_is_not_built(tmp_path):
    keras.Sequential([layers.Dense(2)], name="later").save(tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    assert not loaded.built and loaded.name == "later"
    assert loaded(INPUTS).shape == (24, 2)


def test_text_layers_keep_their_vocabulary(tmp_path):
    words = layers.TextVectorization(output_sequence_length=3)
    words.adapt(np.array(["a b", "b c c"]))
    model = keras.Sequential(
        [layers.Input((), dtype="string"), words, layers.Embedding(6, 2), layers.Flatten()]
    )
    model.save(tmp_path / "model")
    loaded = load_model(tmp_path / "model")
    texts = np.array(["c a", "b d"])
    expected = model.predict(texts, verbose=0)
    np.testing.assert_array_equal(loaded.predict(texts, verbose=0), expected)


def test_json_describes_the_architecture():
    model = shared()
    loaded = model_from_json(model.to_json())
    assert loaded.to_json() == model.to_json()
    assert loaded.output_names == model.output_names
    assert keras.Model.from_config(model.get_config()).count_params() == model.count_params()


@pytest.mark.parametrize("name", MODELS)
def test_a_clone_has_its_own_weights(name):
    model = trained(MODELS[name])
    before = model.get_weights()
    clone = clone_model(model)
    assert [w.shape for w in clone.get_weights()] == [w.shape for w in before]
    assert not np.array_equal(clone.get_weights()[0], before[0])
    clone.compile("sgd", model.loss)
    clone.fit(INPUTS, targets(model), verbose=0)
    for weight, old_weight in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old_weight)


def test_a_clone_with_replaced_layers():
    def wider(layer):
        return layers.Dense(7) if isinstance(layer, layers.Dense) else layer

    clone = clone_model(sequential(), clone_function=wider)
    assert [layer.output_shape for layer in clone.layers][-1] == (None, 7)
    with pytest.raises(TypeError, match="`clone_function` cannot replace the layers of `Authored`"):
        clone_model(trained(authored), clone_function=wider)


def test_weights_are_loaded_by_name(tmp_path, saved):
    model, path = saved
    model.save_weights(tmp_path / "weights")
    for file in (path, tmp_path / "weights"):
        other = sequential()
        other.load_weights(file)
        for weight, loaded_weight in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(weight, loaded_weight)
        other.fit(INPUTS, TARGETS, verbose=0)


def test_weights_that_do_not_fit_are_refused_or_skipped(tmp_path, saved):
    _, path = saved
    other = keras.Sequential([layers.Input((6,)), layers.Dense(4), layers.Dense(1, name="last")])
    before = other.get_weights()
    message = (
        r"missing: params\.last\.bias, params\.last\.kernel; not in the model: .*gamma.*; "
        r"different: params\.dense\.bias is float32 \(5,\), expected float32 \(4,\)"
    )
    with pytest.raises(ModelFileError, match=message):
        other.load_weights(path)
    np.testing.assert_array_equal(other.get_weights()[0], before[0])
    other = keras.Sequential([layers.Input((6,)), layers.Dense(5), layers.Dense(1, name="last")])
    with pytest.warns(UserWarning, match="skipped what does not fit: missing"):
        other.load_weights(path, skip_mismatch=True)
    assert not np.array_equal(other.get_weights()[0], before[0])


PATHS = {
    "no folder": ("nothing/model", FileNotFoundError, "the folder .*nothing' does not exist"),
    "folder": (".", IsADirectoryError, "is a folder"),
    "existing file": ("taken", FileExistsError, "`overwrite` is False"),
}


@pytest.mark.parametrize("case", PATHS)
def test_a_path_that_cannot_be_written_is_an_error(case, tmp_path):
    name, error, message = PATHS[case]
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(error, match=message):
        sequential().save(tmp_path / name, overwrite=False)
    assert os.listdir(tmp_path) == ["taken"]


def test_a_lambda_cannot_be_saved(tmp_path):
    model = sequential()
    model.compile("sgd", lambda y_true, y_pred: y_pred)
    with pytest.raises(TypeError, match=r"`fn` is a function without a name.*include_opt"):
        model.save(tmp_path / "model")
    model.save(tmp_path / "model", include_optimizer=False)
    with pytest.raises(TypeError, match="is a function without a name"):
        keras.Sequential([layers.Lambda(lambda x: x)]).save(tmp_path / "model")


def test_an_optimizer_of_another_library_cannot_be_saved(tmp_path):
    model = sequential()
    model.compile(optax.adam(0.01), "binary_crossentropy")
    model.fit(INPUTS, TARGETS, verbose=0)
    with pytest.raises(TypeError, match=r"`optimizer` is Gradient.*include_optimizer=False"):
        model.save(tmp_path / "model")
    model.save(tmp_path / "model", include_optimizer=False)
    # A run can be resumed with it, because the program creates the optimizer a second time.
    for epochs in (1, 3):
        model = sequential()
        model.compile(optax.adam(0.01), "binary_crossentropy")
        model.fit(INPUTS, TARGETS, epochs=epochs, verbose=0, resume=tmp_path / "run")
    assert len(model.history.epoch) == 3


def test_an_unknown_class_is_an_error(tmp_path):
    trained(authored).save(tmp_path / "model")
    with pytest.raises(
        ModelFileError, match=r"custom class 'Authored'.*custom_objects=\{'Authored'"
    ):
        load_model(tmp_path / "model")
    with pytest.raises(ModelFileError, match="must be a class of models"):
        load_model(tmp_path / "model", {"Authored": Scaled})
