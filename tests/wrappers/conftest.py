"""Small data, and functions that build small models."""

import numpy as np
import pytest

import fjax
from fjax.layers import Dense, Input


def regression(n_hidden=0, n_neurons=4, learning_rate=0.1):
    hidden = [Dense(n_neurons, "relu") for _ in range(n_hidden)]
    model = fjax.Sequential([Input((2,)), *hidden, Dense(1)])
    model.compile(fjax.optimizers.SGD(learning_rate), "mse")
    return model


def softmax(meta, loss="sparse_categorical_crossentropy"):
    units = meta["n_classes_"]
    model = fjax.Sequential([Input((2,)), Dense(units, "softmax")])
    model.compile(fjax.optimizers.Adam(0.1), loss)
    return model


@pytest.fixture
def build():
    return regression


@pytest.fixture
def build_softmax():
    return softmax


@pytest.fixture(scope="session")
def line():
    """Return inputs, and a linear function of them."""
    x = np.random.default_rng(0).normal(size=(40, 2))
    return x, x @ [2.0, -1.0] + 0.5


@pytest.fixture(scope="session")
def groups():
    """Return inputs in three clusters, and the number of each cluster."""
    generator = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 20)
    centers = np.array([[0.0, 3.0], [3.0, 0.0], [-3.0, -3.0]])
    return centers[y] + generator.normal(size=(60, 2)) / 4, y
