"""Random seeds, and what a session keeps."""

import random

import numpy as np

from fjax.caching import clear_caches
from fjax.data.reading import forget_streams
from fjax.distribution import set_distribution
from fjax.errors import seed_of
from fjax.random.seeds import forget_global_generator


def set_random_seed(seed: int) -> None:
    """Seed Python's `random`, numpy's global generator and that of `fjax.random`.

    A model draws its seed from Python's `random` when it is made. All its later random numbers
    follow from that seed.

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
    forget_global_generator()


def clear_session(free_memory: bool = True) -> None:
    """Discard compiled programs, and batches that were read from generators but not used.

    Existing models compile again at their next use, and `fjax.distribution.set_distribution` is
    reset. There is no other global state: names, seeds and arrays belong to the models.

    Args:
        free_memory: Ignored; accepted for compatibility with Keras.

    Source: Keras's page "Config and backend utilities".
    """
    clear_caches()
    set_distribution(None)
    forget_streams()
