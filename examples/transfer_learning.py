"""The book's transfer learning on Fashion-MNIST: from eight classes to sandals and shirts.

Model A learns eight classes from many images. Model B distinguishes shirts from sandals, with 200
images: it reuses A's hidden layers, trains its own output layer while those are frozen, and then
trains all layers at a small rate.

The example needs `fashion_mnist.npz` in the folder that FJAX_DATA names; otherwise it downloads the
data.
"""

import argparse

import numpy as np

import fjax as keras

SANDAL, SHIRT = 5, 6


def main(epochs: int = 8, rows: int = 12_000) -> float:
    """Train A, B from A, and B's network from random weights; return B's test accuracy."""
    keras.utils.set_random_seed(42)
    (x_full, y_full), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
    (x_a, y_a), (x_b, y_b) = tasks(x_full[:rows], y_full[:rows])
    (x_test_a, y_test_a), (x_test_b, y_test_b) = tasks(x_test, y_test)
    x_b, y_b = x_b[:200], y_b[:200]

    model_a = keras.models.Sequential([keras.layers.Input([28, 28]), keras.layers.Flatten()])
    for units in (300, 100, 50, 50):
        model_a.add(keras.layers.Dense(units, activation="relu"))
    model_a.add(keras.layers.Dense(8, activation="softmax"))
    model_a.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model_a.fit(x_a, y_a, epochs=epochs, batch_size=64, validation_split=0.1, verbose=2)
    print(f"model A, eight classes: {model_a.evaluate(x_test_a, y_test_a, verbose=0)[1]:.4f}")

    # Training B also changes A, whose hidden layers it shares: save A's weights.
    weights_a = model_a.get_weights()
    model_b = keras.models.Sequential(model_a.layers[:-1])
    model_b.add(keras.layers.Dense(1, activation="sigmoid"))
    for layer in model_b.layers[:-1]:
        layer.trainable = False
    compile_b(model_b, learning_rate=1e-2)
    model_b.fit(x_b, y_b, epochs=2 * epochs, verbose=0)
    print(
        f"model B, hidden layers frozen: {model_b.evaluate(x_test_b, y_test_b, verbose=0)[1]:.4f}"
    )

    for layer in model_b.layers[:-1]:
        layer.trainable = True
    # `compile` makes the change take effect; a small rate preserves what A has learned.
    compile_b(model_b, learning_rate=1e-3)
    model_b.fit(x_b, y_b, epochs=2 * epochs, verbose=0)
    accuracy = model_b.evaluate(x_test_b, y_test_b, verbose=0)[1]
    model_a.set_weights(weights_a)

    new_model = keras.models.Sequential([keras.layers.Input([28, 28]), keras.layers.Flatten()])
    for units in (300, 100, 50, 50):
        new_model.add(keras.layers.Dense(units, activation="relu"))
    new_model.add(keras.layers.Dense(1, activation="sigmoid"))
    compile_b(new_model, learning_rate=1e-2)
    new_model.fit(x_b, y_b, epochs=4 * epochs, verbose=0)
    print(f"from random weights: {new_model.evaluate(x_test_b, y_test_b, verbose=0)[1]:.4f}")
    print(f"model B, all layers trained: test accuracy {accuracy:.4f}")
    return float(accuracy)


def tasks(x: np.ndarray, y: np.ndarray) -> tuple:
    """Return the images and labels of A, and those of B: 1 for a shirt, 0 for a sandal."""
    x = x / np.float32(255)
    in_b = np.isin(y, [SANDAL, SHIRT])
    labels_a = y[~in_b].astype("int32")
    labels_a[labels_a > SHIRT] -= 2
    return (x[~in_b], labels_a), (x[in_b], (y[in_b] == SHIRT).astype("float32"))


def compile_b(model: keras.Model, learning_rate: float) -> None:
    """Compile a model that distinguishes shirts from sandals."""
    optimizer = keras.optimizers.SGD(learning_rate=learning_rate)
    model.compile(loss="binary_crossentropy", optimizer=optimizer, metrics=["accuracy"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--rows", type=int, default=12_000)
    main(**vars(parser.parse_args()))
