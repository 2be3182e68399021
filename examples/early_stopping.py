"""Digits with callbacks that stop early, reduce the learning rate and log to a CSV file."""

import argparse
import csv

import fjax as keras


def main(epochs: int = 200, table: str = "early_stopping.csv") -> float:
    """Train until the validation loss no longer improves; return the test accuracy."""
    keras.utils.set_random_seed(42)
    (x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()

    model = keras.models.Sequential([
        keras.layers.Input((8, 8)),
        keras.layers.Flatten(),
        keras.layers.Rescaling(1 / 16),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(
        x_train,
        y_train,
        epochs=epochs,
        validation_split=0.2,
        verbose=0,
        callbacks=[
            keras.callbacks.TerminateOnNaN(),
            keras.callbacks.ReduceLROnPlateau(factor=0.3, patience=4, verbose=1),
            keras.callbacks.EarlyStopping(patience=10, restore_best_weights=True, verbose=1),
            keras.callbacks.CSVLogger(table),
        ],
    )
    with open(table, newline="") as file:
        last = list(csv.DictReader(file))[-1]
    print(f"{len(history.epoch)} of {epochs} epochs, last learning rate {last['learning_rate']}")
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"test accuracy: {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--table", default="early_stopping.csv")
    main(**vars(parser.parse_args()))
