"""A siamese network: do two pictures show the same digit?

One tower turns either picture into a vector. Training with the contrastive loss brings the vectors
of equal digits together and pushes others apart, so that the tower also groups digits by itself.

Needs `mnist.npz` in the folder that FJAX_DATA names, or downloads the data.
"""

import argparse

import jax.numpy as jnp
import numpy as np

import fjax as keras

MARGIN = 1.0


def contrastive_loss(y_true: jnp.ndarray, distance: jnp.ndarray) -> jnp.ndarray:
    """Return one value a pair: equal digits (1) should be near, others (0) beyond the margin."""
    near = y_true * distance**2
    far = (1.0 - y_true) * jnp.maximum(MARGIN - distance, 0.0) ** 2
    return jnp.mean(near + far, axis=-1)


def distance_accuracy(y_true: jnp.ndarray, distance: jnp.ndarray) -> jnp.ndarray:
    """Return for each pair whether half the margin tells it right."""
    return jnp.mean((distance < MARGIN / 2) == (y_true > 0.5), axis=-1)


def tower() -> keras.Sequential:
    """Return what both pictures go through."""
    return keras.Sequential(
        [
            keras.layers.Input((28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(16),
        ],
        name="tower",
    )


def siamese(shared: keras.Sequential) -> keras.Model:
    """Call the tower twice; its weights are one and the same."""
    left = keras.layers.Input((28, 28), name="left")
    right = keras.layers.Input((28, 28), name="right")
    squares = (shared(left) - shared(right)) ** 2
    # A sum of sixteen squares, and its root: a layer may be any function of arrays.
    distance = keras.core.as_layer(distance_of)(squares)
    return keras.Model([left, right], distance)


def distance_of(squares: jnp.ndarray) -> jnp.ndarray:
    """Return the root of the sum; a tiny number keeps its slope finite at zero."""
    return jnp.sqrt(jnp.sum(squares, axis=-1, keepdims=True) + 1e-7)


def pairs(x: np.ndarray, y: np.ndarray, random: np.random.Generator) -> tuple:
    """Return for every picture one of the same digit, or in half the cases any other."""
    other = random.integers(0, len(y), len(y))
    for digit in range(10):
        places = np.flatnonzero(y == digit)
        same = places[random.random(len(places)) < 0.5]
        other[same] = random.choice(places, len(same))
    return (x, x[other]), (y == y[other]).astype("float32")


def main(epochs: int = 8, rows: int = 20_000) -> float:
    """Train on pairs of the first rows; return the accuracy on pairs of the test pictures."""
    keras.utils.set_random_seed(42)
    (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    random = np.random.default_rng(42)
    train = pairs(x_train[:rows] / np.float32(255), y_train[:rows], random)
    test = pairs(x_test / np.float32(255), y_test, random)

    shared = tower()
    model = siamese(shared)
    model.compile("adam", contrastive_loss, metrics=[distance_accuracy])
    model.fit(*train, batch_size=64, epochs=epochs, validation_split=0.1, verbose=2)
    _, accuracy = model.evaluate(*test, batch_size=256, verbose=0)
    print(f"test accuracy on pairs: {accuracy:.4f}")

    # The tower was trained with the pairs, and knows digits: the nearest picture's is the guess.
    known, asked = x_train[:rows] / np.float32(255), x_test[:1000] / np.float32(255)
    vectors = shared.predict(known, batch_size=256, verbose=0)
    for_test = shared.predict(asked, batch_size=256, verbose=0)
    squares = (for_test**2).sum(1)[:, None] - 2 * for_test @ vectors.T + (vectors**2).sum(1)
    guesses = y_train[:rows][squares.argmin(axis=1)]
    print(f"digits by the nearest vector: {np.mean(guesses == y_test[:1000]):.4f} right")
    return float(accuracy)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--rows", type=int, default=20_000)
    main(**vars(parser.parse_args()))
