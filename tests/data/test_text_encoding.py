"""Models whose inputs are text."""

import jax
import numpy as np
import pandas as pd
import pytest

import fjax as keras
from fjax.layers import (
    Dense,
    Embedding,
    Flatten,
    Hashing,
    IntegerLookup,
    Rescaling,
    StringLookup,
    TextVectorization,
    concatenate,
)

TEXTS = ["so good", "so bad", "a good film", "a bad film"] * 5
LABELS = np.array([1, 0, 1, 0] * 5)


def vectorized(**config):
    layer = TextVectorization(**config)
    layer.adapt(TEXTS)
    return layer


def compiled(*layers):
    model = keras.Sequential(list(layers), seed=0)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def bag_model(*before):
    return compiled(*before, vectorized(output_mode="multi_hot"), Dense(1, "sigmoid"))


def test_encoding_in_the_model_equals_encoding_before_it():
    inside, before = bag_model(), compiled(Dense(1, "sigmoid"))
    first = inside.predict(TEXTS, verbose=0)
    assert inside.input_shape == (None,)
    before.build((None, inside.layers[0].output_shape[-1]))
    before.set_weights(inside.get_weights())
    x = inside.layers[0](TEXTS)
    np.testing.assert_array_equal(before.predict(x, verbose=0), first)
    fit = {"epochs": 2, "verbose": 0, "validation_split": 0.2, "shuffle": False}
    expected = before.fit(x, LABELS, **fit).history
    for name, values in inside.fit(TEXTS, LABELS, **fit).history.items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-6)
    one = inside.predict(["good film"], verbose=0)
    assert one.shape == (1, 1)
    np.testing.assert_allclose(inside(["good film"]), one, rtol=1e-6)


def test_every_method_accepts_text():
    model = bag_model()
    model.train_on_batch(TEXTS[:4], LABELS[:4])
    model.fit(((TEXTS[i : i + 5], LABELS[i : i + 5]) for i in range(0, 20, 5)), verbose=0)
    history = model.fit(TEXTS, LABELS, validation_data=(TEXTS[:4], LABELS[:4]), verbose=0).history
    assert "val_loss" in history
    loss, accuracy = model.evaluate(np.array(TEXTS), LABELS, verbose=0)
    assert np.isfinite(loss) and 0 <= accuracy <= 1
    frame = pd.DataFrame({"text": TEXTS})
    expected = model.predict(TEXTS, verbose=0)
    for given in (np.array(TEXTS)[:, None], frame["text"], np.array(TEXTS, object), tuple(TEXTS)):
        np.testing.assert_array_equal(model.predict(given, verbose=0), expected)
    np.testing.assert_array_equal(model.predict_on_batch(TEXTS), expected)
    assert model.get_layer("text_vectorization").get_vocabulary()[0] == "[UNK]"


def test_rows_of_numbers_reach_an_embedding():
    model = compiled(
        keras.Input((1,), dtype="string"), vectorized(output_sequence_length=4),
        Embedding(8, 2), Flatten(), Dense(1, "sigmoid"),
    )  # fmt: skip
    assert model.output_shape == (None, 1) and model.count_params() == 8 * 2 + 9
    model.fit(np.array(TEXTS)[:, None], LABELS, verbose=0)
    small = compiled(vectorized(output_sequence_length=4), Embedding(3, 2), Flatten(), Dense(1))
    with pytest.raises(ValueError, match="`Embedding` takes whole numbers from 0 to 2"):
        small.fit(TEXTS, LABELS, verbose=0)


def test_a_graph_has_inputs_of_text_and_of_numbers():
    text, city = (keras.Input((), dtype="string", name=name) for name in ("text", "city"))
    age = keras.Input((1,), name="age")
    lookup = StringLookup(vocabulary=["Rome", "Oslo"], output_mode="one_hot")
    merged = concatenate([vectorized(output_mode="count")(text), lookup(city), age])
    assert (text.dtype, merged.shape) == ("string", (None, 10))
    model = keras.Model([text, city, age], Dense(1)(merged), seed=0)
    model.compile("sgd", "mse")
    x = {
        "text": np.array(TEXTS),
        "city": np.array(["Rome", "Bern"] * 10),
        "age": np.ones((20, 1)),
    }
    model.fit(x, LABELS, verbose=0)
    with pytest.raises(ValueError, match=r"`x\['age'\]` must hold numbers, received text such"):
        model.predict({**x, "age": x["city"]}, verbose=0)
    with pytest.raises(TypeError, match=r"`x\['city'\]` must hold text, received float32"):
        model.predict({**x, "city": x["age"]}, verbose=0)
    some = {name: values[:3] for name, values in x.items()}
    np.testing.assert_array_equal(
        model.predict(some, verbose=0), model.predict(list(some.values()), verbose=0)
    )


