"""The same random search over depth, width and learning rate, by four libraries."""

import importlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import loguniform
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import RandomizedSearchCV
from sklearn.neural_network import MLPRegressor

from benchmarks.search.sizes import BATCH_SIZE, FEATURES, Sizes, Timed

DISTRIBUTIONS = {
    "n_hidden": [0, 1, 2, 3],
    "n_neurons": list(range(1, 101)),
    "learning_rate": loguniform(3e-4, 3e-2),
}
SEED = 42


def in_one_program(x: np.ndarray, y: np.ndarray, sizes: Sizes) -> Timed:
    """Search with `fjax.search`."""
    kind = importlib.import_module("fjax.search").RandomizedSearchCV
    return _search(kind, _of_fjax(sizes), x, y, sizes)


def fit_by_fit(x: np.ndarray, y: np.ndarray, sizes: Sizes) -> Timed:
    """Search with scikit-learn over an estimator of fjax."""
    return _search(RandomizedSearchCV, _of_fjax(sizes), x, y, sizes)


def of_keras(x: np.ndarray, y: np.ndarray, sizes: Sizes) -> Timed:
    """Search with scikit-learn over Keras."""
    library = importlib.import_module("keras")
    wrappers = importlib.import_module("scikeras.wrappers")
    estimator = wrappers.KerasRegressor(
        builder(library), n_hidden=1, n_neurons=30, learning_rate=3e-3, epochs=sizes.epochs,
        batch_size=BATCH_SIZE, random_state=SEED, verbose=0,
    )  # fmt: skip
    _start_device()
    return _search(RandomizedSearchCV, estimator, x, y, sizes)


def of_scikit_learn(x: np.ndarray, y: np.ndarray, sizes: Sizes) -> Timed:
    """Search with scikit-learn over its `MLPRegressor`."""
    return _search(RandomizedSearchCV, Perceptron(epochs=sizes.epochs), x, y, sizes)


class Perceptron(RegressorMixin, BaseEstimator):
    """An `MLPRegressor` with the parameters of the search, trained like the other networks."""

    def __init__(
        self, n_hidden: int = 1, n_neurons: int = 30, learning_rate: float = 3e-3, epochs: int = 10
    ) -> None:
        self.n_hidden = n_hidden
        self.n_neurons = n_neurons
        self.learning_rate = learning_rate
        self.epochs = epochs

    def fit(self, x: np.ndarray, y: np.ndarray) -> "Perceptron":
        """Train."""
        network = MLPRegressor(
            hidden_layer_sizes=[self.n_neurons] * self.n_hidden, solver="sgd", momentum=0.0,
            alpha=0.0, batch_size=BATCH_SIZE, learning_rate_init=self.learning_rate,
            max_iter=self.epochs, tol=0.0, n_iter_no_change=self.epochs + 1, random_state=SEED,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.network_ = network.fit(x, y)
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the predictions."""
        return self.network_.predict(x)


def builder(library: Any) -> Callable[..., Any]:
    """Return a function that builds a model by Keras's names, of Keras or of fjax."""

    def build_model(n_hidden: int = 1, n_neurons: int = 30, learning_rate: float = 3e-3) -> Any:
        layers = library.layers
        hidden = [layers.Dense(n_neurons, activation="relu") for _ in range(n_hidden)]
        model = library.Sequential([layers.Input((FEATURES,)), *hidden, layers.Dense(1)])
        model.compile(loss="mse", optimizer=library.optimizers.SGD(learning_rate))
        return model

    return build_model


def _of_fjax(sizes: Sizes) -> Any:
    library = importlib.import_module("fjax")
    _start_device()
    return library.wrappers.SKLearnRegressor(
        builder(library), epochs=sizes.epochs, batch_size=BATCH_SIZE, random_state=SEED
    )


def _start_device() -> None:
    """Start the device, whose time does not count."""
    importlib.import_module("jax").numpy.zeros(1).block_until_ready()


def _search(kind: Any, estimator: Any, x: np.ndarray, y: np.ndarray, sizes: Sizes) -> Timed:
    def timed() -> float:
        search = kind(
            estimator, DISTRIBUTIONS, n_iter=sizes.candidates, cv=sizes.folds, random_state=SEED
        )
        return float(search.fit(x, y).best_score_)

    return timed
