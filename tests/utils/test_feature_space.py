"""`FeatureSpace`, compared with numbers of Keras 3.15.1 with TensorFlow 2.21, which it needs."""

import numpy as np
import pytest

from fjax import Model, layers, models
from fjax.preprocessing.dataset import Dataset
from fjax.storage import ModelFileError
from fjax.utils import FeatureSpace

DATA = {
    "age": np.array([20, 40, 30, 20], "float32"),
    "city": np.array(["Rome", "Oslo", "Rome", "Bern"]),
    "code": np.array([7, 7, 3, 5], "int32"),
    "size": np.array([1, 2, 3, 4], "float32"),
}
NEW = {"age": 60.0, "city": "Paris", "code": 9, "size": 9.0}
ENCODED = [
    [-0.9045, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0],
    [1.5076, 0, 0, 1, 0, 0, 1, 0, 0, 1, 1, 0, 0],
    [0.3015, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1],
    [-0.9045, 0, 0, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0],
]
ENCODED_NEW = [3.9196, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1]


def space():
    return FeatureSpace(
        {
            "size": FeatureSpace.float_discretized(2),
            "age": "float_normalized",
            "city": "string_categorical",
            "code": FeatureSpace.integer_hashed(3),
        },
        crosses=[("city", "code")],
        crossing_dim=3,
    )


@pytest.mark.parametrize(
    "dataset",
    [
        DATA,
        Dataset.from_tensor_slices(DATA),
        Dataset.from_tensor_slices(DATA).batch(4),
        [{key: column[:, None] for key, column in DATA.items()}],
    ],
    ids=["dict", "rows", "batches", "columns of width 1"],
)
def test_numbers_are_those_of_keras(dataset):
    encoder = space()
    encoder.adapt(dataset)
    np.testing.assert_allclose(encoder(DATA), ENCODED, atol=1e-4)
    np.testing.assert_allclose(encoder(NEW), ENCODED_NEW, atol=1e-4)


def test_indices_are_those_of_keras():
    encoder = FeatureSpace(
        {
            "city": FeatureSpace.string_categorical(output_mode="int"),
            "code": FeatureSpace.integer_categorical(output_mode="int"),
        },
        crosses=[FeatureSpace.cross(("city", "code"), 5, "int")],
        output_mode="dict",
    )
    encoder.adapt(DATA)
    encoded = encoder({key: DATA[key] for key in ("city", "code")})
    assert {key: np.ravel(value).tolist() for key, value in encoded.items()} == {
        "city": [1, 2, 1, 3],
        "code": [1, 1, 3, 2],
        "city_X_code": [1, 1, 1, 1],
    }
    assert set(encoder.preprocessors) == {"city", "code"} and set(encoder.crossers) == {
        "city_X_code"
    }


def test_a_model_takes_raw_columns(tmp_path):
    encoder = space()
    encoder.adapt(DATA)
    inputs = encoder.get_inputs()
    encoding = Model(inputs, encoder.get_encoded_features())
    np.testing.assert_allclose(encoding.predict(DATA, verbose=0), ENCODED, atol=1e-4)
    encoding.save(tmp_path / "space.fjax")
    loaded = models.load_model(tmp_path / "space.fjax")
    np.testing.assert_allclose(loaded.predict(DATA, verbose=0), ENCODED, atol=1e-4)
    # Trained on encoded columns, used with raw ones.
    outputs = layers.Dense(1)(encoder.get_encoded_features())
    training = Model(encoder.get_encoded_features(), outputs)
    training.compile("adam", "mse")
    rows = Dataset.from_tensor_slices((DATA, np.ones((4, 1), "float32"))).batch(2)
    training.fit(rows.map(lambda x, y: (encoder(x), y)), epochs=2, verbose=0)
    assert Model(inputs, outputs).predict(DATA, verbose=0).shape == (4, 1)


