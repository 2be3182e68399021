"""A data set of elements or batches, with the methods of TensorFlow's `tf.data.Dataset`."""

import itertools
import os
import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import jax
import numpy as np

from fjax.errors import integer_at_least, is_integer, seed_of
from fjax.preprocessing.shuffle_buffer import GRAPH_SEED, pass_seeds, shuffle
from fjax.preprocessing.stacking import stack, to_array, unstack
from fjax.preprocessing.threads import map_in_threads, read_ahead

# The number of threads or elements that the data set chooses.
AUTOTUNE = -1

# Starts a pass through the elements. With a number, the pass is a function of it; with None, each
# shuffle takes the number of its next pass.
StartPass = Callable[[int | None], Iterator[Any]]


class Dataset:
    """Elements that can be iterated any number of times: what `fit` trains on.

    The methods return new data sets, and compute nothing until one is iterated. Elements are tuples
    such as `(images, labels)`, dicts or single arrays. The methods have the names, arguments and
    orders of `tf.data.Dataset`; functions receive numpy arrays, and run as they are.

    Args:
        start_pass: A function that returns an iterator of the elements.
        length: The number of elements; None if it is unknown or infinite.
        class_names: The names of the classes.
        file_paths: The paths of the files, in the order before `shuffle`.

    Attributes:
        class_names: The names of the classes, or None.
        file_paths: The paths of the files, or None.
        batch_size: The number of elements in a batch, if `batch` made this data set; else None.

    Source: TensorFlow's page "tf.data.Dataset".

    >>> dataset = Dataset.from_tensor_slices((np.arange(5), np.arange(5) % 2))
    >>> for x, y in dataset.map(lambda x, y: (x * 10, y)).batch(3):
    ...     print(x, y)
    [ 0 10 20] [0 1 0]
    [30 40] [1 0]
    """

    def __new__(cls, start_pass: StartPass, length: int | None = None, *_: Any, **__: Any) -> Self:
        """Return a data set that has `len` if its length is known."""
        chosen: Any = cls if length is None else SizedDataset
        return super().__new__(chosen)

    def __init__(
        self,
        start_pass: StartPass,
        length: int | None = None,
        class_names: list[str] | None = None,
        file_paths: list[str] | None = None,
    ) -> None:
        self._start_pass, self._length = start_pass, length
        self.class_names, self.file_paths = class_names, file_paths
        self.batch_size: int | None = None

    @classmethod
    def from_tensor_slices(cls, tensors: Any) -> "Dataset":
        """Return the data set of the rows of arrays.

        Args:
            tensors: An array, or a tuple or dict of arrays of one length.

        Raises:
            ValueError: The arrays have different lengths, or one has no axis.

        >>> [int(x) for x in Dataset.from_tensor_slices(np.arange(3))]
        [0, 1, 2]
        """
        arrays = jax.tree.map(to_array, tensors, is_leaf=lambda value: isinstance(value, list))
        shapes = [array.shape for array in jax.tree.leaves(arrays)]
        if () in shapes or len({shape[0] for shape in shapes}) != 1:
            raise ValueError(
                f"`from_tensor_slices` takes arrays of one length, received shapes {shapes}."
            )
        return cls(lambda _: unstack(arrays), shapes[0][0])

    @classmethod
    def from_items(cls, items: list[Any], **attributes: Any) -> "Dataset":
        """Return the data set of the items of a list.

        Args:
            items: The elements.
            **attributes: `class_names` and `file_paths`.
        """
        return cls(lambda _: iter(items), len(items), **attributes)

    def __iter__(self) -> Iterator[Any]:
        return self._start_pass(None)

    def __repr__(self) -> str:
        return f"<Dataset of {'?' if self._length is None else self._length} elements>"

    def iterate_pass(self, number: int) -> Iterator[Any]:
        """Return the elements in the order of one pass; the same number gives the same order.

        Iterating the data set itself gives the passes 0, 1, … one after the other.

        Args:
            number: The number of the pass, from 0.

        >>> dataset = Dataset.from_tensor_slices(np.arange(9)).shuffle(9, seed=1)
        >>> first, second = list(dataset), list(dataset)
        >>> first == second, second == list(dataset.iterate_pass(1))
        (False, True)
        """
        return self._start_pass(integer_at_least("iterate_pass", "number", number, 0))

    def cardinality(self) -> int:
        """Return the number of elements; -2 if it is unknown or infinite."""
        return -2 if self._length is None else self._length

    def as_numpy_iterator(self) -> Iterator[Any]:
        """Return an iterator of the elements as plain numpy arrays."""
        for element in self:
            yield jax.tree.map(lambda leaf: np.asarray(leaf)[()], element)

    def map(self, map_func: Callable[..., Any], num_parallel_calls: int | None = None) -> "Dataset":
        """Return the data set of the values of a function.

        Args:
            map_func: A function of an element; the parts of a tuple are its arguments.
            num_parallel_calls: The number of threads that call it; AUTOTUNE for as many as there
                are processors, None for calls one after the other. The order stays the same.
        """
        workers = _workers(num_parallel_calls)

        def call(element: Any) -> Any:
            return map_func(*element) if isinstance(element, tuple) else map_func(element)

        if workers is None:
            return self._derive(lambda elements: map(call, elements), self._length)
        return self._derive(lambda elements: map_in_threads(call, elements, workers), self._length)

    def filter(self, predicate: Callable[..., Any]) -> "Dataset":
        """Return the data set of the elements for which a function returns true."""

        def keep(element: Any) -> bool:
            arguments = element if isinstance(element, tuple) else (element,)
            return bool(predicate(*arguments))

        return self._derive(lambda elements: filter(keep, elements), None)

    def batch(self, batch_size: int, drop_remainder: bool = False) -> "Dataset":
        """Return the data set of batches of consecutive elements.

        Args:
            batch_size: The number of elements in a batch.
            drop_remainder: Whether to leave out a last, smaller batch.
        """
        return self._batch("batch", batch_size, drop_remainder, pad=False)

    def padded_batch(self, batch_size: int, drop_remainder: bool = False) -> "Dataset":
        """Return the data set of batches, whose elements are padded with zeros to the largest."""
        return self._batch("padded_batch", batch_size, drop_remainder, pad=True)

    def _batch(self, owner: str, batch_size: int, drop_remainder: bool, pad: bool) -> "Dataset":
        size = integer_at_least(owner, "batch_size", batch_size, 1)

        def group(elements: Iterator[Any]) -> Iterator[Any]:
            while rows := list(itertools.islice(elements, size)):
                if len(rows) == size or not drop_remainder:
                    yield stack(owner, rows, pad)

        length = self._length
        if length is not None:
            length = length // size if drop_remainder else -(-length // size)
        batches = self._derive(group, length)
        batches.batch_size = size
        return batches

    def unbatch(self) -> "Dataset":
        """Return the data set of the elements of the batches."""
        return self._derive(
            lambda batches: itertools.chain.from_iterable(map(unstack, batches)), None
        )

    def shuffle(
        self, buffer_size: int, seed: int | None = None, reshuffle_each_iteration: bool = True
    ) -> "Dataset":
        """Return the data set with its elements in a random order.

        A seed gives TensorFlow's order. TensorFlow's global seed has no effect here.

        Args:
            buffer_size: The number of elements to choose from; a number that is not smaller than
                the length of the data set gives a uniform order.
            seed: The seed of the order; None draws one from Python's `random`.
            reshuffle_each_iteration: Whether each pass has another order.
        """
        size = integer_at_least("shuffle", "buffer_size", buffer_size, 1)
        seed = random.getrandbits(32) if seed is None else seed_of("shuffle", seed)
        passes = itertools.count()

        def start_pass(number: int | None) -> Iterator[Any]:
            if not reshuffle_each_iteration:
                return shuffle(self._start_pass(number), size, (GRAPH_SEED, seed))
            seeds = pass_seeds(seed, next(passes) if number is None else number)
            return shuffle(self._start_pass(number), size, seeds)

        return Dataset(start_pass, self._length, self.class_names)

    def cache(self) -> "Dataset":
        """Return the data set with its elements kept in memory after the first whole pass."""
        kept: list[list[Any]] = []

        def start_pass(number: int | None) -> Iterator[Any]:
            if kept:
                yield from kept[0]
                return
            elements = []
            for element in self._start_pass(None if number is None else 0):
                elements.append(element)
                yield element
            kept.append(elements)

        return Dataset(start_pass, self._length, self.class_names)

    def prefetch(self, buffer_size: int) -> "Dataset":
        """Return the data set, which a thread reads ahead.

        Args:
            buffer_size: The number of elements to read ahead; AUTOTUNE for two.
        """
        count = 2 if buffer_size == AUTOTUNE else buffer_size
        count = integer_at_least("prefetch", "buffer_size", count, 0)
        if not count:
            return self
        return self._derive(lambda elements: read_ahead(elements, count), self._length)

    def take(self, count: int) -> "Dataset":
        """Return the data set of the first elements; -1 takes all."""
        if count == -1:
            return self
        count = integer_at_least("take", "count", count, 0)
        length = self._length if self._length is None else min(count, self._length)
        return self._derive(lambda elements: itertools.islice(elements, count), length)

    def skip(self, count: int) -> "Dataset":
        """Return the data set without the first elements."""
        count = integer_at_least("skip", "count", count, 0)
        length = self._length if self._length is None else max(self._length - count, 0)
        return self._derive(lambda elements: itertools.islice(elements, count, None), length)

    def repeat(self, count: int | None = None) -> "Dataset":
        """Return the data set, repeated `count` times; without end for None or -1."""
        endless = count is None or count == -1
        times = None if endless else integer_at_least("repeat", "count", count, 0)

        def start_pass(number: int | None) -> Iterator[Any]:
            for index in itertools.count() if times is None else range(times):
                later = None if number is None or times is None else number * times + index
                is_empty = True
                for element in self._start_pass(later):
                    is_empty = False
                    yield element
                if is_empty:
                    return

        length = None if times is None or self._length is None else times * self._length
        return Dataset(start_pass, length, self.class_names)

    def _derive(
        self, change: Callable[[Iterator[Any]], Iterable[Any]], length: int | None
    ) -> "Dataset":
        """Return the data set whose passes are changed passes of this one."""
        return Dataset(
            lambda number: iter(change(self._start_pass(number))), length, self.class_names
        )


class SizedDataset(Dataset):
    """A `Dataset` whose length is known."""

    def __len__(self) -> int:
        return self.cardinality()


def _workers(num_parallel_calls: Any) -> int | None:
    if num_parallel_calls is None:
        return None
    if is_integer(num_parallel_calls) and num_parallel_calls == AUTOTUNE:
        return min(os.cpu_count() or 1, 16)
    return integer_at_least("map", "num_parallel_calls", num_parallel_calls, 1)
