"""Three tasks at once on California housing: dicts of inputs, outputs, losses and metrics.

From the place of a district and from its houses, one network predicts the median price, whether the
district is expensive ("dear"), and the third in which its median income is.

The example needs `california_housing.npz` in the folder that FJAX_DATA names.
"""

import argparse

import numpy as np

import fjax as keras

UNIT, DEAR = 100_000.0, 350_000.0


def network() -> keras.Model:
    """Return a network with shared hidden layers and an output for each task."""
    place = keras.layers.Input((2,), name="place")
    houses = keras.layers.Input((5,), name="houses")
    values = keras.layers.concatenate([place, houses])
    for units in (64, 64):
        values = keras.layers.Dense(units, activation="relu")(values)
    return keras.Model(
        inputs={"place": place, "houses": houses},
        outputs={
            "price": keras.layers.Dense(1, name="price")(values),
            "dear": keras.layers.Dense(1, activation="sigmoid", name="dear")(values),
            "income": keras.layers.Dense(3, activation="softmax", name="income")(values),
        },
    )


def main(epochs: int = 12) -> dict[str, float]:
    """Train on all tasks together; return the logs of the test districts."""
    keras.utils.set_random_seed(42)
    (x, y), (x_test, y_test) = keras.datasets.california_housing.load_data()
    (x, y), (x_test, y_test) = drop_missing(x, y), drop_missing(x_test, y_test)
    thirds = np.quantile(x[:, 7], [1 / 3, 2 / 3])
    mean, deviation = x.mean(axis=0), x.std(axis=0)

    def inputs(x: np.ndarray) -> dict[str, np.ndarray]:
        standard = (x - mean) / deviation
        return {"place": standard[:, :2], "houses": standard[:, 2:7]}

    def targets(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
        return {
            "price": y / UNIT,
            "dear": (y > DEAR).astype("float32"),
            "income": np.searchsorted(thirds, x[:, 7]).astype("int32"),
        }

    model = network()
    model.compile(
        optimizer="adam",
        loss={
            "price": "mse",
            "dear": "binary_crossentropy",
            "income": "sparse_categorical_crossentropy",
        },
        loss_weights={"price": 1.0, "dear": 1.0, "income": 0.5},
        metrics={"price": ["mae"], "dear": [keras.metrics.AUC(name="auc")], "income": ["accuracy"]},
    )
    # One district in ten is expensive: these have a larger weight, in the loss of this output only.
    model.fit(
        inputs(x),
        targets(x, y),
        class_weight={"dear": {0: 1.0, 1: 4.0}},
        batch_size=64,
        epochs=epochs,
        validation_split=0.1,
        verbose=2,
    )
    logs = model.evaluate(inputs(x_test), targets(x_test, y_test), return_dict=True, verbose=0)
    for name, value in logs.items():
        print(f"test {name}: {value:.4f}")
    predictions = model.predict(inputs(x_test[:3]), verbose=0)
    rows = (predictions[name] for name in ("price", "dear", "income"))
    for price, dear, income in zip(*rows, strict=True):
        third = ("lower", "middle", "upper")[income.argmax()]
        print(f"price {price[0] * UNIT:,.0f}, dear: {dear[0]:.0%}, income in the {third} third")
    return logs


def drop_missing(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave out districts with missing values."""
    complete = np.isfinite(x).all(axis=1)
    return x[complete], y[complete]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=12)
    main(**vars(parser.parse_args()))
