"""Regression on California housing, with a `Normalization` layer and a learning rate schedule.

The example needs `california_housing.npz` in the folder that FJAX_DATA names.
"""

import argparse

import numpy as np

import fjax as keras


def main(epochs: int = 20) -> float:
    """Train a small network on the districts without missing values; return the test R2 score."""
    keras.utils.set_random_seed(42)
    (x_train, y_train), (x_test, y_test) = keras.datasets.california_housing.load_data()
    x_train, y_train = drop_missing(x_train, y_train)
    x_test, y_test = drop_missing(x_test, y_test)

    normalization = keras.layers.Normalization(input_shape=x_train.shape[1:])
    normalization.adapt(x_train)
    model = keras.models.Sequential([
        normalization,
        keras.layers.Dense(30, activation="relu"),
        keras.layers.Dense(30, activation="relu"),
        keras.layers.Dense(1),
    ])  # fmt: skip
    steps = epochs * len(x_train) // 32
    schedule = keras.optimizers.schedules.CosineDecay(1e-2, decay_steps=steps)
    model.compile(
        loss="mse",
        optimizer=keras.optimizers.Adam(schedule),
        metrics=[keras.metrics.RootMeanSquaredError(name="rmse"), keras.metrics.R2Score()],
    )
    deviation = y_train.std()
    model.fit(x_train, y_train / deviation, epochs=epochs, validation_split=0.1)
    logs = model.evaluate(x_test, y_test / deviation, return_dict=True, verbose=0)
    print(f"test rmse: {logs['rmse'] * deviation:.4g}, test r2: {logs['r2_score']:.4f}")
    return float(logs["r2_score"])


def drop_missing(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave out districts with missing values."""
    complete = np.isfinite(x).all(axis=1)
    return x[complete], y[complete]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    main(**vars(parser.parse_args()))
