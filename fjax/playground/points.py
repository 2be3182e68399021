"""The data sets: points in a square whose sides go from -6 to 6, and their classes or values."""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fjax.datasets.split import Samples
from fjax.errors import integer_at_least, number_between
from fjax.playground.messages import PlaygroundError

# Half the side of the square that the page shows.
EXTENT = 6.0

# The points of a generated data set.
COUNT = 400

Generator = np.random.Generator


class DataSet(NamedTuple):
    """How a data set is drawn.

    Attributes:
        draw: `draw(generator, count, noise)` returns points and targets.
        task: "classification" or "regression".
    """

    draw: Callable[[Generator, int, float], Samples]
    task: str


def load_data(
    name: str, *, noise: float = 0.0, test_share: float = 0.5, seed: int = 0
) -> tuple[Samples, Samples]:
    """Return a data set of the playground, split into training and test data.

    Args:
        name: "circle", "xor", "gauss", "spiral", "moons" or "iris" for classification, "plane" or
            "hills" for regression.
        noise: From 0 to 0.5: how far the points are moved at random.
        test_share: The share of the test data, from 0.1 to 0.9.
        seed: The seed of the points and of the split.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: points in float32 of shape `(points, 2)`, between
        about -6 and 6; and their classes in int32, or their values in float32, of shape
        `(points,)`.

    Raises:
        ValueError: The name is unknown, or an argument is out of its range.

    >>> (x_train, y_train), (x_test, y_test) = load_data("spiral", noise=0.1)
    >>> x_train.shape, y_test.shape, sorted({int(label) for label in y_train})
    ((200, 2), (200,), [0, 1])
    """
    if name not in DATA_SETS:
        raise PlaygroundError("choice", name="data", received=name, known=", ".join(DATA_SETS))
    noise = number_between("load_data", "noise", noise, 0.0, 0.5)
    seed = integer_at_least("load_data", "seed", seed, 0)
    generator = np.random.default_rng(seed)
    x, y = DATA_SETS[name].draw(generator, COUNT, noise)
    return split(x, y, test_share, seed)


def split(x: np.ndarray, y: np.ndarray, test_share: float, seed: int) -> tuple[Samples, Samples]:
    """Return points and targets in a random order, divided into training and test data.

    Both parts have at least one point.
    """
    test_share = number_between("load_data", "test_share", test_share, 0.1, 0.9)
    order = np.random.default_rng([seed, 1]).permutation(len(x))
    x, y = x[order].astype(np.float32), y[order]
    count = min(max(round(len(x) * test_share), 1), len(x) - 1)
    return (x[count:], y[count:]), (x[:count], y[:count])


def _classes(points: list[np.ndarray]) -> Samples:
    """Return the points of all classes, and their classes."""
    labels = [np.full(len(part), label, np.int32) for label, part in enumerate(points)]
    return np.concatenate(points), np.concatenate(labels)


def _ring(generator: Generator, count: int, inner: float, outer: float) -> np.ndarray:
    radius = generator.uniform(inner, outer, count)
    angle = generator.uniform(0, 2 * np.pi, count)
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)


def _draw_circle(generator: Generator, count: int, noise: float) -> Samples:
    points = [_ring(generator, count // 2, *radii) for radii in ((3.5, 5.0), (0.0, 2.5))]
    x, y = _classes(points)
    return x + generator.uniform(-5, 5, x.shape) * noise, y


def _draw_xor(generator: Generator, count: int, noise: float) -> Samples:
    x = generator.uniform(-4.7, 4.7, (count, 2))
    # A gap along the axes, so that the classes are apart.
    x += np.where(x > 0, 0.3, -0.3)
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int32)
    return x + generator.uniform(-5, 5, x.shape) * noise, y


def _draw_gauss(generator: Generator, count: int, noise: float) -> Samples:
    width = 0.7 + 2.5 * noise
    return _classes([generator.normal(center, width, (count // 2, 2)) for center in (-2.0, 2.0)])


def _draw_spiral(generator: Generator, count: int, noise: float) -> Samples:
    steps = np.arange(count // 2) / (count // 2)
    points = []
    for turn in (0.0, np.pi):
        angle = 1.75 * 2 * np.pi * steps + turn
        points.append(5 * steps[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1))
    x, y = _classes(points)
    return x + generator.uniform(-1, 1, x.shape) * 2 * noise, y


def _draw_moons(generator: Generator, count: int, noise: float) -> Samples:
    angle = np.linspace(0, np.pi, count // 2)
    upper = np.stack([3.2 * np.cos(angle) - 1.6, 4.2 * np.sin(angle) - 1.2], axis=1)
    x, y = _classes([upper, -upper])
    return x + generator.normal(0, 0.15 + 2 * noise, x.shape), y


def _draw_iris(generator: Generator, count: int, noise: float) -> Samples:
    """Return the petals of Fisher's irises: length and width, scaled to the square."""
    del count
    with (Path(__file__).with_name("iris.csv")).open(encoding="utf-8") as file:
        rows = np.array(list(csv.reader(file))[1:])
    x = scale_to_square(rows[:, :2].astype(np.float64))
    # The lengths are rounded to millimeters: a little noise shows points at the same place.
    x += generator.uniform(-1, 1, x.shape) * (0.08 + 4 * noise)
    return x, np.unique(rows[:, 2], return_inverse=True)[1].astype(np.int32)


def _draw_plane(generator: Generator, count: int, noise: float) -> Samples:
    x = generator.uniform(-6, 6, (count, 2))
    moved = x + generator.uniform(-6, 6, x.shape) * noise
    return x, (moved.sum(axis=1) / 12).astype(np.float32)


# Centers of hills and valleys, and their heights.
_HILLS = ((-4, 2.5, 1), (0, 2.5, -1), (4, 2.5, 1), (-4, -2.5, -1), (0, -2.5, 1), (4, -2.5, -1))


def _draw_hills(generator: Generator, count: int, noise: float) -> Samples:
    x = generator.uniform(-6, 6, (count, 2))
    moved = x + generator.uniform(-6, 6, x.shape) * noise
    y = np.zeros(count)
    for *center, height in _HILLS:
        distance = np.linalg.norm(moved - np.array(center), axis=1)
        y += height * np.maximum(0, 1 - distance / 2.5)
    return x, y.astype(np.float32)


def scale_to_square(x: np.ndarray) -> np.ndarray:
    """Return columns of any unit moved and scaled to lie between -5 and 5.

    >>> scale_to_square(np.array([[0.0, 7.0], [10.0, 7.0]])).tolist()
    [[-5.0, 0.0], [5.0, 0.0]]
    """
    low, high = x.min(axis=0), x.max(axis=0)
    half = np.where(high > low, (high - low) / 2, 1.0)
    return 5 * (x - (low + high) / 2) / half


DATA_SETS: Mapping[str, DataSet] = {
    "circle": DataSet(_draw_circle, "classification"),
    "xor": DataSet(_draw_xor, "classification"),
    "gauss": DataSet(_draw_gauss, "classification"),
    "spiral": DataSet(_draw_spiral, "classification"),
    "moons": DataSet(_draw_moons, "classification"),
    "iris": DataSet(_draw_iris, "classification"),
    "plane": DataSet(_draw_plane, "regression"),
    "hills": DataSet(_draw_hills, "regression"),
}
