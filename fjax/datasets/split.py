"""Split samples into a training and a test set."""

import numpy as np

from fjax.errors import integer_at_least, number_between

Samples = tuple[np.ndarray, np.ndarray]


def shuffled_split(
    dataset: str, x: np.ndarray, y: np.ndarray, test_split: float, seed: int
) -> tuple[Samples, Samples]:
    """Return `(x_train, y_train), (x_test, y_test)`, shuffled.

    Args:
        dataset: The name of the function that loads the samples, for error messages.
        x: The samples.
        y: Their targets.
        test_split: The fraction of the samples in the test set, in [0, 1).
        seed: The seed of the shuffling.
    """
    number_between(dataset, "test_split", test_split, 0.0, 1.0, open_high=True)
    integer_at_least(dataset, "seed", seed, 0)
    # Keras uses this older generator and this rounding: the split of the same table is the same.
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    count = int(len(x) * (1 - test_split))
    train, test = order[:count], order[count:]
    return (x[train], y[train]), (x[test], y[test])
