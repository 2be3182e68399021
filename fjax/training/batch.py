"""`Batch`, the data of a step, and `Source`, the protocol of everything that yields batches."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np

from fjax.typing import Array, PyTree


class Batch(NamedTuple):
    """The data of one step; every leaf has the batch axis first.

    Attributes:
        inputs: The network's inputs, a tuple even for one input.
        targets: The targets, which the loss compares with the outputs.
        sample_weight: One weight per sample, or None; for several outputs, also a tree of weights
            with the structure of the outputs.
        valid: 1 for each row that counts and 0 for each row of padding, float32; None if all rows
            count. Layers that mix rows, such as batch normalization, do not
            read it.
    """

    inputs: tuple[PyTree, ...]
    targets: PyTree = None
    sample_weight: Array | np.ndarray | PyTree | None = None
    valid: Array | None = None


class Window(NamedTuple):
    """Data on the device, and the range of its batches to use next.

    Attributes:
        data: Rows on the device.
        order: The order of the rows; None keeps the order of `data`.
        first: The first batch to use.
        last: One past the last batch to use.
        batch_size: Rows in a batch.
    """

    data: Batch
    order: Array | None
    first: int
    last: int
    batch_size: int


class Source(Protocol):
    """A source of batches.

    Attributes:
        steps: Steps in an epoch; None if the epoch lasts until the data ends.
    """

    steps: int | None

    @property
    def spec(self) -> Batch:
        """The shapes and dtypes of one full batch, from which a model is built."""
        ...

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """The numbers of rows that a batch can have, as far as they are known."""
        ...

    def windows(self, epoch: int, step: int = 0) -> Iterator[Window]:
        """Return windows of batches on the device, from a step of an epoch on."""
        ...

    def state(self) -> Mapping[str, Any]:
        """Return the state for a checkpoint, besides the number of steps, as plain data."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue as a source with this state would after `state["steps"]` steps."""
        ...

    def fingerprint(self) -> Mapping[str, Any]:
        """Return plain data that identifies the data of this source."""
        ...

    def close(self) -> None:
        """Release threads and files."""
        ...


def take(batch: Batch, start: int, stop: int) -> Batch:
    """Return the rows from `start` to `stop` of each array."""
    return jax.tree.map(lambda array: array[start:stop], batch)


def rows(tree: PyTree) -> int:
    """Return the number of rows: the first axis of the first array."""
    return int(jax.tree.leaves(tree)[0].shape[0])
