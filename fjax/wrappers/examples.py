"""The data of a fit: the rows with their weights, and their order in a single batch."""

from typing import Any, NamedTuple, Self, cast

import numpy as np
from sklearn.utils import check_array

from fjax.data.arrays import split
from fjax.models.arguments import check_batch_size
from fjax.training import Batch

# The default batch size of `Model.fit`.
BATCH_SIZE = 32


class Examples(NamedTuple):
    """Checked data, in the form in which models take it.

    Attributes:
        x: The inputs, float32.
        y: The targets, float32; for a classifier the class number of each row, int32.
        sample_weight: The weight of each row, float64 and above 0; None for equal weights.
        classes: The labels of the classes in the order of their numbers; None if `y` are not class
            numbers.
    """

    x: np.ndarray
    y: np.ndarray
    sample_weight: np.ndarray | None = None
    classes: np.ndarray | None = None

    def rows(self, index: Any) -> Self:
        """Return some of the rows."""
        weight = None if self.sample_weight is None else self.sample_weight[index]
        return self._replace(x=self.x[index], y=self.y[index], sample_weight=weight)

    @property
    def batch(self) -> Batch:
        """The data as one batch."""
        return Batch((self.x,), self.y, self.sample_weight)

    def split(self, validation_split: Any) -> tuple[Self, Self | None]:
        """Return the data without its last share, and that share, as `Model.fit` splits it."""
        training, held_out = split("fit", self.batch, validation_split)
        return self.with_batch(training), None if held_out is None else self.with_batch(held_out)

    def with_batch(self, batch: Batch) -> Self:
        """Return examples of the same classes with the data of a batch."""
        weight = cast(np.ndarray | None, batch.sample_weight)
        return self._replace(x=batch.inputs[0], y=batch.targets, sample_weight=weight)

    @property
    def relative_weight(self) -> np.ndarray | None:
        """The weights scaled to a mean of 1, float32, as training takes them."""
        if self.sample_weight is None:
            return None
        return (self.sample_weight / self.sample_weight.mean()).astype(np.float32)

    def in_training_order(self, batch_size: int | None) -> Self:
        """Return the rows in the order in which they are trained on.

        If all rows fit in one batch, integer weights become repeated rows, and the rows are sorted.
        The sum of float32 numbers depends on the order of the numbers; this makes "a weight of 2 is
        the row twice" exact to the last bit.
        """
        size = check_batch_size("fit", batch_size) or BATCH_SIZE
        repeated = self._repeat(size)
        return repeated.rows(repeated.order(size))

    def order(self, batch_size: int) -> np.ndarray:
        """Return the row numbers in their order, or sorted by value if they fit in one batch."""
        if len(self.x) > batch_size:
            return np.arange(len(self.x))
        return np.argsort(self._row_bytes(), kind="stable")

    def _repeat(self, most: int) -> Self:
        """Return the rows repeated by integer weights, if that makes at most so many rows."""
        weight = self.sample_weight
        if weight is None or weight.sum() > most or (weight != np.floor(weight)).any():
            return self
        index = np.repeat(np.arange(len(weight)), weight.astype(np.int64))
        return self.rows(index)._replace(sample_weight=None)

    def _row_bytes(self) -> np.ndarray:
        """Return each row as one byte string, which can be sorted."""
        arrays = [self.x, self.y, *([] if self.sample_weight is None else [self.sample_weight])]
        rows = [np.ascontiguousarray(a).reshape(len(a), -1).view(np.uint8) for a in arrays]
        joined = np.ascontiguousarray(np.hstack(rows))
        return joined.view(np.dtype((np.void, joined.shape[1])))[:, 0]


def check_sample_weight(sample_weight: Any, count: int) -> np.ndarray | None:
    """Return one weight for each row, or None for None.

    Raises:
        ValueError: There is not one weight for each row, a weight is negative, or all are zero.
    """
    if sample_weight is None:
        return None
    weight = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    if weight.shape != (count,):
        raise ValueError(
            f"`sample_weight` must hold one number for each of the {count} samples, received "
            f"shape {weight.shape}."
        )
    if (weight < 0).any():
        row = int(np.argmax(weight < 0))
        raise ValueError(
            f"`sample_weight` must not be negative, received {weight[row]:g} at row {row}."
        )
    if not weight.any():
        raise ValueError("`sample_weight`: all weights are zero: there is no row to train on.")
    return weight


def make_examples(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> Examples:
    """Return the rows whose weight is not zero, without weights if all of these are 1."""
    examples = Examples(x, y, weight)
    if weight is None:
        return examples
    if not weight.all():
        examples = examples.rows(weight > 0)
    is_one = examples.sample_weight == 1
    return examples._replace(sample_weight=None) if np.all(is_one) else examples
