"""What Keras keeps under `utils`: seeds, labels, rows and sequences made ready, pictures."""

import random
from typing import Any

import numpy as np

from fjax.caching import clear_caches
from fjax.data.reading import forget_streams
from fjax.errors import integer_at_least, seed_of
from fjax.preprocessing.sequence import pad_sequences as pad_sequences
from fjax.visualization import model_to_dot as model_to_dot
from fjax.visualization import plot_model as plot_model


def set_random_seed(seed: int) -> None:
    """Seed Python's `random` and numpy's global generator; models made after it are repeatable.

    A model draws its own seed from Python's `random` when it is made, and everything that it draws
    later comes from that.

    Args:
        seed: From 0 to 2**32 - 1.

    Source: Keras's page "Python & NumPy utilities".

    >>> from fjax.layers import Dense
    >>> from fjax.models import Sequential
    >>> def first_weight():
    ...     set_random_seed(42)
    ...     return Sequential([Dense(1, input_shape=(1,))]).get_weights()[0].item()
    >>> first_weight() == first_weight()
    True
    """
    seed = seed_of("set_random_seed", seed)
    random.seed(seed)
    np.random.seed(seed)


def clear_session(free_memory: bool = True) -> None:
    """Forget the compiled programs, and batches that were read of generators and not used.

    Models made before it compile again when they are next used.

    There is no other session: names, seeds and arrays are no global state here.

    Args:
        free_memory: Accepted for Keras's sake.

    Source: Keras's page "Config and backend utilities".
    """
    clear_caches()
    forget_streams()


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """Return class labels as rows with a one at the label, float32.

    Args:
        x: Whole numbers from 0, of any shape; a last axis of size 1 is dropped.
        num_classes: The width of a row, by default the largest label plus one.

    Raises:
        ValueError: A label is negative, no whole number, or not below `num_classes`.

    Source: Keras's page "Python & NumPy utilities".

    >>> to_categorical([0, 2]).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    labels = np.asarray(x)
    if labels.size == 0 or labels.dtype.kind not in "iubf":
        raise ValueError(f"`to_categorical` needs class labels, received {x!r}.")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    whole = labels.astype(np.int64)
    count = int(whole.max()) + 1
    if num_classes is not None:
        count = integer_at_least("to_categorical", "num_classes", num_classes, 1)
    bad = np.argwhere((whole != labels) | (whole < 0) | (whole >= count))
    if len(bad):
        place = tuple(int(i) for i in bad[0])
        raise ValueError(
            f"`to_categorical`: labels must be whole numbers from 0 to {count - 1}, found "
            f"{labels[place]} at {place}."
        )
    return np.eye(count, dtype=np.float32)[whole]


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """Return an array divided along an axis by its norm; rows of zeros stay zeros.

    Args:
        x: The array.
        axis: The axis along which to measure.
        order: The order of the norm: 2 is Euclidean, 1 the sum of absolute values.

    Source: Keras's page "Python & NumPy utilities".

    >>> normalize([[3.0, 4.0], [0.0, 0.0]]).tolist()
    [[0.6, 0.8], [0.0, 0.0]]
    """
    values = np.asarray(x)
    if values.dtype.kind != "f":
        values = values.astype(np.float64)
    norm = np.linalg.norm(np.atleast_1d(values), order, axis, keepdims=True)
    return values / np.where(norm == 0, 1, norm)
