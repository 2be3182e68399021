"""pad_sequences, compared with Keras."""

import keras
import numpy as np
import pytest

import fjax
from fjax.preprocessing.sequence import pad_sequences

pytestmark = pytest.mark.short

ROWS = [[1], [2, 3], [], [4, 5, 6]]


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
@pytest.mark.parametrize("maxlen", [None, 2, 5])
def test_equals_keras(padding, truncating, maxlen):
    arguments = {"maxlen": maxlen, "padding": padding, "truncating": truncating}
    for rows, more in [
        (ROWS, {}),
        (ROWS, {"value": -1}),
        ([[0.5, 1.5], [2.5]], {"dtype": "float32", "value": 0.25}),
        ([np.ones((2, 3)), np.ones((1, 3))], {}),
        ([["a", "b"], ["c"]], {"dtype": object, "value": "none"}),
    ]:
        ours = pad_sequences(rows, **arguments, **more)
        theirs = keras.utils.pad_sequences(rows, **arguments, **more)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


def test_aliases():
    assert fjax.utils.pad_sequences is fjax.preprocessing.sequence.pad_sequences is pad_sequences


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"sequences": []}, ValueError, "needs a list with at least one sequence"),
        ({"sequences": [1, 2]}, TypeError, "takes a list of sequences.*received 1 at index 0"),
        ({"sequences": np.array(["a b"])}, TypeError, "received 'a b' at index 0"),
        ({"sequences": ["so good"]}, TypeError, "`fjax.layers.TextVectorization`"),
        ({"sequences": [[0.5]]}, TypeError, 'int32 cannot hold.*`dtype="float32"`'),
        ({"sequences": [["a"]]}, TypeError, "`dtype=object` for text"),
        ({"sequences": [[2**40]]}, TypeError, "int32 cannot hold"),
        ({"sequences": [[1]], "value": "x"}, TypeError, "`value` is text and `dtype` is int32"),
        ({"sequences": [[1]], "maxlen": 0}, ValueError, "`maxlen` must be an integer of at least"),
        ({"sequences": [[1]], "padding": "posst"}, ValueError, "Did you mean `post`"),
        ({"sequences": [[[1, 2]], [[1]]]}, ValueError, r"at index 1 have shape \(1,\)"),
    ],
)
def test_invalid_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        pad_sequences(**arguments)
