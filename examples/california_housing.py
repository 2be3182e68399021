"""Regression on California housing, with a `Normalization` layer and a learning-rate schedule."""

import argparse

import numpy as np

import fjax as keras


def main(epochs: int = 20) -> float:
    """Train a small network on the districts without gaps; return the root mean squared error."""
    keras.utils.set_random_seed(42)
    (x_train, y_train), (x_test, y_test) = keras.datasets.california_housing.load_data()
    x_train, y_train = without_gaps(x_train, y_train)
    x_test, y_test = without_gaps(x_test, y_test)

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
    spread = y_train.std()
    model.fit(x_train, y_train / spread, epochs=epochs, validation_split=0.1)
    logs = model.evaluate(x_test, y_test / spread, return_dict=True, verbose=0)
    print(f"test rmse: {logs['rmse'] * spread:.4g}, test r2: {logs['r2_score']:.4f}")
    return float(logs["r2_score"])


def without_gaps(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave out the districts of which a number is missing."""
    whole = np.isfinite(x).all(axis=1)
    return x[whole], y[whole]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    main(**vars(parser.parse_args()))
