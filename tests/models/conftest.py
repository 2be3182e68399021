"""The digits, and small models."""

import numpy as np
import pytest

import fjax
from fjax.layers import Dense, Flatten, Input, Rescaling


@pytest.fixture(scope="session")
def digits():
    (x, y), _ = fjax.datasets.digits.load_data()
    return x[:200], y[:200].astype("int32")


@pytest.fixture
def model():
    """A classifier of digits, compiled; every test that makes one shares its programs."""
    model = fjax.Sequential(
        [Input((8, 8)), Flatten(), Rescaling(1 / 16), Dense(8, "relu"), Dense(10, "softmax")],
        seed=0,
    )
    model.compile(
        fjax.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


@pytest.fixture
def regression():
    """Return x and y of a linear function, and a compiled model."""
    x = np.linspace(-1, 1, 50, dtype="float32")[:, None]
    model = fjax.Sequential([Input((1,)), Dense(1)], seed=0)
    model.compile("sgd", "mse")
    return model, x, 3 * x[:, 0] + 1
