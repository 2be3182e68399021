"""`Settings`: everything that a user of the playground chooses, checked."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

from fjax.errors import is_integer, is_number
from fjax.playground.features import FEATURES
from fjax.playground.messages import PlaygroundError
from fjax.playground.points import DATA_SETS

# The data set that the user draws or pastes.
OWN = "own"

# What fits on the page.
MOST_LAYERS, MOST_UNITS, MOST_POINTS, MOST_CLASSES = 8, 16, 2000, 6

CHOICES: Mapping[str, tuple[str, ...]] = {
    "data": (*DATA_SETS, OWN),
    "task": ("classification", "regression"),
    "activation": ("tanh", "relu", "sigmoid", "gelu", "linear"),
    "optimizer": ("sgd", "momentum", "rmsprop", "adam"),
    "regularization": ("none", "l1", "l2"),
}

RANGES: Mapping[str, tuple[float, float]] = {
    "noise": (0.0, 0.5),
    "test_share": (0.1, 0.9),
    "learning_rate": (0.0, 10.0),
    "regularization_rate": (0.0, 10.0),
    "batch_size": (1, MOST_POINTS),
    "data_seed": (0, 2**31 - 1),
    "seed": (0, 2**31 - 1),
}

# A point of the user: two coordinates, and a class or a value.
Point = tuple[float, float, float]


@dataclasses.dataclass(frozen=True)
class Settings:
    """Everything that a user of the playground chooses.

    Args:
        data: The name of a data set (see `load_data`), or "own" for `points`.
        task: "classification" or "regression".
        noise: See `load_data`.
        test_share: See `load_data`.
        data_seed: The seed of the points.
        features: See `make_features`.
        hidden: The number of units of each hidden layer.
        activation: The activation of the hidden layers.
        optimizer: "sgd", "momentum" (SGD with momentum 0.9), "rmsprop" or "adam".
        learning_rate: The learning rate.
        regularization: "none", "l1" or "l2", of all kernels.
        regularization_rate: Its factor.
        batch_size: Points in a batch.
        seed: The seed of the weights and of the order of the batches.
        points: The points for "own", as `(x1, x2, y)`, with classes 0, 1, … or values.

    Raises:
        ValueError: An argument is out of its range; it is a `PlaygroundError`.

    >>> Settings(data="xor", hidden=(4, 2)).hidden
    (4, 2)
    >>> Settings(learning_rate=20)
    Traceback (most recent call last):
        ...
    fjax.playground.messages.PlaygroundError: learning_rate must be from 0 to 10, received 20.
    """

    data: str = "circle"
    task: str = "classification"
    noise: float = 0.0
    test_share: float = 0.5
    data_seed: int = 0
    features: Sequence[str] = ("x1", "x2")
    hidden: Sequence[int] = (8,)
    activation: str = "tanh"
    optimizer: str = "adam"
    learning_rate: float = 0.03
    regularization: str = "none"
    regularization_rate: float = 0.0
    batch_size: int = 10
    seed: int = 0
    points: Sequence[Point] = ()

    def __post_init__(self) -> None:
        for name, known in CHOICES.items():
            _check_choice(name, getattr(self, name), known)
        for name, (low, high) in RANGES.items():
            _check_range(name, getattr(self, name), low, high)
        for name in ("features", "hidden", "points"):
            value = getattr(self, name)
            if not isinstance(value, list | tuple):
                raise PlaygroundError("list", name=name, received=value)
            object.__setattr__(self, name, tuple(value))
        if not self.features:
            raise PlaygroundError("no_feature")
        for feature in self.features:
            _check_choice("features", feature, tuple(FEATURES))
        # In their fixed order, and each once, so that equal choices are equal networks.
        chosen = tuple(name for name in FEATURES if name in self.features)
        object.__setattr__(self, "features", chosen)
        self._check_hidden()
        if self.data == OWN:
            self._check_points()
        else:
            object.__setattr__(self, "points", ())
            if DATA_SETS[self.data].task != self.task:
                raise PlaygroundError("task", data=self.data, task=self.task)

    @classmethod
    def from_json(cls, values: Any) -> Self:
        """Return the settings that the page sent; missing ones have their defaults.

        Raises:
            ValueError: A name is unknown, or a value is out of its range.
        """
        if not isinstance(values, Mapping):
            raise PlaygroundError("settings", received=type(values).__name__)
        known = {field.name for field in dataclasses.fields(cls)}
        for name in values:
            if name not in known:
                raise PlaygroundError("setting", received=str(name)[:50])
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as plain data, which `from_json` accepts.

        >>> Settings.from_json(Settings(seed=3).to_json()) == Settings(seed=3)
        True
        """
        return dataclasses.asdict(self)

    def _check_hidden(self) -> None:
        if len(self.hidden) > MOST_LAYERS:
            raise PlaygroundError("layers", most=MOST_LAYERS, received=len(self.hidden))
        for units in self.hidden:
            if not is_integer(units) or not 1 <= units <= MOST_UNITS:
                raise PlaygroundError("units", most=MOST_UNITS, received=units)

    def _check_points(self) -> None:
        if len(self.points) > MOST_POINTS:
            raise PlaygroundError("too_many_points", most=MOST_POINTS, received=len(self.points))
        for point in self.points:
            if not isinstance(point, list | tuple) or len(point) != 3:
                raise PlaygroundError("point", received=point)
            if not all(is_number(value) and abs(value) <= 100 for value in point):
                raise PlaygroundError("point", received=list(point))
        if len(self.points) < 4:
            raise PlaygroundError("few_points", received=len(self.points))
        object.__setattr__(self, "points", tuple(tuple(map(float, point)) for point in self.points))
        if self.task == "classification":
            labels = {point[2] for point in self.points}
            if not labels <= set(range(MOST_CLASSES)):
                raise PlaygroundError("classes", most=MOST_CLASSES)
            if len(labels) == 1:
                raise PlaygroundError("one_class")


def _check_choice(name: str, value: Any, known: Sequence[str]) -> None:
    if value not in known:
        raise PlaygroundError("choice", name=name, received=value, known=", ".join(known))


def _check_range(name: str, value: Any, low: float, high: float) -> None:
    whole = isinstance(low, int)
    if not (is_integer(value) if whole else is_number(value)) or not low <= value <= high:
        shown = value if isinstance(value, str) or not is_number(value) else f"{value:g}"
        if isinstance(value, float) and not math.isfinite(value):
            shown = "NaN"
        code = "whole" if whole else "range"
        raise PlaygroundError(code, name=name, low=f"{low:g}", high=f"{high:g}", received=shown)
