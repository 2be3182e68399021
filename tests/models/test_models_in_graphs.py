"""Models called on symbolic tensors, and models and their layers inside other networks."""

import numpy as np
import pytest

import fjax
from fjax.layers import Dense, Input

ROWS = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)


def two_inputs():
    wide, deep = Input((3,), name="wide"), Input((3,), name="deep")
    return fjax.Model([wide, deep], Dense(2)(wide - 2 * deep))


def assert_close(one, other):
    np.testing.assert_allclose(one, other, rtol=1e-6)


def test_a_list_of_one_output_is_one_output():
    inputs = Input((3,))
    outputs = Dense(2)(inputs)
    one = fjax.Model(inputs=[inputs], outputs=[outputs])
    assert isinstance(one.predict(ROWS, verbose=0), np.ndarray)
    assert one.output_shape == (None, 2) and one.output is outputs
    assert one([inputs]).shape == one(inputs).shape == (None, 2)


@pytest.mark.parametrize("named", [False, True])
def test_a_model_is_called_by_position_and_by_name(named):
    inner = two_inputs()
    if named:
        wide, deep = inner.inputs
        inner = fjax.Model({"wide": wide, "deep": deep}, inner.output)
    a, b = Input((3,)), Input((3,))
    calls = [{"wide": a, "deep": b}, [b, a] if named else [a, b]]
    expected = inner({"wide": ROWS, "deep": ROWS + 1})
    for given in calls:
        outer = fjax.Model([a, b], inner(given))
        arrays = [ROWS, ROWS + 1]
        assert_close(outer.predict(arrays, verbose=0), expected)


def test_a_sequential_without_input_is_built_by_its_first_call():
    inner = fjax.Sequential([Dense(4, "relu"), Dense(2)])
    outer = fjax.Model(inputs := Input((3,)), inner(inputs))
    assert inner.built and inner.input_shape == (None, 3)
    assert_close(outer.predict(ROWS, verbose=0), inner.predict(ROWS, verbose=0))


def test_an_authored_model_is_a_layer_of_a_graph():
    class Doubled(fjax.Model):
        def __init__(self):
            super().__init__()
            self.dense = Dense(3)

        def call(self, inputs, scale=1.0):
            return 2 * scale * self.dense(inputs)

    doubled = Doubled()
    inputs = Input((3,))
    outer = fjax.Model(inputs, [doubled(inputs), doubled(inputs, scale=0.5)])
    whole, half = outer.predict(ROWS, verbose=0)
    assert_close(whole, 2 * half)
    assert_close(whole, doubled.predict(ROWS, verbose=0))


def test_an_authored_model_shares_the_weights_of_its_layers():
    first = fjax.Sequential([Input((3,)), Dense(4), Dense(2)])

    class Taken(fjax.Model):
        def __init__(self):
            super().__init__()
            self.hidden = first.layers[0]
            self.last = Dense(1)

        def call(self, inputs):
            return self.last(self.hidden(inputs))

    taken = Taken()
    taken.compile("sgd", "mse")
    taken.fit(ROWS, ROWS[:, :1], verbose=0)
    for one, other in zip(first.layers[0].get_weights(), taken.get_weights()[:2], strict=True):
        np.testing.assert_array_equal(one, other)


def test_combinators_accept_models():
    model = fjax.Sequential([Input((3,)), Dense(2)])
    assert fjax.serial(model).layers == (model.layer_tree,)
    assert fjax.Model(model).count_params() == 8
    assert fjax.serial(model.layers[0]).layers == (model.layers[0],)


def test_a_misspelled_option_of_a_call_raises():
    with pytest.raises(TypeError, match="trainig"):
        two_inputs()([ROWS, ROWS], trainig=True)
