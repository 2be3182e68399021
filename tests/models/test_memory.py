"""Memory stays flat over many fits in one process."""

import resource

import numpy as np
import pytest

import fjax
from fjax.layers import Dense, Input


def fit_once():
    x = np.ones((256, 8), "float32")
    model = fjax.Sequential([Input((8,)), Dense(16, "relu"), Dense(1)])
    model.compile("adam", "mse")
    model.fit(x, x[:, 0], epochs=2, verbose=0, validation_split=0.2)
    model.predict(x, verbose=0)


def peak_megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


@pytest.mark.parametrize("fits", [200, pytest.param(5000, marks=pytest.mark.slow)])
def test_many_fits_of_one_small_model(fits):
    for _ in range(20):
        fit_once()
    before = peak_megabytes()
    for _ in range(fits):
        fit_once()
    assert peak_megabytes() - before < 20
