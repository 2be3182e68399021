"""Each operation on symbolic tensors: shapes, numbers, and its way through a model file."""

import json

import jax
import keras
import numpy as np
import pytest

from fjax import ops
from fjax.core import SymbolicTensor, graph
from fjax.layers import Input
from fjax.storage.decoding import decode
from fjax.storage.encoding import encode
from tests.ops.catalogue import CASES
from tests.ops.test_parity import check_equal, find

# Their results are no arrays, or depend on values, which a symbolic tensor does not have.
NOT_SYMBOLIC = {
    "shape", "dtype", "ndim", "is_tensor", "convert_to_numpy", "array", "jvp",
    "bincount", "unique", "nonzero", "histogram", "get_item",
}  # fmt: skip

# Keras derives a wrong shape here: not that of its own result on arrays.
WRONG_IN_KERAS = {"corrcoef", "slogdet", "adaptive_max_pool", "adaptive_average_pool"}
WRONG_CASES = {("vstack", 1), ("categorical_crossentropy", 2)}


def is_tensor(value):
    return isinstance(value, np.ndarray) and value.ndim > 0 and value.dtype.kind in "fiub"


def replaced(value, make):
    """Return an argument with each array, also in lists, replaced."""
    if type(value) in (list, tuple):
        return type(value)(replaced(item, make) for item in value)
    return make(value) if is_tensor(value) else value


def call(function, case, make):
    kwargs = {name: replaced(value, make) for name, value in case.kwargs.items()}
    return function(*replaced(case.args, make), **kwargs)


def keras_shapes(name, case):
    """Return the shapes that Keras derives, or None where it takes no symbolic tensors."""

    def tensor(array):
        return keras.KerasTensor(array.shape, array.dtype.name)

    try:
        outputs = call(find(keras.ops, name), case, tensor)
        return [tuple(leaf.shape) for leaf in keras.tree.flatten(outputs)]
    except Exception:
        return None


def symbolic(name, case):
    inputs, arrays = [], []

    def tensor(array):
        inputs.append(Input(array.shape[1:], batch_size=array.shape[0], dtype=array.dtype.name))
        arrays.append(array)
        return inputs[-1]

    outputs = call(find(ops, name), case, tensor)
    return inputs, arrays, outputs


SYMBOLIC = [
    (name, number)
    for name, cases in CASES.items()
    for number, case in enumerate(cases)
    if name not in NOT_SYMBOLIC
    # The indices where a condition holds have no shape before the values are known.
    and (name, number) != ("where", 2)
    and any(is_tensor(leaf) for leaf in jax.tree.leaves((case.args, case.kwargs)))
]


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("name", "number"), SYMBOLIC)
def test_symbolic_calls(name, number):
    case = CASES[name][number]
    expected_shapes = keras_shapes(name, case)
    if expected_shapes is None:
        pytest.skip("Keras takes no symbolic tensors here")
    inputs, arrays, outputs = symbolic(name, case)
    leaves = jax.tree.leaves(outputs)
    assert all(isinstance(leaf, SymbolicTensor) for leaf in leaves)
    if name not in WRONG_IN_KERAS and (name, number) not in WRONG_CASES:
        assert [leaf.shape for leaf in leaves] == expected_shapes
    network = graph(inputs, outputs)
    none = {name: {} for name in network.names}
    found, _ = network.apply(none, none, *arrays)
    check_equal(found, call(find(ops, name), case, lambda array: array))
    if not any(map(callable, jax.tree.leaves((case.args, case.kwargs)))):
        assert decode(json.loads(json.dumps(encode(network)))) == network


def test_none_is_no_array():
    for x in (np.ones((2, 2)), Input((2,))):
        with pytest.raises(TypeError, match="`matmul`: `x2` must be an array, received None"):
            ops.matmul(x, None)
