"""`Sequential`: layers, shapes, weights, summary and errors."""

import copy

import jax
import numpy as np
import pytest

import fjax as keras
from fjax import serial
from fjax.layers import BatchNormalization, Dense, Dropout, Flatten, Input, InputLayer


def stack(**config):
    return keras.Sequential(
        [Input((28, 28)), Flatten(), Dense(30, "relu"), BatchNormalization(), Dense(10)], **config
    )


def test_the_input_is_declared_in_three_ways_or_omitted():
    for first in (
        Input((4,)),
        InputLayer((4,)),
        Dense(3, input_shape=[4]),
        Dense(3, input_shape=4),
    ):
        model = keras.Sequential([first, Dense(2)])
        assert (model.built, model.input_shape, model.output_shape) == (True, (None, 4), (None, 2))
    model = keras.Sequential([Dense(3), Dense(2)])
    assert not model.built
    assert model(np.ones((5, 4))).shape == (5, 2)
    assert model.input_shape == (None, 4)
    model = keras.Sequential([Dense(3)])
    model.build((None, 4))
    assert model.count_params() == 15


def test_layers_are_listed_by_keras_names():
    model = keras.Sequential([Input((4,)), Dense(3), Dense(2), Dense(1, name="top")])
    assert [layer.name for layer in model.layers] == ["dense", "dense_1", "top"]
    assert model.get_layer("dense_1") is model.layers[1]
    assert model.get_layer(index=2).units == 1
    assert model.name == "sequential"
    assert keras.Sequential(name="mine").name == "mine"


def test_adding_a_layer_keeps_the_weights():
    model = keras.Sequential()
    model.add(Input((4,)))
    model.add(Dense(3))
    before = model.get_weights()
    model.add(jax.nn.relu)
    model.add(Dense(2))
    after = model.get_weights()
    for one, other in zip(before, after, strict=False):
        np.testing.assert_array_equal(one, other)
    assert [layer.name for layer in model.layers] == ["dense", "relu", "dense_1"]


def test_pop_removes_the_last_layer_and_keeps_the_others():
    model = stack()
    kernel = model.get_layer("dense").get_weights()[0]
    popped = model.layers[-1]
    assert model.pop() == Dense(10)
    assert [weight.shape for weight in popped.get_weights()] == [(30, 10), (10,)]
    assert model.output_shape == (None, 30)
    np.testing.assert_array_equal(model.get_layer("dense").get_weights()[0], kernel)
    with pytest.raises(ValueError, match="no layer to remove"):
        keras.Sequential().pop()


def test_weights_have_the_order_of_keras():
    model = stack()
    shapes = [weight.shape for weight in model.get_weights()]
    assert shapes == [(784, 30), (30,), (30,), (30,), (30,), (30,), (30, 10), (10,)]
    assert [w.shape for w in model.get_layer("batch_normalization").get_weights()] == [(30,)] * 4


def test_weights_are_set_and_returned():
    model, other = stack(seed=1), stack(seed=2)
    assert not np.array_equal(model.get_weights()[0], other.get_weights()[0])
    other.set_weights(model.get_weights())
    for one, same in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, same)
    layer = model.get_layer("dense")
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel * 2, bias + 1])
    np.testing.assert_array_equal(model.get_weights()[0], kernel * 2)
    kernel[:] = 0  # a copy
    assert model.get_weights()[0].any()


def test_invalid_weights_raise():
    model = stack()
    with pytest.raises(ValueError, match=r"model 'sequential' has 8 weights .* received 1"):
        model.set_weights([np.ones(3)])
    with pytest.raises(ValueError, match=r"kernel of layer 'dense' has shape \(784, 30\)"):
        model.get_layer("dense").set_weights([np.ones((2, 2)), np.ones(30)])


def test_seeds_repeat_and_differ():
    keras.utils.set_random_seed(3)
    one = stack().get_weights()[0]
    other = stack().get_weights()[0]
    keras.utils.set_random_seed(3)
    np.testing.assert_array_equal(stack().get_weights()[0], one)
    assert not np.array_equal(one, other)


