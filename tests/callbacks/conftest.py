"""A small classifier for the tests of callbacks, which share its compiled programs."""

import numpy as np
import pytest

import fjax
from fjax.layers import Dense, Input

X = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
Y = (X.sum(axis=1) > 0).astype("float32")[:, None]


@pytest.fixture(scope="session")
def data():
    return X, Y


@pytest.fixture
def make_model():
    """Return a function that makes the same compiled model each time, with averaged weights."""

    def make(seed=0, rate=0.1):
        model = fjax.Sequential([Input((4,)), Dense(3, "tanh"), Dense(1, "sigmoid")], seed=seed)
        optimizer = fjax.optimizers.Adam(rate, use_ema=True, ema_momentum=0.8)
        model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
        return model

    return make
