"""Dividing samples that come as one table into a training and a test part."""

import numpy as np

from fjax.errors import integer_at_least, number_between

Samples = tuple[np.ndarray, np.ndarray]


def shuffled_split(
    dataset: str, x: np.ndarray, y: np.ndarray, test_split: float, seed: int
) -> tuple[Samples, Samples]:
    """Return `(x_train, y_train), (x_test, y_test)`, drawn without replacement.

    Args:
        dataset: Who asks, for the error.
        x: The samples.
        y: Their targets.
        test_split: The share of samples to test with, from 0 up to, not including, 1.
        seed: What the order follows from.
    """
    number_between(dataset, "test_split", test_split, 0.0, 1.0, open_high=True)
    integer_at_least(dataset, "seed", seed, 0)
    # The older generator, and this rounding, are those of Keras: the same table is cut the same.
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    count = int(len(x) * (1 - test_split))
    train, test = order[:count], order[count:]
    return (x[train], y[train]), (x[test], y[test])
