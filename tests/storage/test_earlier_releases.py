"""Files of every earlier release load, and files of a later one are reported as such."""

import gzip
import inspect
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import fjax
from fjax import Layer, Sequential, layers
from fjax.configuration import Configured
from fjax.models import load_model, model_from_json
from fjax.saving import ChangedRunError
from fjax.storage import (
    ModelFileError,
    checkpoint_file,
    decode,
    encode,
    open_tensors,
    write_tensors,
)
from fjax.storage.classes import CLASSES
from fjax.storage.versions import FORMAT_VERSION, Migration, migrate

FILES = Path(__file__).parents[1] / "files"
RELEASES = sorted(path.name for path in FILES.iterdir())
MODELS = sorted(path for path in FILES.glob("*/*.fjax") if ".weights." not in path.name)


class Scaled(Layer):
    """The user's layer in the file `custom_layer`."""

    def __init__(self, factor=2.0, **options):
        super().__init__(**options)
        self.factor = factor

    def build(self, shape):
        self.bias = self.add_weight((shape[-1],), "ones", name="bias")

    def call(self, inputs):
        return inputs * self.factor + self.bias

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def arrays(path):
    with np.load(path) as file:
        return dict(file)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_model_of_an_earlier_release_has_the_same_outputs(path):
    model = load_model(path, {"Scaled": Scaled})
    expected = arrays(path.with_suffix(".npz"))
    inputs = [expected[name] for name in sorted(expected) if name.startswith("input")]
    outputs = model.predict(inputs[0] if len(inputs) == 1 else inputs, verbose=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    for index, output in enumerate(outputs):
        np.testing.assert_allclose(output, expected[f"output_{index}"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("release", RELEASES)
def test_json_and_weights_of_an_earlier_release_load(release):
    folder = FILES / release
    model = model_from_json((folder / "sequential.json").read_text())
    model.load_weights(folder / "sequential.weights.fjax")
    expected = arrays(folder / "sequential.npz")
    outputs = model.predict(expected["input_0"], verbose=0)
    np.testing.assert_allclose(outputs, expected["output_0"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("release", RELEASES)
def test_every_object_of_an_earlier_release_is_decoded_to_the_same(release):
    with gzip.open(FILES / release / "descriptions.json.gz") as file:
        entries = json.load(file)
    assert len(entries) > 300
    for entry in entries:
        decoded = decode(migrate(entry["data"], 1))
        if entry["repr"] is not None:
            # How a repr names the entries of a long field may change: `<6 terms>`, `<6 tokens>`.
            texts = [
                re.sub(r"<(\d+) \w+>", r"<\1>", text) for text in (entry["repr"], repr(decoded))
            ]
            assert texts[0] == texts[1]
        assert decode(encode(decoded)) == decoded


def interrupted_model():
    """The model of the interrupted run in `tests/files`."""
    model = Sequential(
        [
            layers.Input((4,)),
            layers.Dense(6, "relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Dense(1),
        ],
        name="mlp",
        seed=1,
    )
    rate = fjax.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
    model.compile(fjax.optimizers.Adam(rate), "mse", metrics=["mae"])
    return model


@pytest.mark.parametrize("release", RELEASES)
def test_a_run_of_an_earlier_release_resumes_with_its_own_shuffling(release, tmp_path):
    expected = arrays(FILES / release / "run.npz")
    shutil.copytree(FILES / release / "run", tmp_path / "run")
    model = interrupted_model()
    losses = model.fit(
        expected["x"], expected["y"], epochs=3, batch_size=8, verbose=0, resume=tmp_path / "run"
    ).history["loss"]
    np.testing.assert_allclose(losses, expected["loss"][-len(losses) :], rtol=1e-5)
    for index, weight in enumerate(model.get_weights()):
        np.testing.assert_allclose(weight, expected[f"weight_{index}"], rtol=1e-4, atol=1e-6)


def rewrite(path, target, change, **metadata):
    """Write a copy of a file with a changed document."""
    with open_tensors(path, "model", "run") as file:
        document = json.loads(file.metadata["document"])
        tensors = {name: file.read(name) for name in file.entries}
        metadata = {**file.metadata, **metadata}
    change(document)
    write_tensors(target, tensors, metadata | {"document": json.dumps(document)})
    return target


def dense_config(document):
    return document["model"]["config"]["layers"][0]["config"]


def test_a_missing_field_takes_its_default(tmp_path):
    path = FILES / "0.1.0" / "sequential.fjax"

    def drop(document):
        for name in ("activity_regularizer", "use_bias", "bias_initializer", "trainable"):
            dense_config(document).pop(name)

    model = load_model(rewrite(path, tmp_path / "a", drop))
    assert model.layers[0] == load_model(path).layers[0]


def test_a_missing_required_field_is_an_error(tmp_path):
    path = FILES / "0.1.0" / "sequential.fjax"
    file = rewrite(path, tmp_path / "a", lambda document: dense_config(document).pop("units"))
    with pytest.raises(ModelFileError, match="lacks the required argument `units`"):
        load_model(file)


def test_the_error_of_an_unknown_field_names_a_newer_release(tmp_path):
    path = FILES / "0.1.0" / "sequential.fjax"

    def add(document):
        dense_config(document)["sharpness"] = 1.0

    with pytest.raises(ModelFileError, match="no argument 'sharpness'") as caught:
        load_model(rewrite(path, tmp_path / "a", add, fjax="99.0.0"))
    assert f"fjax 99.0.0, this is fjax {fjax.__version__}: install the newer" in str(caught.value)
    with pytest.raises(ModelFileError) as caught:
        load_model(rewrite(path, tmp_path / "a", add))
    assert "install" not in str(caught.value)


def test_the_error_of_a_newer_format_names_the_release(tmp_path):
    path = FILES / "0.1.0" / "sequential.fjax"
    newer = {"version": str(FORMAT_VERSION + 1), "fjax": "99.0.0"}
    with pytest.raises(ModelFileError, match=r"fjax 99\.0\.0") as caught:
        load_model(rewrite(path, tmp_path / "a", lambda document: None, **newer))
    assert f"reads '1' to '{FORMAT_VERSION}'" in str(caught.value)
    document = json.loads(Sequential([layers.Input((2,)), layers.Dense(1)]).to_json()) | newer
    with pytest.raises(ValueError, match=r"fjax 99\.0\.0"):
        model_from_json(json.dumps(document))


def test_a_run_whose_model_had_fewer_fields_resumes(tmp_path):
    expected = arrays(FILES / "0.1.0" / "run.npz")
    (tmp_path / "run").mkdir()

    def drop(document):
        config = dense_config(document["same"]["another model"])
        config.pop("kernel_constraint")
        config.pop("bias_initializer")

    for path in (FILES / "0.1.0" / "run").iterdir():
        rewrite(path, tmp_path / "run" / path.name, drop)
    model = interrupted_model()
    model.fit(
        expected["x"], expected["y"], epochs=3, batch_size=8, verbose=0, resume=tmp_path / "run"
    )
    np.testing.assert_allclose(model.get_weights()[0], expected["weight_0"], rtol=1e-4, atol=1e-6)


def test_the_error_of_a_run_with_an_unknown_field_names_a_newer_release(tmp_path):
    expected = arrays(FILES / "0.1.0" / "run.npz")
    (tmp_path / "run").mkdir()

    def add(document):
        dense_config(document["same"]["another model"])["sharpness"] = 1.0

    for path in (FILES / "0.1.0" / "run").iterdir():
        rewrite(path, tmp_path / "run" / path.name, add, fjax="99.0.0")
    with pytest.raises(ChangedRunError, match=r"sharpness.*fjax 99\.0\.0"):
        interrupted_model().fit(expected["x"], expected["y"], verbose=0, resume=tmp_path / "run")


def test_resuming_with_other_versions_warns(tmp_path, monkeypatch):
    x = np.ones((8, 4), "float32")
    model = interrupted_model()
    model.fit(x, x[:, :1], epochs=1, verbose=0, resume=tmp_path / "run")
    monkeypatch.setitem(checkpoint_file.VERSIONS, "jaxlib", "99.0.0")
    with pytest.warns(UserWarning, match="jaxlib was .*, is 99.0.0"):
        interrupted_model().fit(x, x[:, :1], epochs=2, verbose=0, resume=tmp_path / "run")


def test_a_migration_converts_older_files_only():
    doubled = Migration(3, "layers.Dense", lambda config: {**config, "units": config["units"] * 2})
    data = {"list": [{"class": "layers.Dense", "config": {"units": 2}}]}
    assert migrate(data, 2, (doubled,))["list"][0]["config"]["units"] == 4
    assert migrate(data, 3, (doubled,)) == data


def test_the_weights_argument_of_an_embedding_is_saved_and_loaded(tmp_path):
    vectors = np.arange(6, dtype="float32").reshape(3, 2)
    model = Sequential([layers.Input((1,)), layers.Embedding(3, 2, weights=vectors)])
    model.save(tmp_path / "a")
    np.testing.assert_array_equal(load_model(tmp_path / "a").get_weights()[0], vectors)


def test_a_file_can_name_every_public_class():
    packages = (
        layers, fjax.initializers, fjax.losses, fjax.metrics, fjax.optimizers, fjax.regularizers,
        fjax.constraints, fjax.optimizers.schedules,
    )  # fmt: skip
    public = {
        member
        for package in packages
        for member in vars(package).values()
        if inspect.isclass(member) and issubclass(member, Configured)
    }
    bases = {
        Configured, Layer, fjax.Loss, fjax.Metric, fjax.Optimizer, fjax.Initializer,
        fjax.Regularizer, fjax.constraints.Constraint,
        fjax.optimizers.schedules.LearningRateSchedule,
    }  # fmt: skip
    assert public - bases <= set(CLASSES.values())
    assert not bases & set(CLASSES.values())
