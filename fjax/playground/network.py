"""The network of some settings: its data, its layers and how it is compiled."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from fjax.datasets.split import Samples
from fjax.layers import Dense, Input
from fjax.models import Sequential
from fjax.optimizers import SGD, Adam, RMSprop
from fjax.playground.features import make_features
from fjax.playground.points import load_data, split
from fjax.playground.settings import OWN, Settings
from fjax.regularizers import L1, L2


class Objective(NamedTuple):
    """What the last layer computes, and what is minimized.

    Attributes:
        units: The units of the last layer.
        activation: Its activation.
        loss: The loss.
        metrics: The metrics.
    """

    units: int
    activation: str | None
    loss: str
    metrics: tuple[str, ...] = ()


OPTIMIZERS: Mapping[str, Callable[[float], Any]] = {
    "sgd": SGD,
    "momentum": lambda rate: SGD(rate, momentum=0.9),
    "rmsprop": RMSprop,
    "adam": Adam,
}

REGULARIZERS: Mapping[str, Callable[[float], Any]] = {"l1": L1, "l2": L2}


def load_points(settings: Settings) -> tuple[Samples, Samples]:
    """Return the points of some settings, split into training and test data."""
    if settings.data != OWN:
        return load_data(
            settings.data,
            noise=settings.noise,
            test_share=settings.test_share,
            seed=settings.data_seed,
        )
    table = np.array(settings.points)
    dtype = np.float32 if settings.task == "regression" else np.int32
    targets = table[:, 2].astype(dtype)
    return split(table[:, :2], targets, settings.test_share, settings.data_seed)


def with_features(settings: Settings, samples: Samples) -> Samples:
    """Return the inputs of the network for some points, and the targets."""
    x, y = samples
    return make_features(x, settings.features), y


def objective(settings: Settings, y: np.ndarray) -> Objective:
    """Return the objective for the targets of all points."""
    if settings.task == "regression":
        return Objective(1, None, "mse")
    classes = int(y.max()) + 1
    if classes == 2:
        return Objective(1, "sigmoid", "binary_crossentropy", ("accuracy",))
    return Objective(classes, "softmax", "sparse_categorical_crossentropy", ("accuracy",))


def build_model(settings: Settings, aim: Objective) -> Sequential:
    """Return the compiled model of some settings.

    >>> build_model(Settings(hidden=(3,)), Objective(1, None, "mse")).count_params()
    13
    """
    make = REGULARIZERS.get(settings.regularization)
    regularizer = None if make is None else make(settings.regularization_rate)
    hidden = [
        Dense(units, activation=settings.activation, kernel_regularizer=regularizer)
        for units in settings.hidden
    ]
    last = Dense(aim.units, activation=aim.activation, kernel_regularizer=regularizer)
    model = Sequential(
        [Input((len(settings.features),)), *hidden, last],
        seed=settings.seed,
    )
    model.compile(
        optimizer=OPTIMIZERS[settings.optimizer](settings.learning_rate),
        loss=aim.loss,
        metrics=list(aim.metrics),
    )
    return model
