"""Recurrent layers: sequences, states, cells, directions."""

import numpy as np
import pytest

pytestmark = pytest.mark.sampled(3, whole=True)

X = np.linspace(-1, 1, 2 * 6 * 3).reshape(2, 6, 3).astype("float32")


def test_sequences_and_states(compare, fill):
    def program(library):
        layers = library.layers
        inputs = library.Input((None, 3))
        outputs, h, c = layers.LSTM(4, return_state=True, return_sequences=True, name="encoder")(
            inputs
        )
        decoded = layers.LSTM(4, name="decoder")(inputs, initial_state=[h, c])
        model = fill(library.Model(inputs, [outputs, h, c, layers.Dense(2)(decoded)]))
        return model.predict(X, verbose=0)

    compare(program)


def test_a_stateful_layer_remembers_and_forgets(compare, fill):
    def program(library):
        layer = library.layers.LSTM(4, stateful=True)
        layer(X)
        fill(layer)
        layer.reset_states()
        first, second = np.asarray(layer(X)), np.asarray(layer(X))
        states = [np.asarray(state) for state in layer.states]
        layer.reset_states()
        return first, second, states, layer(X)

    first, second, _, again = compare(program)
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("mode", ["concat", "sum"])
def test_both_directions_stacked(compare, fill, mode):
    def program(library):
        layers = library.layers
        model = library.Sequential(
            [
                library.Input((6, 3)),
                layers.Bidirectional(layers.LSTM(4, return_sequences=True), merge_mode=mode),
                layers.Bidirectional(layers.GRU(3), merge_mode=mode),
                layers.Dense(2),
            ]
        )
        fill(model)
        model.compile("sgd", "mse")
        history = model.fit(X, X[:, 0, :2], epochs=2, shuffle=False, verbose=0)
        return history.history, model.predict(X, verbose=0)

    compare(program)


def test_a_cell_of_ones_own(compare, fill):
    def program(library):
        class Minimal(library.layers.Layer):
            def __init__(self, units, **kwargs):
                super().__init__(**kwargs)
                self.units = units
                self.state_size = units

            def build(self, input_shape):
                self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")
                self.recurrent = self.add_weight(shape=(self.units, self.units), name="recurrent")

            def call(self, inputs, states):
                previous = states[0]
                hidden = library.ops.matmul(inputs, self.kernel)
                output = hidden + library.ops.matmul(previous, self.recurrent)
                return output, [output]

        model = library.Sequential(
            [library.Input((None, 3)), library.layers.RNN(Minimal(4)), library.layers.Dense(1)]
        )
        return fill(model).predict(X, verbose=0)

    compare(program)


def test_several_cells_in_one_layer(compare, fill):
    def program(library):
        layers = library.layers
        cells = [layers.GRUCell(4), layers.LSTMCell(3)]
        inputs = library.Input((6, 3))
        return fill(library.Model(inputs, layers.RNN(cells)(inputs))).predict(X, verbose=0)

    compare(program)
