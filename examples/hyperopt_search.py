"""A search by Hyperopt: the objective is a function of a dict that returns the validation loss.

Hyperopt's tree of Parzen estimators proposes sizes and learning rates. Prints the best of them, and
the test accuracy of a model with them. Needs `pip install hyperopt`.
"""

import argparse

import hyperopt
import numpy as np

import fjax

SPACE = {
    "units": hyperopt.hp.choice("units", [16, 32, 64]),
    "learning_rate": hyperopt.hp.loguniform("learning_rate", np.log(1e-4), np.log(0.3)),
}


def make_model(units: int, learning_rate: float) -> fjax.Sequential:
    """Return a compiled classifier of the digits."""
    model = fjax.Sequential([
        fjax.Input((8, 8)),
        fjax.layers.Flatten(),
        fjax.layers.Rescaling(1 / 16),
        fjax.layers.Dense(units, activation="relu"),
        fjax.layers.Dense(10, activation="softmax"),
    ], seed=0)  # fmt: skip
    adam = fjax.optimizers.Adam(learning_rate)
    model.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main(trials: int = 20, epochs: int = 10) -> tuple[hyperopt.Trials, float]:
    """Search, then train with the best parameters; return the trials and the test accuracy."""
    (x_train, y_train), (x_test, y_test) = fjax.datasets.digits.load_data()

    def objective(parameters):
        model = make_model(**parameters)
        history = model.fit(x_train, y_train, epochs=epochs, validation_split=0.2, verbose=0)
        return {"loss": history.history["val_loss"][-1], "status": hyperopt.STATUS_OK}

    found = hyperopt.Trials()
    best = hyperopt.fmin(
        objective, SPACE, hyperopt.tpe.suggest, max_evals=trials, trials=found,
        rstate=np.random.default_rng(0), show_progressbar=False, verbose=False,
    )  # fmt: skip
    parameters = hyperopt.space_eval(SPACE, best)
    print(f"best: validation loss {min(found.losses()):.3f} with {parameters}")

    model = make_model(**parameters)
    model.fit(x_train, y_train, epochs=epochs, verbose=0)
    accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
    print(f"test accuracy: {accuracy:.3f}")
    return found, accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=10)
    main(**vars(parser.parse_args()))
