"""A user's data: converted to numpy arrays, or a clear error."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from fjax.data.conversion import is_batches, several, to_batch

ROWS = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]


@pytest.mark.parametrize(
    "x",
    [
        np.array(ROWS),
        jnp.array(ROWS),
        pd.DataFrame(ROWS),
        pd.DataFrame({"a": [1, 3, 5], "b": [2.0, 4.0, 6.0]}),
        ROWS,
        np.array(ROWS, dtype=object),
    ],
    ids=lambda x: type(x).__name__,
)
def test_one_array_in_many_forms(x):
    batch = to_batch(x, pd.Series([1, 2, 3]), [1, 1, 2])
    (inputs,) = batch.inputs
    assert (inputs.shape, inputs.dtype) == ((3, 2), "float32")
    assert (batch.targets.dtype, batch.sample_weight.dtype) == ("int32", "float32")
    np.testing.assert_array_equal(inputs, np.array(ROWS, "float32"))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "bool", "float32", "float16"])
def test_small_dtypes_are_kept(dtype):
    assert to_batch(np.ones((2, 2), dtype)).inputs[0].dtype == dtype


def test_several_inputs_and_nested_structures():
    a, b = np.ones((3, 1)), np.ones((3, 2))
    assert [x.shape for x in to_batch((a, b)).inputs] == [(3, 1), (3, 2)]
    assert [x.shape for x in to_batch([a, b]).inputs] == [(3, 1), (3, 2)]
    (nested,) = to_batch({"a": a, "pair": (a, b)}).inputs
    assert jax.tree.map(np.shape, nested) == {"a": (3, 1), "pair": ((3, 1), (3, 2))}
    assert len(several(ROWS)) == 1


def test_a_list_of_numpy_numbers_is_one_array():
    assert to_batch([np.float32(1), np.float32(2)]).inputs[0].shape == (2,)


def test_iterables_of_batches_are_recognized():
    assert is_batches(iter([1]))
    assert is_batches(range(3))
    assert not any(is_batches(x) for x in (np.ones(3), ROWS, (1,), {"a": 1}, pd.DataFrame(ROWS)))


FRAME = pd.DataFrame({"age": [1.0, np.nan], "name": ["x", "y"]})

REFUSED = {
    "lengths": (lambda: to_batch(ROWS, [1, 2]), "`x` has 3 samples and `y` has 2"),
    "weights": (lambda: to_batch(ROWS, [1, 2, 3], [1.0]), "3 samples and `sample_weight` has 1"),
    "weight rank": (lambda: to_batch(ROWS, None, np.ones((3, 2))), "one number for each sample"),
    "empty": (lambda: to_batch(np.ones((0, 2))), r"`x` is empty: its shape is \(0, 2\)"),
    "empty list": (lambda: to_batch([]), "`x` is empty"),
    "empty dict": (lambda: to_batch({}), "`x` is an empty dict"),
    "scalar": (lambda: to_batch(3.0), "one row for each sample, received 3.0"),
    "nan": (
        lambda: to_batch([[1.0], [np.nan]]),
        "1 entries that are NaN .* nan at row 1, column 0",
    ),
    "infinity": (lambda: to_batch([[1.0], [np.inf]]), "inf at row 1, column 0"),
    "nan in y": (lambda: to_batch(ROWS, [1, np.nan, 2]), "`y` has 1 entries .* nan at row 1"),
    "beyond float32": (lambda: to_batch([[1e300]]), "NaN or infinite"),
    "nan in a frame": (lambda: to_batch(FRAME[["age"]]), "nan at row 1, column 'age'"),
    "text in a frame": (lambda: to_batch(FRAME), "'x' of type `str` at row 0, column 'name'"),
    "text": (lambda: to_batch(np.array(["a", "b"])), "received text such as .*'a'"),
    "objects": (lambda: to_batch(np.array([None, 1], object)), "found None of type `NoneType`"),
    "dates": (lambda: to_batch(np.array(["2020-01-01"], "datetime64[D]")), "received dates"),
    "complex": (lambda: to_batch(np.ones(2, complex)), "received complex numbers"),
    "ragged": (lambda: to_batch([[1.0], [1.0, 2.0]]), "not a rectangular array"),
    "large": (lambda: to_batch(np.array([2**40])), "integers beyond 32 bits"),
    "inputs": (
        lambda: to_batch((np.ones((3, 1)), np.ones((2, 1)))),
        "different numbers of samples",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_invalid_data_raises(name):
    make, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        make()
