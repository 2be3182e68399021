"""The entry of all data: arrays or an iterable of batches become a source."""

import math
import warnings
from typing import Any, NamedTuple

from fjax.data.arrays import array_source
from fjax.data.conversion import is_batches, require_numbers, to_batch
from fjax.data.streams import Check, IteratorSource, LoaderSource, stream_source
from fjax.errors import integer_at_least, number_between
from fjax.training.batch import Batch, Source, rows, take
from fjax.training.placement import DEFAULT, Placement


def source(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    steps: int | None = None,
    shuffle_seed: int | None = None,
    check: Check = require_numbers,
    placement: Placement = DEFAULT,
) -> Source:
    """Return the source of any data: what `fjax.training.run_epoch` takes.

    Args:
        x: The inputs: arrays (numpy, JAX, pandas, nested lists), several in a tuple or a dict; or
            an iterable of batches `x`, `(x, y)` or `(x, y, sample_weight)`.
        y: The targets.
        sample_weight: One weight per sample.
        batch_size: Rows in a batch, by default 32; an iterable has its own.
        steps: Steps in an epoch; None is all data once.
        shuffle_seed: Draws the order of each pass through arrays; None takes them as they lie.
        check: Makes each batch fit a model, or raises.
        placement: Where the batches go.

    Raises:
        ValueError: Something is empty, not numeric, not finite, or of another length.

    >>> import numpy as np
    >>> source(np.ones((10, 3)), np.ones(10), batch_size=4).batch_sizes
    (4, 2)
    """
    given = read("source", x, y, sample_weight, batch_size, steps, repeats=True)
    return given.checked(check, shuffle_seed, placement)


def read(
    owner: str,
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: Any = None,
    steps: int | None = None,
    repeats: bool = False,
) -> "Arrays | Batches":
    """Return what a user gave as `x`, `y` and `sample_weight`, converted, for no model yet.

    Args:
        owner: The function that was called, for messages.
        x: As for `source`, like what follows.
        y: The targets.
        sample_weight: The weights.
        batch_size: Rows in a batch.
        steps: Steps in an epoch.
        repeats: Whether more steps than the data has begin it again.
    """
    if is_batches(x):
        _check_alone(owner, y, sample_weight, batch_size)
        return Batches(owner, stream_source(x, steps, repeats))
    return Arrays(owner, to_batch(x, y, sample_weight, text=True), batch_size, steps, repeats)


class Arrays(NamedTuple):
    """Arrays as they were given, converted; see `read`."""

    owner: str
    batch: Batch
    batch_size: Any
    steps: int | None
    repeats: bool

    def first(self) -> Batch:
        """Return rows that a model can be built from."""
        return self.batch

    def split(self, share: Any) -> "tuple[Arrays, Arrays | None]":
        """Return the data without its last share, and that share."""
        training, held_out = split(self.owner, self.batch, share)
        if held_out is None:
            return self, None
        return self._replace(batch=training), self._replace(batch=held_out)

    def checked(
        self, check: Check, shuffle_seed: int | None = None, placement: Placement = DEFAULT
    ) -> Source:
        """Return the source of these arrays, made to fit a model."""
        size, steps = self._steps()
        return array_source(check(self.batch), size, shuffle_seed, steps, placement)

    def _steps(self) -> tuple[int, int | None]:
        """Return the rows in a batch, and the steps in an epoch; None is one pass."""
        count, steps = rows(self.batch), self.steps
        if self.batch_size is None:
            # As in Keras: steps without a batch size are one pass through the data.
            return (32 if steps is None else math.ceil(count / steps)), None
        size = integer_at_least(self.owner, "batch_size", self.batch_size, 1)
        available = math.ceil(count / size)
        if steps is not None and steps > available and not self.repeats:
            warnings.warn(
                f"`{self.owner}`: {steps} steps were asked for and the data has {available}: all "
                "of it is used, once.",
                stacklevel=4,
            )
            steps = None
        return size, steps


class Batches(NamedTuple):
    """An iterable of batches as it was given; see `read`."""

    owner: str
    stream: IteratorSource | LoaderSource

    def first(self) -> Batch:
        """Return the first batch, which is not used up."""
        return self.stream.first()

    def split(self, share: Any) -> "tuple[Batches, None]":
        """Return the batches, which cannot be split.

        Raises:
            ValueError: There is a share to split off.
        """
        if share:
            raise ValueError(
                f"`{self.owner}`: `validation_split` needs arrays, `x` gives batches: give "
                "`validation_data`."
            )
        return self, None

    def checked(
        self, check: Check, shuffle_seed: int | None = None, placement: Placement = DEFAULT
    ) -> Source:
        """Return the source of these batches, each made to fit a model; they keep their order."""
        return self.stream.checked(check, placement)


def split(owner: str, batch: Batch, validation_split: Any) -> tuple[Batch, Batch | None]:
    """Return the rows without their last share, and that share, cut as Keras cuts them.

    >>> import numpy as np
    >>> training, held_out = split("fit", to_batch(np.arange(10.0)), 0.2)
    >>> training.inputs[0].shape, held_out.inputs[0].tolist()
    ((8,), [8.0, 9.0])
    """
    share = number_between(owner, "validation_split", validation_split, 0.0, 1.0, open_high=True)
    if share == 0.0:
        return batch, None
    count = rows(batch)
    cut = math.floor(count * (1.0 - share))
    if cut == 0 or cut == count:
        raise ValueError(
            f"`{owner}`: `validation_split={validation_split}` of {count} samples leaves {cut} to "
            f"train on and {count - cut} to validate on: both need one at least."
        )
    return take(batch, 0, cut), take(batch, cut, count)


def _check_alone(owner: str, y: Any, sample_weight: Any, batch_size: Any) -> None:
    """Raise ValueError where an iterable of batches is given with what it has itself."""
    if y is not None or sample_weight is not None:
        raise ValueError(
            f"`{owner}`: `x` gives whole batches, so that targets and weights come with them "
            "as `(x, y, sample_weight)`: leave out `y` and `sample_weight`."
        )
    if batch_size is not None:
        raise ValueError(
            f"`{owner}`: `x` gives whole batches, of its own size: leave out `batch_size`."
        )
