"""Recurrent layers: custom cells, states, masks, dropout and errors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax.core import penalty
from fjax.core.masking import Masked
from fjax.layers import (
    GRU,
    LSTM,
    RNN,
    BatchNormalization,
    Bidirectional,
    Dense,
    GRUCell,
    Input,
    Layer,
    LSTMCell,
    Masking,
    SimpleRNN,
    SimpleRNNCell,
    StackedRNNCells,
    TimeDistributed,
)

KEY = jax.random.key(0)
X = jax.random.normal(KEY, (2, 3, 4))
ZEROS = jnp.zeros((2, 5))


def init_and_apply(layer, *inputs, **options):
    params, state = layer.init(KEY, *inputs)
    return layer.apply(params, state, *inputs, **options)[0]


class Sum(Layer):
    """A pure cell whose output differs from its state."""

    state_size = 4

    def apply(self, params, state, *inputs, key=None, training=False):
        values, (total,) = inputs
        return (2 * (total + values), [total + values]), state


class Leaky(Layer):
    """An authored cell with a weight."""

    def __init__(self, units):
        super().__init__()
        self.units = units
        self.state_size = units
        self.output_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")

    def call(self, inputs, states):
        hidden = 0.5 * states[0] + inputs @ self.kernel
        return hidden, [hidden]


def test_a_pure_cell():
    outputs, last = init_and_apply(RNN(Sum(), return_sequences=True, return_state=True), X)
    np.testing.assert_allclose(outputs, 2 * jnp.cumsum(X, axis=1), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(last, jnp.sum(X, axis=1), rtol=1e-5, atol=1e-6)


def test_masked_steps_repeat_the_previous_output_or_are_zero():
    mask = jnp.array([[True, False, True], [True, True, False]])
    unmasked = jnp.where(mask[..., None], X, 0)
    expected = 2 * jnp.cumsum(unmasked, axis=1)
    for zero_output in (False, True):
        layer = RNN(Sum(), return_sequences=True, zero_output_for_mask=zero_output)
        outputs = init_and_apply(layer, Masked(X, mask))
        values = jnp.where(mask[..., None], expected, 0) if zero_output else expected
        np.testing.assert_allclose(outputs.values, values, rtol=1e-5, atol=1e-6)
        assert outputs.mask is mask


def test_an_authored_cell():
    layer = RNN(Leaky(3))
    params, state = layer.init(KEY, X)
    hidden = jnp.zeros((2, 3))
    for step in range(3):
        hidden = 0.5 * hidden + X[:, step] @ params["leaky"]["kernel"]
    np.testing.assert_allclose(layer.apply(params, state, X)[0], hidden, rtol=1e-5)
    model = fjax.Sequential([RNN(Leaky(3)), Dense(1)])
    model.compile("sgd", "mse")
    assert np.isfinite(model.fit(X, np.ones(2), verbose=0).history["loss"]).all()


def test_a_cell_computes_one_step():
    cell, states = LSTMCell(5), [ZEROS, ZEROS]
    params, state = cell.init(KEY, X[:, 0], states)
    (output, next_states), _ = cell.apply(params, state, X[:, 0], states)
    expected = LSTM(5).apply(params, state, X[:, :1])[0]
    np.testing.assert_allclose(output, expected, rtol=1e-6)
    np.testing.assert_array_equal(output, next_states[0])
    with pytest.raises(ValueError, match="`LSTMCell` has 2 states, received 1"):
        cell.apply(params, state, X[:, 0], [ZEROS])
    with pytest.raises(ValueError, match=r"one step.*received \(2, 3, 4\).*`RNN\(cell\)`"):
        cell.init(KEY, X, states)
    with pytest.raises(TypeError, match=r"`cell\(inputs, states\)`, received 1"):
        cell.apply(params, state, X[:, 0])


def test_rnn_of_a_cell_equals_the_layer_of_the_cell():
    params, state = GRU(5).init(KEY, X)
    outputs_of_layer = GRU(5).apply(params, state, X)[0]
    outputs_of_rnn = RNN(GRUCell(5)).apply({"gru_cell": params}, {"gru_cell": state}, X)[0]
    np.testing.assert_array_equal(outputs_of_layer, outputs_of_rnn)
    assert jnp.array_equal(params["bias"], jnp.zeros((2, 15)))


def test_unit_forget_bias():
    for unit_forget_bias, expected in ((True, [0, 0, 1, 1, 0, 0, 0, 0]), (False, [0] * 8)):
        params, _ = LSTM(2, unit_forget_bias=unit_forget_bias).init(KEY, X)
        assert params["bias"].tolist() == expected


@pytest.mark.parametrize("layer", [LSTM(5, unroll=True), LSTM(5)], ids=["unrolled", "scan"])
def test_second_derivatives_and_forward_mode(layer):
    params, state = LSTM(5).init(KEY, X)

    def loss(scale):
        # Larger inputs make all terms larger: their derivatives do not cancel in the sum.
        return jnp.sum(layer.apply(params, state, X * scale)[0] ** 2)

    step = 1e-2
    slope = (jax.grad(loss)(1 + step) - jax.grad(loss)(1 - step)) / (2 * step)
    np.testing.assert_allclose(jax.grad(jax.grad(loss))(1.0), slope, rtol=1e-2)
    np.testing.assert_allclose(jax.jvp(loss, (1.0,), (1.0,))[1], jax.grad(loss)(1.0), rtol=1e-5)


def test_dropout_is_the_same_in_all_steps():
    ones = jnp.ones((1, 6, 50))
    layer = SimpleRNN(50, None, False, "identity", "zeros", dropout=0.5, return_sequences=True)
    outputs = init_and_apply(layer, ones, key=KEY, training=True)[0]
    assert set(np.unique(outputs)) == {0.0, 2.0}
    assert (outputs == outputs[0]).all()
    assert (init_and_apply(layer, ones) == 1).all()
    with_other_key = init_and_apply(layer, ones, key=jax.random.key(1), training=True)[0]
    assert (outputs != with_other_key).any()
    with pytest.raises(
        ValueError, match="`SimpleRNNCell` draws random numbers in training and needs a key"
    ):
        init_and_apply(layer, ones, training=True)


def test_recurrent_dropout_changes_states_and_keeps_their_mean():
    layer = LSTM(64, recurrent_dropout=0.5)
    params, state = layer.init(KEY, X)
    without_dropout = layer.apply(params, state, X)[0]
    keys = jax.random.split(KEY, 100)
    drawn = jax.vmap(lambda key: layer.apply(params, state, X, key=key, training=True)[0])(keys)
    assert float(jnp.std(drawn, axis=0).min()) > 0
    np.testing.assert_allclose(drawn.mean(0), without_dropout, atol=0.05)


def test_initial_states_by_name_and_as_further_inputs():
    layer, states = LSTM(5), [ZEROS + 0.5, ZEROS - 0.5]
    params, state = layer.init(KEY, X)
    expected = layer.apply(params, state, X, *states)[0]
    assert not np.allclose(expected, layer.apply(params, state, X)[0])
    np.testing.assert_array_equal(layer.apply(params, state, X, states)[0], expected)
    sequences, hidden, carry = Input((3, 4)), Input((5,)), Input((5,))
    model = fjax.Model(
        [sequences, hidden, carry], LSTM(5)(sequences, initial_state=[hidden, carry])
    )
    model.set_weights([params[name] for name in ("kernel", "recurrent_kernel", "bias")])
    np.testing.assert_allclose(model.predict([X, *states], verbose=0), expected, rtol=1e-5)


def test_a_decoder_starts_from_the_states_of_an_encoder():
    source, target = Input((3, 4)), Input((2, 4))
    _, *states = LSTM(5, return_state=True)(source)
    outputs = LSTM(5, return_sequences=True)(target, initial_state=states)
    assert fjax.Model([source, target], outputs).output_shape == (None, 2, 5)


def test_stateful_layers_continue_from_the_previous_batch():
    stateless = GRU(5, return_sequences=True)
    params, state = stateless.init(KEY, X)
    expected = stateless.apply(params, state, X)[0]
    layer = GRU(5, stateful=True)
    _, state = layer.init(KEY, X[:, :1])
    for step in range(3):
        outputs, state = layer.apply(params, state, X[:, step : step + 1])
        np.testing.assert_allclose(outputs, expected[:, step], rtol=1e-5)
    with pytest.raises(ValueError, match="the states of 2 sequences, received a batch of 1"):
        layer.apply(params, state, X[:1])
    outputs, _ = layer.apply(params, layer.reset_state(state), X[:, :1])
    np.testing.assert_allclose(outputs, expected[:, 0], rtol=1e-5)


def test_a_stateful_model():
    model = fjax.Sequential([Input((3, 4), batch_size=2), LSTM(5, stateful=True), Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.tile(X, (3, 1, 1)), np.ones((6, 1))
    model.summary()
    model.fit(x, y, batch_size=2, verbose=0)
    assert float(jnp.abs(model.train_state.state["lstm"]["carry"]["0"]).sum()) > 0
    unbuilt = fjax.Sequential([LSTM(5, stateful=True), Dense(1)])
    with pytest.raises(ValueError, match=r"`stateful=True`.* no fixed batch size.*batch_size=32"):
        unbuilt.predict(x, batch_size=2, verbose=0)
    with pytest.raises(ValueError, match="no fixed batch size"):
        fjax.Sequential([Input((3, 4)), LSTM(5, stateful=True)])
    with pytest.raises(ValueError, match=r"each batch must have the declared size.*`batch_size=2`"):
        model.predict(x[:5], batch_size=2, verbose=0)
    # A size that is also a placeholder is declared nevertheless.
    eleven = fjax.Sequential([Input(batch_shape=(11, 3, 4)), LSTM(5, stateful=True)])
    assert eleven.predict(np.ones((11, 3, 4)), batch_size=11, verbose=0).shape == (11, 5)


def test_time_distributed_updates_the_state_step_by_step():
    layer, inner = TimeDistributed(BatchNormalization()), BatchNormalization()
    params, state = layer.init(KEY, X)
    inner_state = state["batch_normalization"]
    outputs, state = layer.apply(params, state, X, training=True)
    for step in range(3):
        expected, inner_state = inner.apply(
            params["batch_normalization"], inner_state, X[:, step], training=True
        )
        np.testing.assert_allclose(outputs[:, step], expected, rtol=1e-5)
    for name, value in inner_state.items():
        np.testing.assert_allclose(state["batch_normalization"][name], value, rtol=1e-5)


def test_time_distributed_passes_each_step_its_mask():
    x, mask = jnp.ones((2, 3, 4, 5)), jnp.arange(24).reshape(2, 3, 4) % 3 > 0
    layer = TimeDistributed(RNN(SimpleRNNCell(2)))
    params, state = layer.init(KEY, x)
    outputs, _ = layer.apply(params, state, Masked(x, mask))
    inner = RNN(SimpleRNNCell(2))
    for step in range(3):
        expected, _ = inner.apply(params["rnn"], state["rnn"], Masked(x[:, step], mask[:, step]))
        np.testing.assert_allclose(outputs.values[:, step], expected, rtol=1e-5)


def test_a_mask_reaches_the_last_layer():
    padded = np.array(X)
    padded[0, 2], padded[1, 1:] = 7.0, 7.0
    model = fjax.Sequential([Masking(7.0), GRU(5, return_sequences=True), LSTM(2)])
    outputs = model.predict(padded, verbose=0)
    unmasked = fjax.Sequential([Input((None, 4)), *model.layers[1:]])
    np.testing.assert_allclose(outputs[0], unmasked.predict(X[:1, :2], verbose=0)[0], rtol=1e-5)
    np.testing.assert_allclose(outputs[1], unmasked.predict(X[1:, :1], verbose=0)[0], rtol=1e-5)


@pytest.mark.parametrize("kind", [SimpleRNN, LSTM, GRU])
def test_invalid_shapes(kind):
    name, layer = kind.__name__, kind(5, return_sequences=True)
    params, state = layer.init(KEY, X)
    for bad, message in (
        (X[:, 0], r"needs sequences .*received \(2, 4\)\. Add a time axis"),
        (X[None], r"needs sequences .*received \(1, 2, 3, 4\)\."),
        (X[:, :0], "at least one step.*the time axis is empty"),
        (X[..., :3], r"built for 4 features, received steps of shape \(2, 3\)"),
        (Masked(X, jnp.ones((2, 4), bool)), r"mask must have shape \(2, 3\).*received \(2, 4\)"),
    ):
        with pytest.raises(ValueError, match=rf"`{name}(Cell)?`.*{message}"):
            layer.apply(params, state, bad)
    count = 2 if kind is LSTM else 1
    for states in ([ZEROS] * (count + 1), [ZEROS[:1]] * count, [ZEROS[:, :3]] * count):
        with pytest.raises(ValueError, match=rf"`{name}` needs {count} initial states of shapes"):
            layer.apply(params, state, X, states)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LSTM(0), "`LSTM`: `units` must be an integer of at least 1, received 0"),
        (lambda: GRU("32"), "`GRU`: `units` must be an integer of at least 1, received '32'"),
        (lambda: LSTM(2, dropout=1.0), r"`dropout` must be a number in \[0, 1\), received 1.0"),
        (lambda: GRUCell(2, recurrent_dropout=-1), r"`GRUCell`: `recurrent_dropout` must be a n"),
        (lambda: LSTM(2, return_sequences="yes"), "`return_sequences` must be True or False"),
        (lambda: LSTM(2, use_cudnn=True), "`use_cudnn` must be 'auto' or False, received True"),
        (lambda: RNN(Dense(2)), r"the cell Dense\(units=2\) needs an attribute `state_size`"),
        (lambda: StackedRNNCells([]), "at least one cell, received none"),
        (lambda: Bidirectional(LSTM(2), "add"), "`merge_mode` must be one of 'concat'"),
        (
            lambda: Bidirectional(LSTM(2), backward_layer=LSTM(2)),
            "one of the two layers must have `go_backwards=True`",
        ),
        (
            lambda: Bidirectional(
                LSTM(2), backward_layer=LSTM(2, go_backwards=True, return_state=True)
            ),
            "`return_state` must be the same in both layers, received False for `layer` and True",
        ),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
def test_invalid_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_arguments_that_are_not_layers():
    with pytest.raises(TypeError, match=r"received the class `LSTMCell`. Call it"):
        RNN(LSTMCell)
    with pytest.raises(TypeError, match=r"`layer` must be a recurrent layer.*received Dense"):
        Bidirectional(Dense(2))
    with pytest.raises(ValueError, match=r"Unknown layer 'Dens'. Did you mean `Dense`"):
        TimeDistributed({"class_name": "Dens", "config": {}})


def test_an_activity_regularizer_adds_a_penalty():
    # Keras accepts the argument and ignores it.
    layer, inputs = SimpleRNN(3, activity_regularizer="l1"), jnp.ones((2, 3, 4))
    params, state = layer.init(jax.random.key(0), inputs)
    outputs, state = layer.apply(params, state, inputs)
    np.testing.assert_allclose(penalty(state), 0.01 * jnp.abs(outputs).sum() / 2, rtol=1e-6)
