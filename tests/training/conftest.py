"""One small regression problem, shared."""

import jax
import numpy as np
import pytest

from fjax import serial
from fjax.layers import BatchNormalization, Dense, Dropout
from fjax.losses import MeanSquaredError
from fjax.metrics import MeanAbsoluteError
from fjax.optimizers import Adam
from fjax.training import Batch, NamedMetric


class Problem:
    """A network with dropout and state, so that every part of a train state matters."""

    network = serial(Dense(4, "tanh"), BatchNormalization(), Dropout(0.3), Dense(1))
    loss = MeanSquaredError()
    optimizer = Adam(1e-2)
    metrics = (NamedMetric("mae", MeanAbsoluteError()),)
    spec = jax.ShapeDtypeStruct((1, 3), "float32")
    targets = jax.ShapeDtypeStruct((1,), "float32")

    def __init__(self, count: int = 50) -> None:
        random = np.random.default_rng(0)
        x = random.normal(size=(count, 3)).astype("float32")
        self.data = Batch((x,), (x @ np.array([1.0, -2.0, 0.5])).astype("float32"))


@pytest.fixture(scope="session")
def problem() -> Problem:
    return Problem()
