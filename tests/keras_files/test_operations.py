"""Functions of `keras.ops` in the graphs of `.keras` files, judged by Keras."""

import importlib
import inspect

import keras as theirs
import numpy as np
import pytest
from keras.src.ops.operation import Operation

import fjax as keras
from fjax import ops
from fjax.storage.keras_files.operations import function_of, keras_operation

FAMILIES = (ops.numpy, ops.nn, ops.math, ops.spectral, ops.linalg, ops.image, ops.core)
FUNCTIONS = {
    name: vars(family)[name]
    for family in FAMILIES
    for name in family.__all__
    if hasattr(vars(family)[name], "__name__")
}
# They take no tensor, are run at once, or take functions, which a file does not name.
NOT_IN_GRAPHS = {
    "arange", "associative_scan", "bartlett", "blackman", "cond", "convert_to_numpy",
    "custom_gradient", "dtype", "empty", "eye", "fori_loop", "full", "hamming", "hanning",
    "identity", "is_tensor", "jvp", "kaiser", "map", "ones", "scan", "shape", "switch", "tri",
    "vectorized_map", "while_loop", "zeros",
}  # fmt: skip
# Their classes take `**kwargs`, too.
UNLIKE = {"einsum", "multi_hot"}

GRAPHS = {
    "activation": lambda x: ops.leaky_relu(x, 0.3),
    "array": lambda x: ops.matmul(x, np.arange(8, dtype="float32").reshape(4, 2)),
    "choice": lambda x: ops.where(x > 0.5, x, 0.0),
    "constant bounds": lambda x: ops.clip(x, 0.1, x_max=0.5),
    "list": lambda x: ops.concatenate([x, ops.flip(x, axis=1)], axis=-1),
    "einsum": lambda x: ops.einsum("bi,bj->bij", x, x),
    "reduction": lambda x: ops.logsumexp(x, axis=1, keepdims=True),
    "shapes": lambda x: ops.squeeze(ops.reshape(x, (-1, 4, 1)), -1),
    "two outputs": lambda x: ops.top_k(x, 2)[0],
    "weighted": lambda x: ops.average(x, axis=1, weights=np.array([1.0, 2.0, 3.0, 4.0], "float32")),
}


@pytest.mark.short
@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - NOT_IN_GRAPHS - UNLIKE))
def test_an_operation_is_described_as_its_class_in_keras(name):
    function = FUNCTIONS[name]
    operation = keras_operation(function)
    if operation is None:
        assert name.title().replace("_", "") not in _classes()
        return
    cls = getattr(importlib.import_module(operation.module), operation.kind)
    assert issubclass(cls, Operation)
    called_with = [each for each in inspect.signature(cls.call).parameters if each != "self"]
    fields = {*inspect.signature(cls.__init__).parameters} - {"self", "name"}
    assert list(operation.called_with) == called_with
    assert {*inspect.signature(function).parameters} == {*called_with} | fields
    assert function_of(operation.kind) is function


@pytest.mark.parametrize("name", GRAPHS)
def test_keras_loads_a_graph_of_operations(name, tmp_path):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, GRAPHS[name](inputs))
    x = np.random.default_rng(0).uniform(size=(3, 4)).astype("float32")
    model.save(tmp_path / "model.keras")
    outputs = model.predict(x, verbose=0)
    loaded = theirs.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(np.asarray(loaded(x)), outputs, rtol=1e-6)
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), outputs)


def test_a_function_that_keras_lacks_is_an_error(tmp_path):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, ops.rms_normalization(inputs))
    with pytest.raises(TypeError, match=r"'rms_normalization' of the layer.*not an operation"):
        model.save(tmp_path / "model.keras")


def _classes():
    families = ("numpy", "nn", "math", "linalg", "image", "core")
    modules = [importlib.import_module(f"keras.src.ops.{family}") for family in families]
    return {name for module in modules for name in vars(module)}
