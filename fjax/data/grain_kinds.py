"""Recognize the data sets of Grain, without importing it."""

import sys
from typing import Any


def _is(value: Any, *names: str) -> bool:
    """Return whether a value is of one of these classes of Grain."""
    grain = sys.modules.get("grain")
    classes = tuple(getattr(grain, name) for name in names if hasattr(grain, name))
    return isinstance(value, classes)


def is_map_dataset(value: Any) -> bool:
    """Return whether a value is a `grain.MapDataset`, whose elements have numbers.

    >>> is_map_dataset([1, 2])
    False
    """
    return _is(value, "MapDataset")


def is_iter_dataset(value: Any) -> bool:
    """Return whether a value is a `grain.IterDataset` or a `grain.DataLoader`."""
    return _is(value, "IterDataset", "DataLoader")


def is_iterator(value: Any) -> bool:
    """Return whether a value is an iterator of one of Grain's data sets."""
    return _is(value, "DatasetIterator", "DataLoaderIterator")


def is_batched(dataset: Any) -> bool:
    """Return whether a `grain.MapDataset` is, or is made of, one that `batch` has returned."""
    import grain

    batched = type(grain.MapDataset.range(1).batch(1))
    waiting = [dataset]
    while waiting:
        node = waiting.pop()
        if isinstance(node, batched):
            return True
        waiting.extend(node.parents)
    return False