def test_a_model_after_its_text_layer():
    layer = vectorized(output_sequence_length=4)
    inner = compiled(keras.Input((4,)), Dense(1))
    text = keras.Input((1,), dtype="string")
    whole = keras.Model(text, inner(layer(text)))
    texts = np.array(TEXTS)[:, None]
    np.testing.assert_array_equal(
        whole.predict(texts, verbose=0), inner.predict(layer(texts), verbose=0)
    )
    nested = keras.Sequential([keras.Sequential([layer, Rescaling(1.0)]), Dense(1)])
    assert nested.predict(TEXTS, verbose=0).shape == (20, 1)


def test_the_pure_pair_accepts_text_outside_of_programs():
    network = keras.serial(vectorized(output_mode="count"), Dense(1))
    params, state = network.init(jax.random.key(0), np.array(TEXTS))
    outputs, _ = network.apply(params, state, np.array(TEXTS))
    numbers = network.layers[0](TEXTS)
    inside, _ = jax.jit(network.apply)(params, state, numbers)
    np.testing.assert_allclose(outputs, inside, rtol=1e-6)


class Reviewed(keras.Model):
    def __init__(self, layer):
        super().__init__()
        self.vectorize = layer
        self.head = Dense(1)

    def call(self, inputs):
        return self.head(self.vectorize(inputs) * 1.0)


def test_an_authored_model_takes_text():
    layer = vectorized(output_mode="count")
    model = Reviewed(layer)
    outputs = model.predict(TEXTS, verbose=0)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(outputs, np.asarray(layer(TEXTS)) @ kernel + bias, rtol=1e-5)


def test_integers_are_looked_up_in_the_program():
    model = keras.Sequential(
        [
            keras.Input((1,), dtype="int64"),
            IntegerLookup(vocabulary=[30, 10], output_mode="one_hot"),
            Dense(1),
        ]
    )
    ids = np.array([[10], [30], [7]])
    outputs = model.predict(ids, verbose=0)
    np.testing.assert_allclose(outputs[:, 0], model.get_weights()[0][[2, 1, 0], 0], rtol=1e-6)
    strict = keras.Sequential([IntegerLookup(num_oov_indices=0, vocabulary=[30, 10]), Dense(1)])
    with pytest.raises(ValueError, match=r"found 7.*`num_oov_indices=1`"):
        strict.predict(ids, verbose=0)


def adapted_late():
    model = bag_model()
    model.predict(TEXTS, verbose=0)
    model.get_layer(index=0).adapt(["other", "words"])
    model.predict(TEXTS, verbose=0)


def two_readers():
    text = keras.Input((), dtype="string")
    several = [vectorized(output_mode=mode)(text) for mode in ("count", "multi_hot")]
    keras.Model(text, concatenate(several))


VALUES = {
    "text to a dense layer": (
        lambda: compiled(Dense(1)).fit(np.array(["a"]), np.ones(1)),
        r"`x` must hold numbers.*'sequential' begins with Dense\(units=1\).*`fjax.layers.TextV"),
    "text to a built model": (
        lambda: compiled(keras.Input((2,)), Dense(1)).predict([["a", "b"]]), "such as 'a'"),
    "batches of text": (
        lambda: compiled(Dense(1)).fit(iter([(["a"], [1])])), "`x` must hold numbers"),
    "text to be hashed": (
        lambda: compiled(Hashing(3), Dense(1)).predict(["a"]), "Call the layer on the text first"),
    "two layers on one text": (two_readers, "declare an `Input` for each"),
    "adapted late": (adapted_late, "was adapted again after the model was used"),
    "not adapted": (
        lambda: compiled(TextVectorization(), Dense(1)).predict(TEXTS), "has no vocabulary yet"),
    "text targets": (lambda: bag_model().fit(TEXTS, TEXTS), "`y` must hold numbers"),
}  # fmt: skip
TYPES = {
    "numbers to a layer on text": (
        lambda: bag_model().fit(np.ones((3, 2)), np.ones(3)), "`x` must hold text, received float"),
    "declared numbers": (
        lambda: bag_model(keras.Input((2,))), "takes text|must hold text, received float32"),
    "a symbolic tensor of numbers": (
        lambda: vectorized()(keras.Input((2,))), "takes text, received float32"),
    "a symbolic tensor of text": (
        lambda: Dense(1)(keras.Input((1,), dtype="string")), "`Dense` takes numbers, received"),
    "numbers where numbers of text would fit": (
        lambda: bag_model(keras.Input((), dtype="string")).predict(np.ones((2, 6))),
        r"must hold text, received float32 of shape \(None, 6\)"),
    "text to a called layer": (lambda: Rescaling(1.0)(["a"]), "`Rescaling` takes numbers"),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_an_invalid_value_raises_a_clear_value_error(name):
    mistake, message = VALUES[name]
    with pytest.raises(ValueError, match=message):
        mistake()


@pytest.mark.parametrize("name", TYPES)
def test_an_invalid_type_raises_a_clear_type_error(name):
    mistake, message = TYPES[name]
    with pytest.raises(TypeError, match=message):
        mistake()