def test_the_network_is_the_pair_and_the_train_state_its_arrays():
    model = keras.Sequential([Input((4,)), Dense(3, "tanh"), Dropout(0.5)])
    init, apply = model.network
    held = model.train_state
    x = np.ones((2, 4), "float32")
    outputs, _ = apply(held.params, held.state, x)
    np.testing.assert_allclose(outputs, model.predict(x, verbose=0), rtol=1e-6)
    params, state = init(jax.random.key(0), x)
    model.train_state = held._replace(params=params, state=state)
    np.testing.assert_array_equal(model.get_weights()[0], params["dense"]["kernel"])


def test_a_train_state_that_does_not_fit_raises():
    model = keras.Sequential([Input((4,)), Dense(3)])
    other = keras.Sequential([Input((4,)), Dense(2)]).train_state
    with pytest.raises(
        ValueError, match=r"\['dense'\]\['bias'\]: expected an array of shape \(3,\)"
    ):
        model.train_state = other


def test_a_model_of_any_pair():
    model = keras.Model(serial(Dense(3), jax.nn.relu), input_shape=(4,), name="pair")
    assert model(np.ones((2, 4))).shape == (2, 3)
    assert model.name == "pair"
    assert [layer.name for layer in model.layers] == ["dense", "relu"]


SUMMARY = """\
Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                             ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ flatten (Flatten)                        │ (None, 784)            │             0 │
├──────────────────────────────────────────┼────────────────────────┼───────────────┤
│ dense (Dense)                            │ (None, 30)             │        23,550 │
├──────────────────────────────────────────┼────────────────────────┼───────────────┤
│ batch_normalization (BatchNormalization) │ (None, 30)             │           120 │
├──────────────────────────────────────────┼────────────────────────┼───────────────┤
│ dense_1 (Dense)                          │ (None, 10)             │           310 │
└──────────────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 23,980 (93.67 KB)
 Trainable params: 23,920 (93.44 KB)
 Non-trainable params: 60 (240.00 B)"""


def test_the_summary_is_aligned_and_counts(capsys):
    stack().summary()
    assert capsys.readouterr().out.rstrip("\n") == SUMMARY
    lines = []
    stack().summary(print_fn=lines.append, line_length=120)
    assert {len(line) for line in lines[0].splitlines()[1:-3]} == {120}
    assert stack().count_params() == 23_980


