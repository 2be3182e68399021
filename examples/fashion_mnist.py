"""The book's Fashion-MNIST classifier: 784-300-100-10, plain SGD, batches of 32, 30 epochs.

The example needs `fashion_mnist.npz` in the folder that FJAX_DATA names; otherwise it downloads the
data.
"""

import argparse
import time

import fjax as keras


def main(epochs: int = 30, rows: int = 60_000) -> float:
    """Train with the last twelfth of the rows for validation; return the test accuracy."""
    keras.utils.set_random_seed(42)
    (x_full, y_full), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
    x_full, y_full = x_full[:rows] / 255.0, y_full[:rows]
    count = len(x_full) - len(x_full) // 12
    x_train, x_valid = x_full[:count], x_full[count:]
    y_train, y_valid = y_full[:count], y_full[count:]

    model = keras.models.Sequential()
    model.add(keras.layers.Flatten(input_shape=[28, 28]))
    model.add(keras.layers.Dense(300, activation="relu"))
    model.add(keras.layers.Dense(100, activation="relu"))
    model.add(keras.layers.Dense(10, activation="softmax"))
    model.compile(
        loss="sparse_categorical_crossentropy",
        optimizer=keras.optimizers.SGD(learning_rate=0.01),
        metrics=["accuracy"],
    )
    start = time.perf_counter()
    model.fit(x_train, y_train, epochs=epochs, validation_data=(x_valid, y_valid))
    print(f"trained in {time.perf_counter() - start:.1f} s")
    loss, accuracy = model.evaluate(x_test / 255.0, y_test, verbose=0)
    print(f"test loss: {loss:.4f}, test accuracy: {accuracy:.4f}")
    return accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--rows", type=int, default=60_000)
    main(**vars(parser.parse_args()))
