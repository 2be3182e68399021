"""A random search over depth, width and learning rate on California housing.

Candidates that differ in width and learning rate are one program, with all their folds; each depth
is another program. Prints the best parameters and their test score, and draws all scores.
"""

import argparse

import numpy as np
from scipy.stats import loguniform

import fjax as keras
from fjax.search import RandomizedSearchCV
from fjax.visualization import plot_search


def build_model(
    n_hidden: int = 1, n_neurons: int = 30, learning_rate: float = 3e-3
) -> keras.Sequential:
    """Return a compiled regression model for eight columns."""
    model = keras.models.Sequential([keras.Input(shape=(8,))])
    for _ in range(n_hidden):
        model.add(keras.layers.Dense(n_neurons, activation="relu"))
    model.add(keras.layers.Dense(1))
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(learning_rate))
    return model


def main(
    candidates: int = 10, folds: int = 3, epochs: int = 10, rows: int = 11_610,
    picture: str = "random_search.png",
) -> RandomizedSearchCV:  # fmt: skip
    """Search on some of the rows; return the search."""
    (x_train, y_train), (x_test, y_test) = keras.datasets.california_housing.load_data()
    x_train, y_train = without_missing_values(x_train, y_train)
    x_test, y_test = without_missing_values(x_test, y_test)
    mean, spread = x_train.mean(axis=0), x_train.std(axis=0)
    # Some districts are a hundred standard deviations off, and would make the training diverge.
    x_train, x_test = (np.clip((x - mean) / spread, -5, 5) for x in (x_train, x_test))
    y_train, y_test = y_train / 100_000, y_test / 100_000

    distributions = {
        "n_hidden": [0, 1, 2, 3],
        "n_neurons": range(1, 101),
        "learning_rate": loguniform(3e-4, 3e-2),
    }
    regressor = keras.wrappers.SKLearnRegressor(build_model, epochs=epochs, random_state=42)
    search = RandomizedSearchCV(
        regressor, distributions, n_iter=candidates, cv=folds, random_state=42, verbose=1
    )
    search.fit(x_train[:rows], y_train[:rows])
    seconds, programs = search.search_time_, search.n_architectures_
    print(f"{candidates} candidates in {folds} folds: {seconds:.1f} s, {programs} architectures")
    best = ", ".join(f"{name} {value:.4g}" for name, value in search.best_params_.items())
    print(f"best: {best}, mean r2 of the folds {search.best_score_:.3f}")
    print(f"test r2: {search.score(x_test, y_test):.3f}")
    plot_search(search.cv_results_, to_file=picture)
    return search


def without_missing_values(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the districts without missing numbers."""
    is_complete = np.isfinite(x).all(axis=1)
    return x[is_complete], y[is_complete]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=10)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rows", type=int, default=11_610)
    parser.add_argument("--picture", default="random_search.png")
    main(**vars(parser.parse_args()))
