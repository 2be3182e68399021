"""Keras's first example of a convolutional network, on MNIST: over 99 % test accuracy.

The example needs `mnist.npz` in the folder that FJAX_DATA names; otherwise it downloads the data.
"""

import argparse
import time

import fjax as keras
from fjax import layers


def main(epochs: int = 12, rows: int = 60_000) -> float:
    """Train with a tenth of the rows for validation; return the test accuracy."""
    keras.utils.set_random_seed(42)
    (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    x_train, y_train = x_train[:rows, :, :, None] / 255.0, y_train[:rows]
    x_test = x_test[:, :, :, None] / 255.0

    model = keras.Sequential(
        [
            keras.Input(shape=(28, 28, 1)),
            layers.Conv2D(32, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Conv2D(64, kernel_size=(3, 3), activation="relu"),
            layers.MaxPooling2D(pool_size=(2, 2)),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.summary()
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    start = time.perf_counter()
    model.fit(x_train, y_train, batch_size=128, epochs=epochs, validation_split=0.1)
    print(f"trained in {time.perf_counter() - start:.1f} s")
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"test loss: {loss:.4f}, test accuracy: {accuracy:.4f}")
    return accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--rows", type=int, default=60_000)
    main(**vars(parser.parse_args()))
