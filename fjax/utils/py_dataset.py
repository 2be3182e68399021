"""`PyDataset`: the base class of data sets that load one batch at a time."""

import itertools
from collections.abc import Iterator
from typing import Any

from fjax.errors import integer_at_least


class PyDataset:
    """Base class of data sets in Python: a subclass returns each batch by its index.

    A subclass defines `__getitem__` and `__len__` (or the property `num_batches`), and calls
    `super().__init__(**kwargs)`. `fit`, `evaluate` and `predict` take it as `x`. Iterating it calls
    `__getitem__` for one batch after the other.

    Args:
        workers: The number of threads or processes that load batches.
        use_multiprocessing: Whether to load batches in processes instead of threads.
        max_queue_size: The number of batches that are loaded before they are used.

    Attributes:
        workers: As the argument.
        use_multiprocessing: As the argument.
        max_queue_size: As the argument.

    Source: Keras's page "PyDataset".

    >>> import numpy as np
    >>> class Squares(PyDataset):
    ...     def __len__(self):
    ...         return 3
    ...
    ...     def __getitem__(self, index):
    ...         x = np.full((2, 1), index, "float32")
    ...         return x, x**2
    >>> [float(y[0, 0]) for x, y in Squares()]
    [0.0, 1.0, 4.0]
    """

    # For a subclass that does not call `super().__init__`.
    workers: int = 1
    use_multiprocessing: bool = False
    max_queue_size: int = 10

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        owner = type(self).__name__
        self.workers = integer_at_least(owner, "workers", workers, 0)
        self.use_multiprocessing = bool(use_multiprocessing)
        self.max_queue_size = integer_at_least(owner, "max_queue_size", max_queue_size, 1)

    def __getitem__(self, index: int) -> Any:
        """Return a batch: `x`, `(x, y)` or `(x, y, sample_weight)`.

        Args:
            index: Its number, from 0.
        """
        raise NotImplementedError(
            f"`{type(self).__name__}` must define `__getitem__(self, index)`, which returns the "
            "batch `(x, y)` with this number."
        )

    def __iter__(self) -> Iterator[Any]:
        count = self.num_batches
        for index in itertools.count() if count is None else range(count):
            yield self[index]

    @property
    def num_batches(self) -> int | None:
        """The number of batches; None if they never end."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(
            f"`{type(self).__name__}` must define `__len__(self)`, which returns the number of "
            "batches, or the property `num_batches`, which may be None."
        )

    def on_epoch_begin(self) -> None:
        """Do something before each epoch, such as shuffling."""

    def on_epoch_end(self) -> None:
        """Do something after each epoch, such as shuffling."""
