"""Arguments of Keras's layers that mean nothing else here, or take other forms, as in Keras."""

import jax
import keras
import numpy as np
import pytest

import fjax

BOTH = (keras, fjax)
RANDOM = np.random.default_rng(0)


def numbers(*shape):
    return RANDOM.normal(size=shape).astype("float32")


ACCEPTED = {
    "dense": lambda k: k.layers.Dense(3, dtype="float32"),
    "activation": lambda k: k.layers.Activation("softmax", dtype="float32"),
    "policy": lambda k: k.layers.Dense(3, dtype=k.config.dtype_policy()),
    "batch": lambda k: k.layers.BatchNormalization(renorm=False, synchronized=False),
    "layer": lambda k: k.layers.LayerNormalization(dtype="float32"),
    "rms": lambda k: k.layers.LayerNormalization(rms_scaling=True),
    "rms, no scale": lambda k: k.layers.LayerNormalization(
        rms_scaling=True, scale=False, gamma_initializer="ones"
    ),
    "rescaling": lambda k: k.layers.Rescaling([1.0, 2.0, 0.5, 3.0], offset=[0.0, 1.0, 2.0, 3.0]),
    "rescaling, one offset": lambda k: k.layers.Rescaling(np.array([1.0, 2.0, 0.5, 3.0]), 1.0),
    "constant": lambda k: k.layers.Dense(
        2,
        kernel_initializer=k.initializers.Constant(np.arange(8.0).reshape(4, 2)),
        bias_initializer=k.initializers.Constant([1.0, 2.0]),
    ),
    "constant, broadcast": lambda k: k.layers.Dense(
        2, kernel_initializer=k.initializers.Constant(np.arange(2.0))
    ),
}


