"""A siamese network: do two images show the same digit?

One network, the tower, turns each image into a vector. The contrastive loss makes the vectors of
equal digits similar and those of different digits different, so that digits can be classified by
the nearest vector.

The example needs `mnist.npz` in the folder that FJAX_DATA names; otherwise it downloads the data.
"""

import argparse

import jax.numpy as jnp
import numpy as np

import fjax as keras

MARGIN = 1.0


def contrastive_loss(y_true: jnp.ndarray, distance: jnp.ndarray) -> jnp.ndarray:
    """Return one value per pair: equal digits (1) should be near, others (0) beyond the margin."""
    equal = y_true * distance**2
    different = (1.0 - y_true) * jnp.maximum(MARGIN - distance, 0.0) ** 2
    return jnp.mean(equal + different, axis=-1)


def distance_accuracy(y_true: jnp.ndarray, distance: jnp.ndarray) -> jnp.ndarray:
    """Return for each pair whether half the margin separates it correctly."""
    return jnp.mean((distance < MARGIN / 2) == (y_true > 0.5), axis=-1)


def tower() -> keras.Sequential:
    """Return the network that turns an image into a vector."""
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
    """Return a model that calls the tower on two images, with the same weights."""
    left = keras.layers.Input((28, 28), name="left")
    right = keras.layers.Input((28, 28), name="right")
    squares = (shared(left) - shared(right)) ** 2
    # Any function of arrays can be a layer.
    distance = keras.core.as_layer(root_of_sum)(squares)
    return keras.Model([left, right], distance)


def root_of_sum(squares: jnp.ndarray) -> jnp.ndarray:
    """Return the root of the sum; a small constant keeps its gradient finite at zero."""
    return jnp.sqrt(jnp.sum(squares, axis=-1, keepdims=True) + 1e-7)


def pairs(x: np.ndarray, y: np.ndarray, random: np.random.Generator) -> tuple:
    """Return a partner for every image: in half of the cases the same digit, else any image."""
    partners = random.integers(0, len(y), len(y))
    for digit in range(10):
        rows = np.flatnonzero(y == digit)
        same = rows[random.random(len(rows)) < 0.5]
        partners[same] = random.choice(rows, len(same))
    return (x, x[partners]), (y == y[partners]).astype("float32")


def main(epochs: int = 8, rows: int = 20_000) -> float:
    """Train on pairs of the first rows; return the accuracy on pairs of the test images."""
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

    # Classify a test image by the nearest training image: the pairs have trained the tower.
    images, test_images = x_train[:rows] / np.float32(255), x_test[:1000] / np.float32(255)
    vectors = shared.predict(images, batch_size=256, verbose=0)
    test_vectors = shared.predict(test_images, batch_size=256, verbose=0)
    distances = (
        (test_vectors**2).sum(1)[:, None] - 2 * test_vectors @ vectors.T + (vectors**2).sum(1)
    )
    predicted = y_train[:rows][distances.argmin(axis=1)]
    print(f"accuracy of the nearest vector: {np.mean(predicted == y_test[:1000]):.4f}")
    return float(accuracy)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--rows", type=int, default=20_000)
    main(**vars(parser.parse_args()))
