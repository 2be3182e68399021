"""Networks for sequences, with and without masks, compared with Keras on movie reviews."""

import keras
import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)

WORDS, LENGTH = 50, 12


@pytest.fixture(scope="module")
def reviews():
    """Return padded token ids and labels."""
    try:
        (texts, labels), _ = fjax.datasets.movie_reviews.load_data()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    numbers = {}
    rows = np.zeros((192, LENGTH), "int32")
    for row, text in zip(rows, texts[:192], strict=True):
        words = str(text).split()[:LENGTH]
        row[: len(words)] = [numbers.setdefault(w, len(numbers) % (WORDS - 1) + 1) for w in words]
    return rows, np.asarray(labels[:192]).astype("float32")


def recurrent(keras):
    return keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            keras.layers.Embedding(WORDS, 4, mask_zero=True),
            keras.layers.LSTM(5),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


def both_ways(keras):
    layers = keras.layers
    inputs = keras.Input((None,), dtype="int32")
    hidden = layers.Embedding(WORDS, 4, mask_zero=True)(inputs)
    hidden = layers.Bidirectional(layers.GRU(3, return_sequences=True))(hidden)
    hidden = layers.TimeDistributed(layers.Dense(4, activation="tanh"))(hidden)
    hidden = layers.SimpleRNN(4)(layers.concatenate([hidden, layers.Dropout(0.0)(hidden)]))
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(hidden))


def attending(keras):
    layers = keras.layers
    inputs = keras.Input((LENGTH,), dtype="int32")
    words = layers.Embedding(WORDS, 8, mask_zero=True)(inputs)
    attended = layers.MultiHeadAttention(num_heads=2, key_dim=4)(words, words)
    hidden = layers.LayerNormalization()(layers.add([words, attended]))
    hidden = layers.GlobalAveragePooling1D()(hidden)
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(hidden))


def windows(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            layers.Embedding(WORDS, 4),
            layers.Conv1D(6, 3, activation="relu", padding="causal"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def binary(keras, model):
    model.compile(keras.optimizers.SGD(0.5), "binary_crossentropy", metrics=["accuracy"])


SLOW = [pytest.param(build, marks=pytest.mark.slow) for build in (attending, windows)]


@pytest.mark.parametrize("build", [recurrent, both_ways, *SLOW])
def test_reviews(judge, reviews, build):
    x, y = reviews
    judge.compare(build, binary, x, y[:, None])


def tagger(keras):
    """One output per step; masked steps count neither in the loss nor in weighted metrics."""
    inputs = keras.Input((LENGTH,), dtype="int32")
    hidden = keras.layers.Embedding(WORDS, 4, mask_zero=True)(inputs)
    hidden = keras.layers.LSTM(4, return_sequences=True)(hidden)
    return keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(hidden))


def tagging(keras, model):
    model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy")


@pytest.mark.parametrize("weighted", [pytest.param(False, marks=pytest.mark.slow), True])
def test_masked_outputs(judge, reviews, weighted):
    x, _ = reviews
    x = x * (np.arange(LENGTH) < np.arange(len(x))[:, None] % LENGTH + 1)
    weights = np.random.default_rng(0).uniform(0.5, 2.0, (len(x) * 3 // 4, LENGTH))
    fit = {"sample_weight": weights.astype("float32")} if weighted else {}
    ours, theirs = judge.compare(tagger, tagging, x, x % 3, **fit)
    # Keras on JAX loses the mask of the outputs of a training step, so its training logs differ.
    found = []
    for model in (ours, theirs):
        model.compile(
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
            weighted_metrics=["accuracy"],
        )
        found.append(model.evaluate(x, x % 3, verbose=0, return_dict=True))
    judge.same_logs(*found)
    guesses = ours.predict(x, verbose=0).argmax(axis=-1)
    expected = (guesses == x % 3)[x != 0].mean()
    np.testing.assert_allclose(found[0]["accuracy"], expected, rtol=1e-5)


def test_a_lost_mask_warns_in_both_libraries(reviews):
    for library in (fjax, keras):
        model = library.Sequential(
            [
                library.Input((LENGTH,), dtype="int32"),
                library.layers.Embedding(WORDS, 4, mask_zero=True),
            ]
        )
        with pytest.warns(UserWarning, match="mask"):
            model.add(library.layers.Flatten())
            model.predict(reviews[0][:2], verbose=0)
