"""The data of a fit: rows that count, and their order where all make one batch."""

from typing import Any, NamedTuple, Self, cast

import numpy as np
from sklearn.utils import check_array

from fjax.data.arrays import split
from fjax.models.arguments import check_batch_size
from fjax.training import Batch

# What `Model.fit` takes for a batch size that is not given.
BATCH_SIZE = 32


class Examples(NamedTuple):
    """Data in the form in which models take it, checked.

    Attributes:
        x: The inputs, float32.
        y: The targets, float32; of a classifier the number of each row's class, int32.
        sample_weight: What each row counts, float64 and above 0; None where all count the same.
        classes: The labels of the classes in the order of their numbers; None where `y` are no
            labels.
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
        """Return the data without its last share, and that share, as `Model.fit` cuts it."""
        training, held_out = split("fit", self.batch, validation_split)
        return self._of(training), None if held_out is None else self._of(held_out)

    def _of(self, batch: Batch) -> Self:
        weight = cast(np.ndarray | None, batch.sample_weight)
        return self._replace(x=batch.inputs[0], y=batch.targets, sample_weight=weight)

    @property
    def relative_weight(self) -> np.ndarray | None:
        """The weights scaled to a mean of 1, float32, as training takes them."""
        if self.sample_weight is None:
            return None
        return (self.sample_weight / self.sample_weight.mean()).astype(np.float32)

    def in_training_order(self, batch_size: int | None) -> Self:
        """Return the rows as they are trained on.

        Where all rows make one batch, whole-number weights become repeated rows, and the rows
        stand in one order whatever order they came in: float32 sums depend on the order of their
        terms, and so "a weight of 2 is a row twice" is true to the last bit.
        """
        size = check_batch_size("fit", batch_size) or BATCH_SIZE
        repeated = self._repeated(size)
        return repeated.rows(repeated.order(size))

    def order(self, batch_size: int) -> np.ndarray:
        """Return the numbers of the rows as they come, or in the order of one batch."""
        if len(self.x) > batch_size:
            return np.arange(len(self.x))
        return np.argsort(self._bytes(), kind="stable")

    def _repeated(self, most: int) -> Self:
        weight = self.sample_weight
        if weight is None or weight.sum() > most or (weight != np.floor(weight)).any():
            return self
        index = np.repeat(np.arange(len(weight)), weight.astype(np.int64))
        return self.rows(index)._replace(sample_weight=None)

    def _bytes(self) -> np.ndarray:
        """Return each row as one string of bytes, which can be sorted at once."""
        arrays = [self.x, self.y, *([] if self.sample_weight is None else [self.sample_weight])]
        rows = [np.ascontiguousarray(a).reshape(len(a), -1).view(np.uint8) for a in arrays]
        whole = np.ascontiguousarray(np.hstack(rows))
        return whole.view(np.dtype((np.void, whole.shape[1])))[:, 0]


def checked_weight(sample_weight: Any, count: int) -> np.ndarray | None:
    """Return one weight for each row, None for none.

    Raises:
        ValueError: There is not one weight for each row, one is negative, or all are zero.
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
        raise ValueError(
            "`sample_weight`: all weights are zero, so that no row is left to train on."
        )
    return weight


def present(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> Examples:
    """Return the rows whose weight is not zero; equal weights of 1 are none."""
    examples = Examples(x, y, weight)
    if weight is None:
        return examples
    if not weight.all():
        examples = examples.rows(weight > 0)
    assert examples.sample_weight is not None
    return (
        examples._replace(sample_weight=None) if (examples.sample_weight == 1).all() else examples
    )
