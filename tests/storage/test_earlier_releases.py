"""Files of every release load in this one, and files of a later one say so."""

import gzip
import inspect
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from fjax.models.run_identity import ChangedRunError

import fjax
from fjax import Layer, Sequential, layers
from fjax.configuration import Configured
from fjax.models import load_model, model_from_json
from fjax.storage import ModelFileError, decode, encode, open_tensors, write_tensors
from fjax.storage.classes import CLASSES
from fjax.storage.versions import FORMAT, Migration, migrated

FILES = Path(__file__).parents[1] / "files"
RELEASES = sorted(path.name for path in FILES.iterdir())
MODELS = sorted(path for path in FILES.glob("*/*.fjax") if ".weights." not in path.name)


class Scaled(Layer):
    """The user's layer of the file `custom_layer`."""

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
def test_a_model_of_an_earlier_release_computes_the_same(path):
    model = load_model(path, {"Scaled": Scaled})
    kept = arrays(path.with_suffix(".npz"))
    inputs = [kept[name] for name in sorted(kept) if name.startswith("input")]
    outputs = model.predict(inputs[0] if len(inputs) == 1 else inputs, verbose=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    for place, found in enumerate(outputs):
        np.testing.assert_allclose(found, kept[f"output_{place}"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("release", RELEASES)
def test_weights_and_words_of_an_earlier_release(release):
    folder = FILES / release
    model = model_from_json((folder / "sequential.json").read_text())
    model.load_weights(folder / "sequential.weights.fjax")
    kept = arrays(folder / "sequential.npz")
    found = model.predict(kept["input_0"], verbose=0)
    np.testing.assert_allclose(found, kept["output_0"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("release", RELEASES)
def test_every_description_of_an_earlier_release_means_the_same(release):
    with gzip.open(FILES / release / "descriptions.json.gz") as file:
        described = json.load(file)
    assert len(described) > 300
    for entry in described:
        thing = decode(migrated(entry["data"], 1))
        assert entry["repr"] in (None, repr(thing))
        assert decode(encode(thing)) == thing


def interrupted_run():
    """The model of the kept run, as the release that kept it had it."""
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


def resumed(folder, model, release="0.1.0"):
    kept = arrays(FILES / release / "run.npz")
    shutil.copytree(FILES / release / "run", folder)
    history = model.fit(
        kept["x"], kept["y"], epochs=3, batch_size=8, verbose=0, resume=folder
    ).history
    return history, kept


@pytest.mark.parametrize("release", RELEASES)
def test_a_run_of_an_earlier_release_goes_on_by_its_own_orders(release, tmp_path):
    model = interrupted_run()
    history, kept = resumed(tmp_path / "run", model, release)
    np.testing.assert_allclose(history["loss"], kept["loss"][-len(history["loss"]) :], rtol=1e-5)
    for place, weight in enumerate(model.get_weights()):
        np.testing.assert_allclose(weight, kept[f"weight_{place}"], rtol=1e-4, atol=1e-6)


def rewritten(path, target, change, **metadata):
    """Write a file anew whose document was changed."""
    with open_tensors(path, "model", "run") as file:
        document = json.loads(file.metadata["document"])
        tensors = {name: file.read(name) for name in file.entries}
        own = {**file.metadata, **metadata}
    change(document)
    write_tensors(target, tensors, own | {"document": json.dumps(document)})
    return target


def dense_of(document):
    return document["model"]["config"]["layers"][0]["config"]


def test_a_field_that_a_file_lacks_takes_its_default(tmp_path):
    path = FILES / "0.1.0" / "sequential.fjax"

    def drop(document):
        for name in ("activity_regularizer", "use_bias", "bias_initializer", "trainable"):
            dense_of(document).pop(name)

    model = load_model(rewritten(path, tmp_path / "a", drop))
    assert model.layers[0].layer == load_model(path).layers[0].layer


def test_a_field_that_is_needed_and_lacks_is_named(tmp_path):
    path = FILES / "0.1.0" / "sequential.fjax"
    with pytest.raises(ModelFileError, match="described without `units`, which it needs"):
        load_model(
            rewritten(path, tmp_path / "a", lambda document: dense_of(document).pop("units"))
        )


def test_an_unknown_field_names_the_later_release(tmp_path):
    path = FILES / "0.1.0" / "sequential.fjax"

    def add(document):
        dense_of(document)["sharpness"] = 1.0

    with pytest.raises(ModelFileError, match="no argument 'sharpness'") as caught:
        load_model(rewritten(path, tmp_path / "a", add, fjax="99.0.0"))
    assert f"fjax 99.0.0, this is fjax {fjax.__version__}: install the later" in str(caught.value)
    with pytest.raises(ModelFileError) as caught:
        load_model(rewritten(path, tmp_path / "a", add))
    assert "install" not in str(caught.value)


def test_a_later_format_names_the_later_release(tmp_path):
    path = FILES / "0.1.0" / "sequential.fjax"
    later = {"version": str(FORMAT + 1), "fjax": "99.0.0"}
    with pytest.raises(ModelFileError, match=r"fjax 99\.0\.0") as caught:
        load_model(rewritten(path, tmp_path / "a", lambda document: None, **later))
    assert f"reads '1' to '{FORMAT}'" in str(caught.value)
    words = json.loads(Sequential([layers.Input((2,)), layers.Dense(1)]).to_json()) | later
    with pytest.raises(ValueError, match=r"fjax 99\.0\.0"):
        model_from_json(json.dumps(words))


def test_a_run_whose_model_had_fewer_fields_goes_on(tmp_path):
    kept = arrays(FILES / "0.1.0" / "run.npz")
    (tmp_path / "run").mkdir()

    def drop(document):
        own = document["same"]["another model"]["model"]["config"]["layers"][0]["config"]
        own.pop("kernel_constraint")
        own.pop("bias_initializer")

    for path in (FILES / "0.1.0" / "run").iterdir():
        rewritten(path, tmp_path / "run" / path.name, drop)
    model = interrupted_run()
    model.fit(kept["x"], kept["y"], epochs=3, batch_size=8, verbose=0, resume=tmp_path / "run")
    np.testing.assert_allclose(model.get_weights()[0], kept["weight_0"], rtol=1e-4, atol=1e-6)


def test_a_run_of_a_later_release_with_unknown_fields_names_it(tmp_path):
    kept = arrays(FILES / "0.1.0" / "run.npz")
    (tmp_path / "run").mkdir()

    def add(document):
        own = document["same"]["another model"]["model"]["config"]["layers"][0]["config"]
        own["sharpness"] = 1.0

    for path in (FILES / "0.1.0" / "run").iterdir():
        rewritten(path, tmp_path / "run" / path.name, add, fjax="99.0.0")
    with pytest.raises(ChangedRunError, match=r"sharpness.*fjax 99\.0\.0"):
        interrupted_run().fit(kept["x"], kept["y"], verbose=0, resume=tmp_path / "run")


def test_a_run_that_goes_on_by_other_versions_warns(tmp_path, monkeypatch):
    x = np.ones((8, 4), "float32")
    model = interrupted_run()
    model.fit(x, x[:, :1], epochs=1, verbose=0, resume=tmp_path / "run")
    monkeypatch.setitem(fjax.models.kept_run.VERSIONS, "jaxlib", "99.0.0")
    with pytest.warns(UserWarning, match="jaxlib was .*, is 99.0.0"):
        interrupted_run().fit(x, x[:, :1], epochs=2, verbose=0, resume=tmp_path / "run")


def test_a_change_of_a_meaning_has_a_migration():
    doubled = Migration(3, "layers.Dense", lambda config: {**config, "units": config["units"] * 2})
    data = {"list": [{"class": "layers.Dense", "config": {"units": 2}}]}
    assert migrated(data, 2, (doubled,))["list"][0]["config"]["units"] == 4
    assert migrated(data, 3, (doubled,)) == data


def test_vectors_that_were_given_are_saved_and_loaded(tmp_path):
    vectors = np.arange(6, dtype="float32").reshape(3, 2)
    model = Sequential([layers.Input((1,)), layers.Embedding(3, 2, weights=vectors)])
    model.save(tmp_path / "a")
    np.testing.assert_array_equal(load_model(tmp_path / "a").get_weights()[0], vectors)


def test_every_public_class_of_fjax_can_be_named_in_a_file():
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
