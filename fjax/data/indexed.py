"""Batches by index, as of a `PyDataset`: read by workers, in order or shuffled."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

# The dataset of a worker process, which receives it once.
_DATASET: list[Any] = []


def is_indexed(batches: Any) -> bool:
    """Return whether an object yields its batches by index alone, as a `PyDataset` does.

    >>> is_indexed([1, 2]), is_indexed(iter([1, 2]))
    (False, False)
    """
    has_index = hasattr(batches, "__getitem__") and hasattr(batches, "__len__")
    return has_index and (not hasattr(batches, "__iter__") or hasattr(batches, "on_epoch_end"))


def iterate_indexed(dataset: Any, order: np.ndarray | None = None) -> Iterator[Any]:
    """Yield the batches of one pass in order.

    As in Keras, `workers` and `use_multiprocessing` of the dataset say whether threads or processes
    read, and `max_queue_size` how many batches they read ahead. Processes start anew (`spawn`), so
    the dataset must be picklable.

    Args:
        dataset: An object with `__getitem__` and `__len__`.
        order: The order of the batches; None keeps it.

    >>> class Squares:
    ...     workers = 2
    ...     def __len__(self): return 4
    ...     def __getitem__(self, index): return index**2
    >>> list(iterate_indexed(Squares())), list(iterate_indexed(Squares(), np.array([3, 0])))
    ([0, 1, 4, 9], [9, 0])
    """
    indices = range(len(dataset)) if order is None else order.tolist()
    workers = int(getattr(dataset, "workers", 1) or 1)
    use_processes = bool(getattr(dataset, "use_multiprocessing", False))
    if workers == 1 and not use_processes:
        for index in indices:
            yield dataset[index]
    else:
        ahead = max(workers, int(getattr(dataset, "max_queue_size", 10)))
        executor, read = _executor(dataset, workers, use_processes)
        yield from _in_order(executor, read, indices, ahead)


def _executor(
    dataset: Any, workers: int, use_processes: bool
) -> "tuple[Executor, Callable[[int], Any]]":
    """Return the workers, and the function by which they read a batch."""
    from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
    from multiprocessing import get_context

    if not use_processes:
        return ThreadPoolExecutor(workers, "fjax-worker"), dataset.__getitem__
    # A fork of a process with JAX's threads can deadlock.
    executor = ProcessPoolExecutor(workers, get_context("spawn"), _receive, (dataset,))
    return executor, _read


def _in_order(
    executor: "Executor", read: Callable[[int], Any], indices: Sequence[int], ahead: int
) -> Iterator[Any]:
    """Yield the results in the order of the indices, at most `ahead` of them read early."""
    pending: deque[Future[Any]] = deque()
    try:
        for index in indices:
            pending.append(executor.submit(read, index))
            if len(pending) >= ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _receive(dataset: Any) -> None:
    _DATASET[:] = [dataset]


def _read(index: int) -> Any:
    return _DATASET[0][index]


def call_hook(dataset: Any, hook: str) -> None:
    """Call `on_epoch_begin` or `on_epoch_end` of a dataset that has it."""
    function = getattr(dataset, hook, None)
    if callable(function):
        function()
