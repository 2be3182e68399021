"""The items of an iterable as batches."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from fjax.data.conversion import to_batch
from fjax.training.batch import Batch


def batch_of(item: Any) -> Batch:
    """Return an item of an iterable as a batch.

    As in Keras, a list of arrays is interpreted as a tuple: a PyTorch `DataLoader` yields `[x, y]`.

    Raises:
        ValueError: The item has more than three parts.
    """
    parts = _parts(item)
    if len(parts) > 3:
        raise ValueError(
            "A batch must be `x`, `(x, y)` or `(x, y, sample_weight)`, received a "
            f"{type(item).__name__} of {len(parts)}. Put several inputs in a tuple: "
            "`((x1, x2), y)`."
        )
    x, y, weight = (*parts, None, None)[:3]
    return to_batch(x, y, weight, text=True)


def _parts(item: Any) -> tuple[Any, ...]:
    if isinstance(item, tuple):
        return item
    is_list_of_arrays = isinstance(item, list) and any(
        hasattr(part, "shape") or isinstance(part, tuple | Mapping) for part in item
    )
    if not is_list_of_arrays:
        return (item,)
    if len(item) == 3:
        warnings.warn(
            "`x` yields batches that are lists of three, which are interpreted as `x`, `y` and "
            "`sample_weight`, as in Keras. If they are two inputs and targets, yield "
            "`((x1, x2), y)`; else yield tuples.",
            # The same line each time, so that the warning is shown once.
            stacklevel=1,
        )
    return tuple(item)


@contextmanager
def unbatched_hint() -> Iterator[None]:
    """Return a context whose errors also say what to do if an element of Grain is no batch."""
    try:
        yield
    except ValueError as error:
        raise ValueError(
            f"{error} If each element of the data set of Grain is one sample, make batches of "
            "them: `dataset.batch(32)`, `grain.transforms.Batch(32)` as an operation of a "
            "`DataLoader`, or `batch_size=32` beside a `MapDataset`."
        ) from error
