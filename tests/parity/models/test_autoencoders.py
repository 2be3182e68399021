"""Autoencoders, whose encoder and decoder share their weights with the whole model."""

import keras
import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)


def nested(keras):
    """A model of an encoder and a decoder."""
    encoder = keras.models.Sequential(
        [
            keras.layers.Input(shape=[28, 28]),
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(8, activation="tanh"),
        ]
    )
    decoder = keras.models.Sequential(
        [
            keras.layers.Input(shape=[8]),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(28 * 28, activation="sigmoid"),
            keras.layers.Reshape([28, 28]),
        ]
    )
    return keras.models.Sequential([encoder, decoder]), encoder, decoder


def one_graph(keras):
    """One graph, whose first part is the encoder; the decoder is a graph of its last layers."""
    inputs = keras.Input(shape=[28, 28])
    hidden = keras.layers.Dense(32, activation="relu")(keras.layers.Flatten()(inputs))
    codings = keras.layers.Dense(8, activation="tanh", name="codings")(hidden)
    encoder = keras.Model(inputs, codings)
    coded = keras.Input(shape=[8])
    pixels = keras.layers.Dense(28 * 28, activation="sigmoid")(coded)
    decoder = keras.Model(coded, keras.layers.Reshape([28, 28])(pixels))
    autoencoder = keras.Model(inputs, decoder(encoder(inputs)))
    return autoencoder, encoder, decoder


@pytest.mark.parametrize("build", [nested, one_graph])
def test_parts_are_trained_with_the_whole(judge, fashion, build):
    x = fashion[0][:256]
    made = {library: build(library) for library in (fjax, keras)}
    judge.same_weights(made[fjax][0], made[keras][0])
    runs, parts = [], []
    for library in (fjax, keras):
        autoencoder, encoder, decoder = made[library]
        untrained = encoder.predict(x[:64], verbose=0)
        autoencoder.compile(
            loss="binary_crossentropy", optimizer=library.optimizers.SGD(0.5), metrics=["mse"]
        )
        runs.append(judge.run(autoencoder, x, x))
        codes = encoder.predict(x[:64], verbose=0)
        assert np.abs(codes - untrained).max() > 1e-2
        restored = decoder.predict(codes, verbose=0)
        np.testing.assert_allclose(
            restored, autoencoder.predict(x[:64], verbose=0), rtol=1e-5, atol=1e-6
        )
        parts.append([codes, restored, *encoder.get_weights(), *decoder.get_weights()])
    judge.same_runs(*runs)
    judge.same_outputs(*parts, 1e-3, 1e-3)
