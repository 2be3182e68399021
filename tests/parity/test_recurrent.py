"""Recurrent layers compared with Keras and PyTorch, with the same weights."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import fjax
from fjax import layers
from fjax.core.masking import Masked, strip_masks

pytestmark = pytest.mark.sampled(3, whole=True)

BATCH, TIME, FEATURES, UNITS = 3, 4, 2, 3
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(BATCH, TIME, FEATURES)).astype("float32")
# Masks of steps at the beginning, in the middle and at the end, and of a whole sequence.
MASK = np.array([[0, 1, 0, 1], [1, 1, 1, 0], [0, 0, 0, 0]], bool)


def drawn(*shape):
    return RANDOM.uniform(-1, 1, shape).astype("float32")


def with_leaves(tree, values):
    """Return the params with other values, given in the order of the weights."""
    return {
        name: with_leaves(value, values) if isinstance(value, dict) else jnp.asarray(values.pop(0))
        for name, value in tree.items()
    }


def in_order(tree, like):
    """Return the leaves in the order of the weights; `grad` returns dicts sorted."""
    for name, value in like.items():
        yield from in_order(tree[name], value) if isinstance(value, dict) else [tree[name]]


def compare(ours, theirs, mask=None, states=()):
    """Compare outputs, masks and all gradients."""
    options = {} if mask is None else {"mask": mask}
    if states:
        options["initial_state"] = list(states)
    theirs(X, **options)
    variables = theirs.trainable_variables
    weights = [drawn(*w.shape) for w in variables]
    for variable, value in zip(variables, weights, strict=True):
        variable.assign(value)
    params, state = ours.init(jax.random.key(0), X)
    assert [w.shape for w in in_order(params, params)] == [tuple(w.shape) for w in variables]
    params = with_leaves(params, list(weights))
    fixed = [w.value for w in theirs.non_trainable_variables]

    def our_outputs(params, x, states):
        values = x if mask is None else Masked(x, mask)
        return ours.apply(params, state, values, *states)[0]

    def their_outputs(trainable, x, states):
        own = {**options, "initial_state": list(states)} if states else options
        return theirs.stateless_call(trainable, fixed, x, **own)[0]

    def ravelled(outputs):
        leaves = jax.tree.leaves(strip_masks(outputs))
        return jnp.concatenate([leaf.ravel() for leaf in leaves])

    def loss(outputs):
        flat = ravelled(outputs)
        return jnp.sum(flat * jnp.cos(jnp.arange(flat.size)))

    found, expected = our_outputs(params, X, states), their_outputs(weights, X, states)
    np.testing.assert_allclose(ravelled(found), ravelled(expected), rtol=1e-5, atol=1e-6)
    first, *_ = found if isinstance(found, tuple) else (found,)
    keeps = mask is not None and getattr(ours, "layer", ours).return_sequences
    assert isinstance(first, Masked) == keeps

    @jax.jit
    def both(params, weights, states):
        own = jax.grad(lambda *a: loss(our_outputs(*a)), (0, 1, 2))(params, X, states)
        return own, jax.grad(lambda *a: loss(their_outputs(*a)), (0, 1, 2))(weights, X, states)

    gradients, wanted = both(params, weights, states)
    pairs = zip(
        [*in_order(gradients[0], params), *gradients[1:]], [*wanted[0], *wanted[1:]], strict=True
    )
    for ours_one, theirs_one in pairs:
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5),
            ours_one,
            theirs_one,
        )


@st.composite
def options(draw):
    name = draw(st.sampled_from(["LSTM", "GRU", "SimpleRNN"]))
    flags = ("return_sequences", "return_state", "go_backwards", "zero_output_for_mask", "use_bias")
    config = {flag: draw(st.booleans()) for flag in flags}
    config["activation"] = draw(st.sampled_from(["tanh", "relu", None]))
    if name != "SimpleRNN":
        config["recurrent_activation"] = draw(st.sampled_from(["sigmoid", "hard_sigmoid"]))
    if name == "GRU":
        config["reset_after"] = draw(st.booleans())
    return name, config, draw(st.booleans()), draw(st.booleans())


def check(case):
    name, config, masked, begun = case
    states = tuple(drawn(BATCH, UNITS) for _ in range(1 + (name == "LSTM"))) if begun else ()
    ours, theirs = getattr(layers, name), getattr(keras.layers, name)
    compare(ours(UNITS, **config), theirs(UNITS, **config), MASK if masked else None, states)


# Without shrinking, which would take minutes.
@settings(max_examples=3, derandomize=True, deadline=None, phases=[Phase.generate])
@given(options())
def test_every_option(case):
    check(case)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(options())
def test_every_option_for_long(case):
    check(case)


@pytest.mark.parametrize("mode", ["concat", None])
def test_both_directions(mode):
    def make(home):
        inner = home.GRU(UNITS, return_sequences=True, return_state=mode is None)
        return home.Bidirectional(inner, merge_mode=mode)

    compare(make(layers), make(keras.layers), MASK)


def test_another_layer_for_the_backward_direction():
    def make(home):
        back = home.LSTM(UNITS, activation="relu", go_backwards=True)
        return home.Bidirectional(home.LSTM(UNITS), "ave", backward_layer=back)

    compare(make(layers), make(keras.layers), MASK, tuple(drawn(BATCH, UNITS) for _ in range(4)))


def test_stacked_cells():
    def make(home):
        cells = [home.LSTMCell(UNITS), home.GRUCell(2), home.SimpleRNNCell(4)]
        return home.RNN(cells, return_sequences=True, return_state=True)

    compare(make(layers), make(keras.layers), MASK)


@pytest.mark.parametrize("name", ["LSTM", "GRU"])
def test_pytorch(name):
    torch = pytest.importorskip("torch")
    params, state = getattr(layers, name)(UNITS).init(jax.random.key(0), X)
    params = jax.tree.map(lambda a: drawn(*a.shape), params)
    theirs = getattr(torch.nn, name)(FEATURES, UNITS, batch_first=True)
    # PyTorch's GRU has r before z, and its LSTM has two biases.
    order = [0, 1, 2, 3] if name == "LSTM" else [1, 0, 2]

    def turned(array):
        parts = np.split(array, len(order), axis=-1)
        return torch.from_numpy(np.concatenate([parts[i] for i in order], axis=-1).T.copy())

    bias = params["bias"] if name == "GRU" else np.stack([params["bias"], 0 * params["bias"]])
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(turned(params["kernel"]))
        theirs.weight_hh_l0.copy_(turned(params["recurrent_kernel"]))
        theirs.bias_ih_l0.copy_(turned(bias[0]))
        theirs.bias_hh_l0.copy_(turned(bias[1]))
    expected = theirs(torch.from_numpy(X))[0].detach().numpy()
    outputs, _ = getattr(layers, name)(UNITS, return_sequences=True).apply(params, state, X)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)


def test_stateful_layers_continue_with_the_state_of_the_last_batch():
    ours, theirs = layers.LSTM(UNITS, stateful=True), keras.layers.LSTM(UNITS, stateful=True)
    theirs(X)
    params, state = ours.init(jax.random.key(0), X)
    theirs.set_weights([np.asarray(params[w.name]) for w in theirs.trainable_variables])
    theirs.reset_state()
    for inputs in (X, 2 * X, X):
        outputs, state = ours.apply(params, state, inputs, training=True)
        np.testing.assert_allclose(outputs, theirs(inputs), rtol=1e-5, atol=1e-6)


def test_a_model_of_words_trains_as_in_keras():
    words = np.array([[1, 2, 0, 0], [3, 4, 1, 0], [2, 2, 4, 1], [4, 0, 0, 0]])
    labels = np.array([1.0, 0.0, 1.0, 0.0])

    def make(home):
        model = home.Sequential(
            [
                home.layers.Input((4,), dtype="int32"),
                home.layers.Embedding(5, 3, mask_zero=True),
                home.layers.Bidirectional(home.layers.LSTM(2, return_sequences=True)),
                home.layers.TimeDistributed(home.layers.Dense(3, activation="relu")),
                home.layers.GRU(2),
                home.layers.Dense(1, activation="sigmoid"),
            ]
        )
        model.compile("adam", "binary_crossentropy")
        return model

    ours, theirs = make(fjax), make(keras)
    weights = [drawn(*w.shape) for w in theirs.get_weights()]
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in weights]
    for model in (ours, theirs):
        model.set_weights(weights)
    options = {"batch_size": 3, "epochs": 3, "shuffle": False, "verbose": 0}
    losses = ours.fit(words, labels, **options).history["loss"]
    np.testing.assert_allclose(
        losses, theirs.fit(words, labels, **options).history["loss"], rtol=1e-5
    )
    np.testing.assert_allclose(
        ours.predict(words, verbose=0), theirs.predict(words, verbose=0), rtol=1e-4
    )


def test_the_state_of_a_stateful_layer_is_not_a_weight():
    models = []
    for library in (fjax, keras):
        layers = library.layers
        rows = [library.Input((3, 2), batch_size=4), layers.GRU(4, stateful=True), layers.Dense(1)]
        models.append(library.Sequential(rows))
    ours, theirs = models
    ours.set_weights(theirs.get_weights())
    assert ours.count_params() == theirs.count_params()
    x = np.random.default_rng(0).normal(size=(4, 3, 2)).astype("float32")
    np.testing.assert_allclose(
        ours.predict(x, batch_size=4, verbose=0), theirs.predict(x, batch_size=4, verbose=0),
        rtol=1e-5, atol=1e-6,
    )  # fmt: skip