@pytest.mark.parametrize("case", ACCEPTED)
@pytest.mark.filterwarnings("ignore:You passed `rms_scaling=True`, which is deprecated")
def test_arguments_are_accepted_and_mean_the_same(case):
    x, models = numbers(6, 4), []
    for library in BOTH:
        models.append(library.Sequential([library.Input((4,)), ACCEPTED[case](library)]))
    theirs, ours = models
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
    if "constant" in case:
        for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(
        ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
@pytest.mark.parametrize("implementation", [1, 2])
def test_recurrent_layers_have_one_implementation(name, implementation):
    x, models = numbers(6, 5, 4), []
    for library in BOTH:
        layer = getattr(library.layers, name)(3, implementation=implementation)
        models.append(library.Sequential([library.Input((5, 4)), layer]))
    theirs, ours = models
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(
        ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-4, atol=1e-6
    )


REFUSED = {
    "dtype": (lambda layers: layers.Dense(2, dtype="int32"), "`dtype` must be one of 'float32'"),
    "renorm": (lambda layers: layers.BatchNormalization(renorm=True), "`renorm` must be False"),
    "implementation": (lambda layers: layers.LSTM(2, implementation=7), "`implementation` must be"),
    "scale": (lambda layers: layers.Rescaling(["a"]), r"`scale\[0\]` must be a number"),
    "constant": (lambda layers: fjax.initializers.Constant("a"), "a number or an array of numbers"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_other_values_are_refused(case):
    make, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        make(fjax.layers)


def test_an_array_as_constant_is_saved(tmp_path):
    table = np.arange(6.0).reshape(3, 2)
    initializer = fjax.initializers.Constant(table)
    layer = fjax.layers.Embedding(3, 2, embeddings_initializer=initializer, trainable=False)
    model = fjax.Sequential([fjax.Input((2,)), layer])
    model.save(tmp_path / "model")
    loaded = fjax.models.load_model(tmp_path / "model")
    assert loaded.layer_tree.layers[-1] == layer
    again = fjax.layers.Embedding.from_config(layer.get_config())
    assert again == layer
    np.testing.assert_array_equal(
        again.init(jax.random.key(0), np.zeros((1, 2)))[0]["embeddings"], table
    )


def batches(kind, x, y):
    parts = [(x[:3], y[:3]), (x[3:], y[3:])]
    return {
        "a generator": (part for part, _ in parts),
        "a list of batches": [part for part, _ in parts],
        "pairs": parts,
        "a generator of pairs": iter(parts),
    }[kind]


@pytest.mark.parametrize(
    "kind", ["a generator", "a list of batches", "pairs", "a generator of pairs"]
)
@pytest.mark.parametrize("axis", [-1, None, (1, 2)])
def test_normalization_adapts_to_batches(kind, axis):
    x, y = numbers(8, 5, 3), numbers(8, 1)
    # Keras adapts to batches only where TensorFlow is installed.
    theirs, ours = (library.layers.Normalization(axis=axis) for library in BOTH)
    theirs.adapt(x)
    ours.adapt(batches(kind, x, y))
    expected = keras.Sequential([keras.Input((5, 3)), theirs]).predict(x, verbose=0)
    outputs = fjax.Sequential([fjax.Input((5, 3)), ours]).predict(x, verbose=0)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)


def test_normalization_adapts_to_a_dataset_with_an_index():
    x = numbers(8, 3)

    class Data(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return x[4 * index : 4 * index + 4], np.zeros(4)

    theirs, ours = (library.layers.Normalization() for library in BOTH)
    theirs.adapt(x)
    ours.adapt(Data())
    np.testing.assert_allclose(ours.mean, np.ravel(theirs.mean), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(ours.variance, np.ravel(theirs.variance), rtol=1e-4)


def test_normalization_of_no_batches_raises():
    with pytest.raises(ValueError, match="no batches"):
        fjax.layers.Normalization().adapt(iter([]))


@pytest.mark.parametrize("library", BOTH)
def test_a_checkpoint_makes_its_folder(library, tmp_path):
    model = library.Sequential([library.Input((3,)), library.layers.Dense(1)])
    model.compile("sgd", "mse")
    path = tmp_path / "new" / "folder" / "best.keras"
    callback = library.callbacks.ModelCheckpoint(path, monitor="loss")
    model.fit(numbers(4, 3), numbers(4, 1), callbacks=[callback], verbose=0)
    assert path.exists()


@pytest.mark.parametrize("library", BOTH)
def test_an_input_is_declared_by_its_batch_shape(library):
    assert library.Input(batch_shape=(None, 3)).shape == (None, 3)
    assert library.Input(batch_shape=(4, None, 2)).shape == (4, None, 2)
    model = library.Sequential(
        [library.layers.InputLayer(batch_shape=(None, 3)), library.layers.Dense(2)]
    )
    assert model.output_shape == (None, 2)
    tensor = library.Input((3,))
    assert library.Input(tensor=tensor) is tensor
    with pytest.raises(ValueError):
        library.Input(shape=(3,), batch_shape=(None, 3))


@pytest.mark.parametrize("library", BOTH)
def test_a_function_computes_from_tensors_to_tensors(library):
    inputs = library.Input((3,), name="x")
    assert isinstance(inputs, library.KerasTensor)
    hidden = library.layers.Dense(4)(inputs)
    model = library.Model(inputs, library.layers.Dense(1)(hidden))
    function = library.Function(inputs, hidden)
    x = numbers(2, 3)
    kernel, bias, *_ = model.get_weights()
    np.testing.assert_allclose(np.asarray(function(x)), x @ kernel + bias, rtol=1e-4, atol=1e-6)
    assert function.outputs[0].shape == (None, 4)


SETTINGS = {
    "floatx": lambda k: k.config.floatx(),
    "epsilon": lambda k: k.config.epsilon(),
    "format": lambda k: k.config.image_data_format(),
    "backend": lambda k: (k.config.backend(), k.backend.backend()),
    "policy": lambda k: (k.config.dtype_policy().name, k.config.dtype_policy().compute_dtype),
    "of backend": lambda k: (
        k.backend.floatx(),
        k.backend.epsilon(),
        k.backend.image_data_format(),
    ),
    "float dtypes": lambda k: [
        k.backend.is_float_dtype(d) for d in ("bfloat16", "int8", "float64")
    ],
    "int dtypes": lambda k: [k.backend.is_int_dtype(d) for d in ("uint8", "bool", "float64")],
    "dtype": lambda k: [k.backend.standardize_dtype(d) for d in (None, "int64", np.float32, int)],
    "result": lambda k: k.backend.result_type("int32", "float16"),
    "tensor": lambda k: [k.backend.is_keras_tensor(t) for t in (k.Input((2,)), 1)],
    "nnx": lambda k: k.config.is_nnx_enabled(),
    "logging": lambda k: k.config.is_interactive_logging_enabled(),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_are_those_of_keras(case):
    assert SETTINGS[case](fjax) == SETTINGS[case](keras)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("floatx", "float16"), ("image_data_format", "channels_first"), ("epsilon", 1e-3),
        ("dtype_policy", "mixed_float8"), ("backend", "torch"),
    ],
)  # fmt: skip
def test_a_setting_with_another_value_raises(name, value):
    with pytest.raises(ValueError, match=f"must be .*{value!r}"):
        getattr(fjax.config, f"set_{name}")(value)
    same = getattr(fjax.config, name)()
    getattr(fjax.config, f"set_{name}")(same)


@pytest.mark.parametrize("library", BOTH)
def test_without_interactive_logging_nothing_is_printed(library, capsys):
    model = library.Sequential([library.Input((3,)), library.layers.Dense(1)])
    model.compile("sgd", "mse")
    library.config.disable_interactive_logging()
    try:
        model.fit(numbers(4, 3), numbers(4, 1), verbose=2)
    finally:
        library.config.enable_interactive_logging()
    assert capsys.readouterr().out == ""
    model.fit(numbers(4, 3), numbers(4, 1), verbose=2)
    assert "loss" in capsys.readouterr().out


def test_the_version_of_the_api():
    from fjax import keras as ours

    assert ours.__version__ == ours.version() == keras.__version__
    assert ours.layers is fjax.layers and fjax.version() == fjax.__version__
    with pytest.raises(AttributeError, match="nothing"):
        ours.nothing  # noqa: B018


PACKED = [(1,), (1, 2), (1, 2, 3), ([1],), ((1, 2), 3)]


@pytest.mark.parametrize("parts", PACKED, ids=str)
def test_batches_are_packed_and_unpacked(parts):
    packed = [library.utils.pack_x_y_sample_weight(*parts) for library in BOTH]
    assert packed[0] == packed[1]
    for data in (packed[0], list(parts), parts[0]):
        ours, theirs = (library.utils.unpack_x_y_sample_weight(data) for library in (fjax, keras))
        assert ours == theirs
    for library in BOTH:
        with pytest.raises(ValueError):
            library.utils.unpack_x_y_sample_weight((1, 2, 3, 4))


def test_the_inputs_that_a_tensor_is_computed_from():
    names = []
    for library in BOTH:
        one, other = library.Input((2,), name="one"), library.Input((2,), name="other")
        merged = library.layers.Add()([library.layers.Dense(2)(one), other])
        found = library.utils.get_source_inputs(library.layers.Multiply()([merged, one]))
        names.append([tensor.name for tensor in found])
    assert names[0] == names[1]