def test_layers_of_your_own():
    encoder = FeatureSpace(
        {
            "age": FeatureSpace.float_rescaled(0.1, -1.0),
            "size": FeatureSpace.float_discretized(bin_boundaries=[1.5, 3.5]),
            "city": FeatureSpace.feature(
                "string", layers.StringLookup(vocabulary=["Oslo"]), "one_hot"
            ),
        }
    )
    # Nothing has to be learned.
    np.testing.assert_allclose(
        encoder(DATA),
        [[1, 1, 0, 1, 0, 0], [3, 0, 1, 0, 1, 0], [2, 1, 0, 0, 1, 0], [1, 1, 0, 0, 0, 1]],
        atol=1e-6,
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: FeatureSpace({}), "needs at least one feature"),
        (lambda: FeatureSpace({"age": "flaot"}), "kind of the feature 'age' 'flaot'.*`float`"),
        (
            lambda: FeatureSpace({"age": "float"}, output_mode="list"),
            "`output_mode` must be one of",
        ),
        (lambda: FeatureSpace({"age": "float"}, crosses=[("age", "code")]), "names 'code'"),
        (lambda: FeatureSpace({"age": "float"}, hashing_dim=0), "`hashing_dim` must be an integer"),
        (lambda: FeatureSpace.feature("int32", layers.Identity(), "hot"), "`output_mode` must be"),
        (lambda: FeatureSpace.cross(("a", "b"), 3, "float"), "`output_mode` must be one of"),
        (lambda: space()(DATA), r"call `adapt` with the training data first: \['size', 'age'"),
        (lambda: space().get_inputs(), "call `adapt` with the training data first"),
        (lambda: space().adapt(3), "received int"),
        (lambda: space().adapt([np.ones(3)]), "takes a dict of columns, received ndarray"),
        (lambda: space().adapt([]), "the data set is empty"),
        (lambda: space().adapt({"age": [1.0], "citty": ["a"]}), "lacks the feature 'size'"),
        (lambda: FeatureSpace({"age": "float"})({"Age": 1.0}), "lacks the feature 'age', and has"),
        (lambda: FeatureSpace({"age": "float"})([1.0]), "takes a dict of columns, received list"),
        (
            lambda: FeatureSpace({"code": FeatureSpace.integer_hashed(3, "int")})(DATA),
            "the feature 'code' is encoded as int32, which cannot be joined",
        ),
        (
            lambda: FeatureSpace(
                {"code": FeatureSpace.feature("int32", layers.Identity(), "one_hot")}
            )(DATA),
            "does not tell how many indices it returns",
        ),
    ],
)
def test_mistakes_are_clear_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_file_has_the_features_and_what_was_learned(tmp_path):
    encoder = space()
    with pytest.raises(ValueError, match="call `adapt` with the training data first"):
        encoder.save(tmp_path / "space.fjax")
    encoder.adapt(DATA)
    encoder.save(tmp_path / "space.keras")
    loaded = FeatureSpace.load(tmp_path / "space.keras")
    np.testing.assert_array_equal(loaded(DATA), encoder(DATA))
    np.testing.assert_array_equal(loaded(NEW), encoder(NEW))
    assert loaded.features == encoder.features
    assert loaded.crosses == encoder.crosses
    loaded.save(tmp_path / "again.keras")
    contents = [(tmp_path / name).read_bytes() for name in ("space.keras", "again.keras")]
    assert contents[0] == contents[1]


def test_files_of_another_kind_are_refused(tmp_path):
    encoder = FeatureSpace({"age": "float"}, output_mode="dict", name="ages")
    encoder.save(tmp_path / "space.fjax")
    assert FeatureSpace.load(tmp_path / "space.fjax").name == "ages"
    with pytest.raises(ModelFileError, match=r"load it with `fjax.utils.FeatureSpace.load`"):
        models.load_model(tmp_path / "space.fjax")
    damaged = (tmp_path / "space.fjax").read_bytes().replace(b"Identity", b"Identify")
    (tmp_path / "space.fjax").write_bytes(damaged)
    with pytest.raises(ModelFileError, match="it is damaged"):
        FeatureSpace.load(tmp_path / "space.fjax")
    encoder = FeatureSpace({"age": FeatureSpace.feature("float32", Doubled(), "float")})
    encoder.save(tmp_path / "own.fjax")
    with pytest.raises(ModelFileError, match="Doubled"):
        FeatureSpace.load(tmp_path / "own.fjax")
    loaded = FeatureSpace.load(tmp_path / "own.fjax", {"Doubled": Doubled})
    assert loaded({"age": 2.0}).tolist() == [4.0]


class Doubled(layers.Layer):
    def call(self, inputs):
        return inputs * 2
