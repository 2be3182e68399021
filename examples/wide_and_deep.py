"""The book's wide and deep network on California housing: two inputs and two outputs.

The wide path connects five features directly to the output; the deep path has six features and two
hidden layers. An auxiliary output makes the deep path learn by itself, too.

The example needs `california_housing.npz` in the folder that FJAX_DATA names.
"""

import argparse

import numpy as np

import fjax as keras


def network(deep_shape: tuple[int, ...], wide_shape: tuple[int, ...]) -> keras.Model:
    """Return the graph; data and logs use the names of its inputs and outputs."""
    wide = keras.layers.Input(shape=wide_shape, name="wide")
    deep = keras.layers.Input(shape=deep_shape, name="deep")
    hidden = keras.layers.Dense(30, activation="relu")(deep)
    hidden = keras.layers.Dense(30, activation="relu")(hidden)
    both = keras.layers.concatenate([wide, hidden])
    price = keras.layers.Dense(1, name="price")(both)
    aux_price = keras.layers.Dense(1, name="aux_price")(hidden)
    return keras.Model(inputs=[wide, deep], outputs=[price, aux_price])


def main(epochs: int = 20) -> float:
    """Train on districts without missing values; return the main output's error in dollars."""
    keras.utils.set_random_seed(42)
    (x_train, y_train), (x_test, y_test) = keras.datasets.california_housing.load_data()
    x_train, y_train = drop_missing(x_train, y_train)
    x_test, y_test = drop_missing(x_test, y_test)
    mean, deviation, unit = x_train.mean(axis=0), x_train.std(axis=0), 100_000.0

    def inputs(x: np.ndarray) -> dict[str, np.ndarray]:
        standardized = (x - mean) / deviation
        return {"wide": standardized[:, :5], "deep": standardized[:, 2:]}

    model = network(deep_shape=(6,), wide_shape=(5,))
    model.summary()
    model.compile(
        loss={"price": "mse", "aux_price": "mse"},
        loss_weights={"price": 0.9, "aux_price": 0.1},
        optimizer=keras.optimizers.SGD(learning_rate=1e-2),
        metrics={"price": [keras.metrics.RootMeanSquaredError(name="rmse")]},
    )
    targets = {"price": y_train / unit, "aux_price": y_train / unit}
    model.fit(inputs(x_train), targets, epochs=epochs, validation_split=0.1, verbose=2)

    targets = {"price": y_test / unit, "aux_price": y_test / unit}
    logs = model.evaluate(inputs(x_test), targets, return_dict=True, verbose=0)
    price, aux_price = model.predict(inputs(x_test[:3]), verbose=0)
    for main_price, auxiliary, true in zip(price, aux_price, y_test, strict=False):
        predicted = f"{main_price[0] * unit:,.0f} (auxiliary: {auxiliary[0] * unit:,.0f})"
        print(f"predicted {predicted}, true {true:,.0f}")
    print(f"test loss: {logs['loss']:.4f}, test rmse: {logs['price_rmse'] * unit:,.0f} dollars")
    return float(logs["price_rmse"] * unit)


def drop_missing(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave out districts with missing values."""
    complete = np.isfinite(x).all(axis=1)
    return x[complete], y[complete]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    main(**vars(parser.parse_args()))