REFUSED = {
    "a class": (lambda: keras.Sequential([Dense]), TypeError, r"Call it: `Dense\(…\)`"),
    "no list": (lambda: keras.Sequential(Dense(3)), TypeError, "must be a list of layers"),
    "a string": (lambda: keras.Sequential(["dense"]), TypeError, "received 'dense'"),
    "two names": (
        lambda: keras.Sequential([Dense(1, name="a"), Dense(1, name="a")]),
        ValueError,
        "Two layers are named 'a'",
    ),
    "two inputs": (
        lambda: keras.Sequential([Input((1,)), Input((1,))]),
        ValueError,
        "be the first entry",
    ),
    "a tensor inside": (
        lambda: keras.Sequential([Dense(1)(Input((4,)))]),
        TypeError,
        "pass the layer, not its output",
    ),
    "a shape that does not fit": (
        lambda: keras.Sequential([Input((4,)), keras.layers.Reshape((3,))]),
        ValueError,
        r"`Reshape` cannot reshape samples of shape \(4,\) to \(3,\)",
    ),
    "an unknown layer": (
        lambda: stack().get_layer("dens"),
        ValueError,
        "has no layer 'dens'. Did you mean `dense`",
    ),
    "an index": (lambda: stack().get_layer(index=9), ValueError, "has 4 layers, received index 9"),
    "neither": (lambda: stack().get_layer(), ValueError, "either `name` or `index`"),
    "no shape": (
        lambda: keras.Sequential([Dense(1)]).input_shape,
        AttributeError,
        "does not know its input shape yet",
    ),
    "no shape, weights": (
        lambda: keras.Sequential([Dense(1)]).count_params(),
        ValueError,
        "does not know its input shape yet",
    ),
    "no layers": (
        lambda: keras.Sequential().predict(np.ones((2, 2))),
        ValueError,
        "has no layers: `add` a layer first",
    ),
    "no batch axis": (lambda: keras.Sequential([Dense(1)]).build(()), ValueError, "a batch axis"),
    "a keyword": (
        lambda: keras.Sequential(layer=[Dense(1)]),
        TypeError,
        "no argument `layer`. Did you mean `layers`",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_invalid_use_raises(name):
    make, kind, message = REFUSED[name]
    with pytest.raises(kind, match=message):
        make()


def test_invalid_first_data_leave_the_model_unbuilt():
    model = keras.Sequential([Dense(3)])
    with pytest.raises(ValueError, match="needs inputs of shape"):
        model.predict(np.ones(4), verbose=0)
    assert model.predict(np.ones((4, 2)), verbose=0).shape == (4, 3)


def test_an_invalid_layer_leaves_the_model_unchanged():
    model = keras.Sequential([Input((4,)), Dense(3)])
    with pytest.raises(ValueError, match="`Reshape` cannot"):
        model.add(keras.layers.Reshape((5,)))
    assert model.output_shape == (None, 3)
    assert len(model.layers) == 1


def test_normalization_requires_adapt():
    layer = keras.layers.Normalization(input_shape=(2,))
    model = keras.Sequential([layer, Dense(1)])
    with pytest.raises(ValueError, match=r"no statistics yet: call `layer.adapt"):
        model.predict(np.ones((3, 2)), verbose=0)
    layer.adapt(np.array([[0.0, 1.0], [2.0, 5.0]]))
    mean, variance, count = model.layers[0].get_weights()
    assert (mean.tolist(), variance.tolist(), count) == ([1.0, 3.0], [1.0, 4.0], 0)


def test_adapt_names_the_row_and_column_of_a_nan():
    with pytest.raises(
        ValueError, match=r"1 entries that are NaN or infinite, the first at \(1, 0\)"
    ):
        keras.layers.Normalization().adapt(np.array([[0.0], [np.nan]]))


def test_a_model_of_any_pair_shows_its_layers():
    pair = keras.Model(serial(Flatten(), Dense(3)), input_shape=(8, 8))
    assert [layer.name for layer in pair.layers] == ["flatten", "dense"]
    assert pair.get_layer("dense").get_weights()[0].shape == (64, 3)
    single = keras.Model(Dense(3), input_shape=(8,))
    assert single.layers[0].get_weights()[0].shape == (8, 3)
    for model, count in ((pair, "195"), (single, "27")):
        lines = []
        model.summary(print_fn=lines.append)
        assert f"Total params: {count} " in lines[0]


def test_a_layer_of_a_model_cannot_be_changed_and_can_be_copied():
    model = stack()
    with pytest.raises(AttributeError, match=r"`units` was set to 5. Make a new one"):
        model.layers[1].units = 5
    with pytest.raises(TypeError, match=r"`trainable` must be True or False, received 0"):
        model.layers[1].trainable = 0
    assert copy.copy(model.layers[1]).units == 30


def test_a_popped_layer_can_be_added_to_another_model():
    model = stack()
    layer = model.layers[-1]
    other = keras.Sequential([Input((30,))])
    other.add(layer)
    assert other.layers[0] is layer
    other.add(model.pop().from_config({"units": 2}))
    assert other.output_shape == (None, 2)


def test_invalid_seeds_and_train_states_raise():
    for seed in ("a", -1, 1.5):
        with pytest.raises(ValueError, match="`seed` must be an integer from 0 to"):
            keras.Sequential([Dense(1)], seed=seed)
    with pytest.raises(TypeError, match=r"must be a `fjax.training.TrainState`, received 3"):
        stack().train_state = 3


def test_an_input_layer_with_the_older_spelling_of_its_shape():
    with pytest.warns(DeprecationWarning, match="`InputLayer.input_shape=….` is an older") as told:
        layer = InputLayer(input_shape=[8])
    assert layer.shape == (8,) and told[0].filename == __file__
    assert layer == InputLayer((8,)) == InputLayer.from_config(layer.get_config())
    with pytest.raises(TypeError, match="given `shape` and its older spelling"):
        InputLayer((8,), input_shape=(8,))
