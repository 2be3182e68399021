"""Split a data set into two."""

import random
from collections.abc import Iterable
from typing import Any

import jax
import numpy as np

from fjax.errors import is_integer, is_number, seed_of
from fjax.preprocessing.dataset import Dataset
from fjax.preprocessing.stacking import stack


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Dataset, Dataset]:
    """Return a data set in two parts, such as one for training and one for testing.

    Args:
        dataset: An array; a list or tuple of arrays of one length; a `Dataset`, which is split into
            elements and batched again if `batch` made it; or another iterable of elements, such as
            a PyTorch `Dataset`. All elements are read into memory.
        left_size: The fraction (a float between 0 and 1) or the number (an integer) of elements in
            the left part; None for all that are not in the right one.
        right_size: The same of the right part, which is the end of the data.
        shuffle: Whether to shuffle the elements before.
        seed: The seed of the shuffling, by Python's `random`, as in Keras; None draws one.
        preferred_backend: None or "tensorflow": the parts have the methods of `tf.data.Dataset`,
            and need no TensorFlow.

    Returns:
        Two objects of the class `Dataset`.

    Raises:
        TypeError: `dataset` is of another type.
        ValueError: A size is invalid, or a part is empty.

    Source: Keras's page "Dataset utilities".

    >>> left, right = split_dataset(np.arange(10), left_size=0.8)
    >>> len(left), [int(x) for x in right]
    (8, [8, 9])
    """
    owner = "split_dataset"
    if preferred_backend not in (None, "tensorflow"):
        raise ValueError(
            f'`{owner}`: `preferred_backend` must be None or "tensorflow", received '
            f"{preferred_backend!r}: the parts are objects of the class `Dataset`."
        )
    elements = _elements(dataset)
    if shuffle:
        seed = random.randint(0, 1_000_000) if seed is None else seed_of(owner, seed)
        random.Random(seed).shuffle(elements)
    left, right = _sizes(left_size, right_size, len(elements))
    parts = elements[:left], elements[len(elements) - right :]
    first, second = (Dataset.from_tensor_slices(stack(owner, part)) for part in parts)
    batch_size = dataset.batch_size if isinstance(dataset, Dataset) else None
    if batch_size is None:
        return first, second
    return first.batch(batch_size), second.batch(batch_size)


def _elements(dataset: Any) -> list[Any]:
    if isinstance(dataset, list | tuple):
        lengths = {np.shape(array)[:1] for array in dataset}
        if len(lengths) != 1 or () in lengths:
            raise ValueError(
                "`split_dataset` takes arrays of one length, received shapes "
                f"{[np.shape(array) for array in dataset]}."
            )
        return list(zip(*map(np.asarray, dataset), strict=True))
    if isinstance(dataset, Dataset):
        dataset = dataset if dataset.batch_size is None else dataset.unbatch()
    elif isinstance(dataset, str | bytes | dict) or not (
        isinstance(dataset, Iterable) or hasattr(dataset, "__getitem__")
    ):
        raise TypeError(
            "`split_dataset` takes an array, a list or tuple of arrays, or a data set, received "
            f"{type(dataset).__name__}."
        )
    elements = [jax.tree.map(np.asarray, element) for element in dataset]
    if not elements:
        raise ValueError("`split_dataset`: the data set is empty.")
    return elements


def _sizes(left: float | None, right: float | None, total: int) -> tuple[int, int]:
    """Return the numbers of elements of the parts."""
    if left is None and right is None:
        raise ValueError("`split_dataset` needs `left_size`, `right_size` or both.")
    left_count = _count("left_size", left, total)
    right_count = _count("right_size", right, total)
    if left_count is None:
        left_count = total - (right_count or 0)
    if right_count is None:
        right_count = total - left_count
    if left_count + right_count > total or 0 in (left_count, right_count):
        raise ValueError(
            f"`split_dataset`: left_size={left!r} and right_size={right!r} of {total} elements are "
            f"parts of {left_count} and {right_count}: both must have at least one element, and "
            f"together at most {total}."
        )
    return left_count, right_count


def _count(name: str, size: Any, total: int) -> int | None:
    if size is None:
        return None
    limit = total if is_integer(size) else 1
    if not is_number(size) or not 0 < size < limit:
        raise ValueError(
            f"`split_dataset`: `{name}` must be a float between 0 and 1, or an integer from 1 to "
            f"{total - 1}, received {size!r}."
        )
    return int(size) if is_integer(size) else round(size * total)
