"""The book's wide and deep network on California housing: two inputs and two outputs.

A wide way takes five features straight to the output, a deep one takes six through two hidden
layers. An auxiliary output makes sure that the deep way learns something by itself.

Needs `california_housing.npz` in the folder that FJAX_DATA names.
"""

import argparse

import numpy as np

import fjax as keras


def network(deep_shape: tuple[int, ...], wide_shape: tuple[int, ...]) -> keras.Model:
    """Return the graph; a name given to an input or output is how data and logs call it."""
    wide = keras.layers.Input(shape=wide_shape, name="wide")
    deep = keras.layers.Input(shape=deep_shape, name="deep")
    hidden = keras.layers.Dense(30, activation="relu")(deep)
    hidden = keras.layers.Dense(30, activation="relu")(hidden)
    both = keras.layers.concatenate([wide, hidden])
    price = keras.layers.Dense(1, name="price")(both)
    aux_price = keras.layers.Dense(1, name="aux_price")(hidden)
    return keras.Model(inputs=[wide, deep], outputs=[price, aux_price])


def main(epochs: int = 20) -> float:
    """Train on the districts without gaps; return the error of the main output, in dollars."""
    keras.utils.set_random_seed(42)
    (x_train, y_train), (x_test, y_test) = keras.datasets.california_housing.load_data()
    x_train, y_train = without_gaps(x_train, y_train)
    x_test, y_test = without_gaps(x_test, y_test)
    mean, deviation, unit = x_train.mean(axis=0), x_train.std(axis=0), 100_000.0

    def ways(x: np.ndarray) -> dict[str, np.ndarray]:
        standard = (x - mean) / deviation
        return {"wide": standard[:, :5], "deep": standard[:, 2:]}

    model = network(deep_shape=(6,), wide_shape=(5,))
    model.summary()
    model.compile(
        loss={"price": "mse", "aux_price": "mse"},
        loss_weights={"price": 0.9, "aux_price": 0.1},
        optimizer=keras.optimizers.SGD(learning_rate=1e-2),
        metrics={"price": [keras.metrics.RootMeanSquaredError(name="rmse")]},
    )
    targets = {"price": y_train / unit, "aux_price": y_train / unit}
    model.fit(ways(x_train), targets, epochs=epochs, validation_split=0.1, verbose=2)

    targets = {"price": y_test / unit, "aux_price": y_test / unit}
    logs = model.evaluate(ways(x_test), targets, return_dict=True, verbose=0)
    price, aux_price = model.predict(ways(x_test[:3]), verbose=0)
    for main_guess, aux_guess, true in zip(price, aux_price, y_test, strict=False):
        guesses = f"{main_guess[0] * unit:,.0f} (auxiliary: {aux_guess[0] * unit:,.0f})"
        print(f"predicted {guesses}, true {true:,.0f}")
    print(f"test loss: {logs['loss']:.4f}, test rmse: {logs['price_rmse'] * unit:,.0f} dollars")
    return float(logs["price_rmse"] * unit)


def without_gaps(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave out the districts of which a number is missing."""
    whole = np.isfinite(x).all(axis=1)
    return x[whole], y[whole]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    main(**vars(parser.parse_args()))
