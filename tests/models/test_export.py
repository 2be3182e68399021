"""Exported programs and weights, read without fjax: by JAX, onnxruntime and safetensors."""

import json
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors
import safetensors.numpy

import fjax
from fjax import layers
from fjax.jax_release import BUILD_DATES, export_promise

RANDOM = np.random.default_rng(0)


def mlp():
    stack = [layers.Dense(6, "gelu"), layers.BatchNormalization(), layers.Dropout(0.3)]
    return fjax.Sequential([layers.Input((4,)), *stack, layers.Dense(3, "softmax")])


def cnn():
    return fjax.Sequential(
        [
            layers.Input((9, 9, 2)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Conv2D(3, 3, padding="same", strides=2),
            layers.AveragePooling2D(2, padding="same"),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )


def lstm():
    stack = [layers.Embedding(7, 3, mask_zero=True), layers.LSTM(4, return_sequences=True)]
    return fjax.Sequential(
        [layers.Input((None,), dtype="int32"), *stack, layers.Bidirectional(layers.GRU(2))]
    )


def attention():
    inputs = layers.Input((None, 4), name="series")
    attended = layers.MultiHeadAttention(2, 3)(inputs, inputs, use_causal_mask=True)
    outputs = layers.LayerNormalization()(inputs + attended)
    return fjax.Model(inputs, layers.Dense(2, name="scores")(outputs))


def depthwise():
    return fjax.Sequential(
        [
            layers.Input((6, 6, 3)),
            layers.ZeroPadding2D(1),
            layers.DepthwiseConv2D(3, activation="relu"),
            layers.SeparableConv2D(4, 3, padding="same"),
            layers.GlobalAveragePooling2D(),
        ]
    )


MODELS = {model.__name__: model for model in (mlp, cnn, lstm, attention, depthwise)}


def drawn(model, rows=5):
    """Draw the weights and the inputs of a model."""
    model.set_weights([RANDOM.uniform(0.1, 0.9, w.shape) for w in model.get_weights()])
    shape = [rows, *(6 if size is None else size for size in model.input_shape[1:])]
    if model.layers[0].__class__ is layers.Embedding:
        return RANDOM.integers(0, 7, shape).astype("int32")
    return RANDOM.normal(size=shape).astype("float32")


def assert_equal(outputs, expected):
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)


def some_of(names, *default):
    """Mark the other names as thorough."""
    marks = {False: pytest.mark.thorough, True: ()}
    return [pytest.param(name, marks=marks[name in default]) for name in names]


@pytest.mark.short
@pytest.mark.parametrize("name", some_of(MODELS, "cnn", "lstm", "attention"))
def test_jax_runs_an_exported_program(name, tmp_path):
    pytest.importorskip("flatbuffers", reason="flatbuffers is not installed (extra `export`)")
    model = MODELS[name]()
    x = drawn(model)
    model.export(tmp_path / "model.stablehlo", format="stablehlo", verbose=False)
    exported = jax.export.deserialize(bytearray((tmp_path / "model.stablehlo").read_bytes()))
    assert exported.platforms == ("cpu", "cuda", "rocm", "tpu")
    assert_equal(exported.call(x), model.predict(x, verbose=0))
    if name == "mlp":
        assert_equal(exported.call(x[:1]), model.predict(x[:1], verbose=0))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("name", some_of(MODELS, "mlp"))
def test_onnxruntime_runs_an_exported_program_for_any_batch(name, tmp_path):
    runtime, model = onnx_runtime(), MODELS[name]()
    x = drawn(model)
    model.export(tmp_path / "model.onnx", format="onnx", verbose=False)
    session = runtime.InferenceSession(tmp_path / "model.onnx")
    assert [each.name for each in session.get_inputs()] == model.input_names
    assert [each.name for each in session.get_outputs()] == model.output_names
    for rows in (5, 1):
        (outputs,) = session.run(None, {model.input_names[0]: x[:rows]})
        assert_equal(outputs, model.predict(x[:rows], verbose=0))


def onnx_runtime():
    for module in ("onnx", "onnxruntime", "flax"):  # jax2onnx imports flax.
        pytest.importorskip(module, reason=f"{module} is not installed (extra `export`)")
    pytest.importorskip("jax2onnx", reason="jax2onnx is not installed (extra `export`)")
    import onnxruntime

    return onnxruntime


def test_pictures_may_have_any_size(tmp_path):
    pytest.importorskip("flatbuffers", reason="flatbuffers is not installed (extra `export`)")
    convolved = [layers.Conv2D(2, 3, 2, padding="same"), layers.Conv2D(3, 3, activation="relu")]
    pooled = [layers.MaxPooling2D(), layers.GlobalAveragePooling2D()]
    model = fjax.Sequential([layers.Input((None, None, 2)), *convolved, *pooled])
    model.export(tmp_path / "m", format="stablehlo", verbose=False)
    exported = jax.export.deserialize(bytearray((tmp_path / "m").read_bytes()))
    x = RANDOM.normal(size=(2, 13, 16, 2)).astype("float32")
    assert_equal(exported.call(x), model.predict(x, verbose=0))


def test_several_inputs_and_outputs_keep_their_structure(tmp_path):
    pytest.importorskip("flatbuffers", reason="flatbuffers is not installed (extra `export`)")
    a, b = layers.Input((2,), name="a"), layers.Input((3,), name="b")
    outputs = {"sum": layers.Dense(2)(a) + b[:, :2], "c": layers.Dense(1, name="c")(b)}
    model = fjax.Model({"a": a, "b": b}, outputs)
    x = {"a": np.ones((4, 2), "float32"), "b": np.ones((4, 3), "float32")}
    model.export(tmp_path / "m", format="stablehlo", verbose=False)
    exported = jax.export.deserialize(bytearray((tmp_path / "m").read_bytes()))
    jax.tree.map(assert_equal, exported.call(x), model.predict(x, verbose=0))


def test_the_file_runs_without_fjax(tmp_path):
    pytest.importorskip("flatbuffers", reason="flatbuffers is not installed (extra `export`)")
    model = mlp()
    x = drawn(model, 2)
    model.export(tmp_path / "m", format="stablehlo", verbose=False, platforms=["cpu"])
    program = f"""
import json, sys, jax, jax.export, numpy as np
exported = jax.export.deserialize(bytearray(open({str(tmp_path / "m")!r}, "rb").read()))
print(json.dumps(np.asarray(exported.call(np.array({x.tolist()}, "float32"))).tolist()))
assert not any(name.startswith("fjax") for name in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert_equal(json.loads(done.stdout), model.predict(x, verbose=0))


def test_the_readers_of_safetensors_get_plain_names(tmp_path):
    model = mlp()
    drawn(model)
    path = tmp_path / "model.safetensors"
    model.export(path, format="safetensors", verbose=False)
    arrays = safetensors.numpy.load_file(path)
    expected = {weight.path.replace("/", "."): weight for weight in model.weights}
    assert {f"sequential.{name}" for name in arrays} == set(expected)
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, expected[f"sequential.{name}"])
    with safetensors.safe_open(path, "numpy") as file:
        assert file.metadata()["format"] == "pt"


def test_the_export_says_until_when_jax_reads_it(tmp_path, capsys):
    pytest.importorskip("flatbuffers", reason="flatbuffers is not installed (extra `export`)")
    model = mlp()
    model.export(tmp_path / "m", format="stablehlo")
    assert capsys.readouterr().out == (
        f"Exported the model 'sequential' to '{tmp_path / 'm'}'. "
        f"JAX promises to read it in {export_promise()}.\n"
    )


def test_the_promise_counts_from_the_build_of_jaxlib(monkeypatch):
    assert export_promise("0.10.1").endswith("2026-11-18")
    assert export_promise("1.0.0") == "the releases of JAX up to 6 months newer than jaxlib 1.0.0"
    monkeypatch.setitem(BUILD_DATES, "1.0.0", BUILD_DATES["0.11.2"])
    assert export_promise("1.0.0").endswith("2027-03-17")


@pytest.mark.parametrize("format", ["tf_saved_model", "litert", "torch", "openvino"])
def test_the_formats_of_keras_that_do_not_exist(format, tmp_path):
    options = {} if format == "tf_saved_model" else {"format": format}
    with pytest.raises(
        ValueError, match=f"'stablehlo', 'onnx', 'safetensors', received '{format}'"
    ):
        mlp().export(tmp_path / "m", **options)
    assert not list(tmp_path.iterdir())


def test_arguments_of_another_format(tmp_path):
    with pytest.raises(ValueError, match='`platforms` has a meaning for `format="stablehlo"`'):
        mlp().export(tmp_path / "m", format="onnx", platforms=["cpu"])
    with pytest.raises(ValueError, match='`opset_version` has a meaning for `format="onnx"`'):
        mlp().export(tmp_path / "m", format="safetensors", opset_version=21)


class Doubled(layers.Layer):
    def call(self, inputs):
        return jnp.concatenate([inputs, inputs], axis=-1) if inputs.shape[0] > 2 else inputs


MISTAKES = {
    "text": (
        lambda: [layers.Input((1,), dtype="string"), layers.TextVectorization(vocabulary=["a"])],
        "begins with a layer that encodes text",
    ),
    "state": (
        lambda: [layers.Input((3, 2), batch_size=2), layers.LSTM(2, stateful=True)],
        "remembers its last batch",
    ),
    "size": (lambda: [layers.Input((2,)), Doubled()], "fix it, as by `input_signature="),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_cannot_be_exported(mistake, tmp_path):
    pytest.importorskip("flatbuffers", reason="flatbuffers is not installed (extra `export`)")
    stack, message = MISTAKES[mistake]
    with pytest.raises(ValueError, match=message):
        fjax.Sequential(stack()).export(tmp_path / "m", format="stablehlo")
    assert not list(tmp_path.iterdir())


def test_a_model_that_draws_in_predict(tmp_path):
    inputs = layers.Input((2,))
    model = fjax.Model(inputs, layers.Dropout(0.5)(inputs, training=True))
    with pytest.raises(ValueError, match="draws random numbers in `predict`"):
        model.export(tmp_path / "m", format="stablehlo")


def test_a_signature_fixes_sizes(tmp_path):
    pytest.importorskip("flatbuffers", reason="flatbuffers is not installed (extra `export`)")
    model = fjax.Sequential([layers.Input((2,)), Doubled()])
    signature = [fjax.InputSpec(shape=(3, 2))]
    model.export(tmp_path / "m", format="stablehlo", verbose=False, input_signature=signature)
    exported = jax.export.deserialize(bytearray((tmp_path / "m").read_bytes()))
    assert [aval.shape for aval in exported.out_avals] == [(3, 4)]
    with pytest.raises(ValueError, match="`input_signature` must have an"):
        model.export(tmp_path / "m", format="stablehlo", input_signature=[fjax.InputSpec(ndim=2)])
    with pytest.raises(ValueError, match=r"the inputs have the shapes \(None, 2\)"):
        model.export(tmp_path / "m", format="stablehlo", input_signature=[np.ones((3, 5))])


def test_a_model_without_input_shape(tmp_path):
    with pytest.raises(ValueError, match="does not know its input shape yet"):
        fjax.Sequential([layers.Dense(2)]).export(tmp_path / "m", format="stablehlo")
