"""Losses that count tokens, of a small transformer as in keras.io's `ner_transformers`.

Such a loss divides by the tokens of a batch. So the mean over the batches of an epoch depends on
which rows share a batch, and differs by some tenths of a percent between two orders: with shuffling
Keras differs as much from itself. In one order the numbers are Keras's.
"""

import keras
import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)

WORDS, LENGTH, WIDTH, TAGS = 50, 12, 16, 5
random = np.random.default_rng(0)
LENGTHS = random.integers(2, LENGTH + 1, 70)
KEPT = np.arange(LENGTH) < LENGTHS[:, None]
X = random.integers(1, WORDS, KEPT.shape) * KEPT
Y = random.integers(1, TAGS, KEPT.shape) * KEPT


def tagger(library, mask_zero):
    layers = library.layers

    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.attention = layers.MultiHeadAttention(num_heads=2, key_dim=WIDTH)
            self.dense = library.Sequential(
                [layers.Dense(8, activation="relu"), layers.Dense(WIDTH)]
            )
            self.first = layers.LayerNormalization(epsilon=1e-6)
            self.second = layers.LayerNormalization(epsilon=1e-6)
            self.dropout = layers.Dropout(0.0)

        def call(self, inputs, training=False):
            attended = self.dropout(self.attention(inputs, inputs), training=training)
            hidden = self.first(inputs + attended)
            return self.second(hidden + self.dense(hidden))

    class Embedded(layers.Layer):
        def __init__(self):
            super().__init__()
            self.tokens = layers.Embedding(WORDS, WIDTH, mask_zero=mask_zero)
            self.positions = layers.Embedding(LENGTH, WIDTH)

        def call(self, inputs):
            positions = library.ops.arange(0, library.ops.shape(inputs)[-1], 1)
            return self.tokens(inputs) + self.positions(positions)

    class Tagger(library.Model):
        def __init__(self):
            super().__init__()
            self.embedded, self.block = Embedded(), Block()
            self.out = layers.Dense(TAGS, activation="softmax")

        def call(self, inputs, training=False):
            return self.out(self.block(self.embedded(inputs), training=training))

    return Tagger()


def token_loss(library):
    class TokenLoss(library.losses.Loss):
        def __init__(self, name="token_loss"):
            super().__init__(name=name)

        def call(self, y_true, y_pred):
            each = library.losses.SparseCategoricalCrossentropy(reduction=None)(y_true, y_pred)
            mask = library.ops.cast(y_true > 0, "float32")
            return library.ops.sum(each * mask) / library.ops.sum(mask)

    return TokenLoss()


def batches():
    """Yield batches of unequal lengths, the last one smaller."""
    for first in range(0, 70, 20):
        rows = slice(first, first + 20)
        length = LENGTHS[rows].max() - first // 20
        yield X[rows, :length], Y[rows, :length]


def fitted(model):
    return model.fit(X, Y, epochs=2, shuffle=False, validation_split=0.2, verbose=0).history


RUNS = {
    "fit": lambda model: [*fitted(model).values()],
    "evaluate": lambda model: model.evaluate(X, Y, verbose=0),
    "batches of unequal lengths": lambda model: model.fit(
        batches(), steps_per_epoch=4, shuffle=False, verbose=0
    ).history["loss"],
    "single batches": lambda model: [
        model.train_on_batch(X[:9], Y[:9]), model.test_on_batch(X[:5], Y[:5])
    ],
}  # fmt: skip


@pytest.mark.parametrize("run", RUNS)
def test_a_loss_that_counts_tokens_agrees_with_keras(run):
    results, weights = [], None
    for library in (keras, fjax):
        model = tagger(library, mask_zero=run == "fit")
        model.compile(library.optimizers.Adam(), loss=token_loss(library))
        model.predict(X[:2], verbose=0)
        weights = weights or model.get_weights()
        model.set_weights(weights)
        results.append(RUNS[run](model))
    np.testing.assert_allclose(*results, rtol=2e-6)


def test_weights_for_a_loss_of_the_whole_batch_raise():
    # Keras multiplies the one number by the mean of the weights.
    model = tagger(fjax, mask_zero=False)
    model.compile("adam", loss=token_loss(fjax))
    with pytest.raises(ValueError, match="returned one value for the whole batch"):
        model.fit(X, Y, sample_weight=np.ones(70), verbose=0)


@pytest.mark.parametrize(
    ("ignored", "mask_zero"),
    [
        (0, True),
        (2, True),
        *(
            pytest.param(ignored, mask_zero, marks=pytest.mark.thorough)
            for ignored, mask_zero in [(0, False), (2, False), (None, False), (None, True)]
        ),
    ],
)
def test_a_loss_that_ignores_a_class_counts_what_neither_it_nor_the_mask_leaves_out(
    ignored, mask_zero
):
    def tagger_of(library):
        layers = library.layers
        model = library.Sequential(
            [
                layers.Input((LENGTH,), dtype="int32"),
                layers.Embedding(WORDS, 4, mask_zero=mask_zero),
                layers.LSTM(3, return_sequences=True),
                layers.Dense(TAGS, activation="softmax"),
            ]
        )
        loss = library.losses.SparseCategoricalCrossentropy(ignore_class=ignored)
        model.compile(library.optimizers.SGD(0.1), loss)
        return model

    keras.utils.set_random_seed(0)
    ours, theirs = tagger_of(fjax), tagger_of(keras)
    ours.set_weights(theirs.get_weights())
    labels = np.random.default_rng(1).integers(0, TAGS, Y.shape)
    results = []
    for model in (ours, theirs):
        before = model.evaluate(X, labels, verbose=0)
        logs = model.fit(X, labels, shuffle=False, verbose=0).history["loss"]
        results.append([before, logs[0], model.evaluate(X, labels, verbose=0)])
    np.testing.assert_allclose(results[0], results[1], rtol=2e-6)


def test_a_function_that_returns_one_number_is_the_loss_of_masked_outputs_as_it_is():
    def tagger_of(library):
        def loss(y_true, y_pred):
            return library.ops.mean(library.ops.square(y_true - y_pred))

        layers = library.layers
        model = library.Sequential(
            [
                layers.Input((LENGTH,), dtype="int32"),
                layers.Embedding(WORDS, 4, mask_zero=True),
                layers.LSTM(3, return_sequences=True),
            ]
        )
        model.compile(library.optimizers.SGD(0.1), loss)
        return model

    keras.utils.set_random_seed(0)
    ours, theirs = tagger_of(fjax), tagger_of(keras)
    ours.set_weights(theirs.get_weights())
    # Few rows and small batches: a sum of a thousand squares in float32 depends on its order, which
    # is the compiler's, by more than the tolerance.
    tokens = X[:20]
    targets = np.random.default_rng(1).normal(size=(*tokens.shape, 3)).astype("float32")
    results = []
    for model in (ours, theirs):
        before = model.evaluate(tokens, targets, batch_size=6, verbose=0)
        logs = model.fit(tokens, targets, batch_size=6, shuffle=False, verbose=0).history["loss"]
        results.append([before, logs[0], model.evaluate(tokens, targets, batch_size=6, verbose=0)])
    np.testing.assert_allclose(results[0], results[1], rtol=2e-6)
