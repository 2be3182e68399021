"""The batch that a step sees, and what the loop asks of a source of batches."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np

from fjax.typing import Array, PyTree


class Batch(NamedTuple):
    """What one step sees; every leaf has the batch axis first.

    Attributes:
        inputs: The network's inputs, a tuple also where there is one.
        targets: What the loss compares the outputs with.
        sample_weight: One weight per sample, or None; of several outputs also a structure of
            weights like the outputs.
        valid: 1 for each row that counts and 0 for one that only fills up the batch, float32;
            None where all rows count. Layers that mix rows, such as batch normalization, do not
            read it.
    """

    inputs: tuple[PyTree, ...]
    targets: PyTree = None
    sample_weight: Array | np.ndarray | PyTree | None = None
    valid: Array | None = None


class Window(NamedTuple):
    """Data on the device, and which of its batches come next.

    Attributes:
        data: Rows on the device.
        order: The order to take the rows in; None takes them as they lie.
        first: The first batch to take.
        last: One past the last batch to take.
        batch_size: Rows in a batch.
    """

    data: Batch
    order: Array | None
    first: int
    last: int
    batch_size: int


class Source(Protocol):
    """Everything that can feed a run.

    Attributes:
        steps: Steps in an epoch; None where it lasts until the data ends.
    """

    steps: int | None

    @property
    def spec(self) -> Batch:
        """Shapes and dtypes of one full batch: what a model is built from."""
        ...

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """The numbers of rows that a batch can have, as far as they are known."""
        ...

    def windows(self, epoch: int, step: int = 0) -> Iterator[Window]:
        """Return some batches at a time, on the device, from a step of an epoch on."""
        ...

    def state(self) -> Mapping[str, Any]:
        """Return what a resumed run must know beside the number of steps, as plain data."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue as a source with this state would after `state["steps"]` steps."""
        ...

    def fingerprint(self) -> Mapping[str, Any]:
        """Return what tells this data from other data, as plain data."""
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
