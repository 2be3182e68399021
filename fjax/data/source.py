"""The entry of all data: arrays or an iterable of batches become a source."""

from typing import Any

from fjax.data.arrays import Arrays, Check
from fjax.data.conversion import is_batches, require_numbers, to_batch
from fjax.data.streams import IteratorSource, LoaderSource, stream_source
from fjax.training.batch import Source
from fjax.training.placement import DEFAULT, Placement

# What a user gave, before it is matched to a model.
Data = Arrays | IteratorSource | LoaderSource


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
) -> Data:
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
    if not is_batches(x):
        batch = to_batch(x, y, sample_weight, text=True)
        return Arrays(owner, batch, batch_size, steps, repeats)
    _check_alone(owner, y, sample_weight, batch_size)
    return stream_source(x, steps, repeats)


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
