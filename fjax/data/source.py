"""`source` and `read`: convert arrays or an iterable of batches to a source."""

from typing import Any

from fjax.data.arrays import Arrays
from fjax.data.conversion import is_batches, require_numbers, to_batch
from fjax.data.grain_iter import IterDatasetSource
from fjax.data.grain_kinds import is_batched, is_iter_dataset, is_iterator, is_map_dataset
from fjax.data.grain_map import MapDatasetSource
from fjax.data.streams import IteratorSource, LoaderSource, stream_source
from fjax.data.windows import Check
from fjax.errors import integer_at_least, warn_user
from fjax.training.batch import Source
from fjax.training.placement import DEFAULT, Placement

# A user's data, before it is matched to a model.
Data = Arrays | IteratorSource | LoaderSource | MapDatasetSource | IterDatasetSource


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
    """Return the source of any data, for `fjax.training.run_epoch`.

    Args:
        x: The inputs: arrays (numpy, JAX, pandas, nested lists), several in a tuple or a dict; or
            an iterable of batches `x`, `(x, y)` or `(x, y, sample_weight)`.
        y: The targets.
        sample_weight: One weight per sample.
        batch_size: Rows in a batch, by default 32; not for an iterable of batches.
        steps: Steps in an epoch; None uses all data once.
        shuffle_seed: The seed for the order of each pass through arrays; None does not shuffle.
        check: Returns each batch in the structure that a model expects, or raises.
        placement: The devices for the batches.

    Raises:
        ValueError: Something is empty, not numeric, not finite, or of another length.

    >>> import numpy as np
    >>> source(np.ones((10, 3)), np.ones(10), batch_size=4).batch_sizes
    (4, 2)
    """
    data = read("source", x, y, sample_weight, batch_size, steps, repeats=True)
    return data.checked(check, shuffle_seed, placement)


def read(
    owner: str,
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: Any = None,
    steps: int | None = None,
    repeats: bool = False,
) -> Data:
    """Return a user's `x`, `y` and `sample_weight`, converted, but not yet matched to a model.

    Args:
        owner: The function that was called, for errors.
        x: The inputs; the arguments are those of `source`.
        y: The targets.
        sample_weight: The weights.
        batch_size: Rows in a batch.
        steps: Steps in an epoch.
        repeats: Whether the data is repeated if there are more steps than batches.
    """
    if not is_batches(x):
        batch = to_batch(x, y, sample_weight, text=True, on_disk=True)
        return Arrays(owner, batch, batch_size, steps, repeats)
    has_samples = is_map_dataset(x) and batch_size is not None and not is_batched(x)
    _check_batches_only(owner, y, sample_weight, None if has_samples else batch_size)
    if is_map_dataset(x):
        size = integer_at_least(owner, "batch_size", batch_size, 1) if has_samples else None
        return MapDatasetSource(x, size, steps, repeats)
    if is_iter_dataset(x) or is_iterator(x):
        return IterDatasetSource(x, steps, repeats)
    return stream_source(x, steps, repeats)


def _check_batches_only(owner: str, y: Any, sample_weight: Any, batch_size: Any) -> None:
    """Raise ValueError if an iterable of batches comes with targets or weights.

    As in Keras, a batch size is not used.
    """
    if y is not None or sample_weight is not None:
        raise ValueError(
            f"`{owner}`: `x` yields whole batches, which must include targets and weights "
            "as `(x, y, sample_weight)`: leave out `y` and `sample_weight`."
        )
    if batch_size is not None:
        warn_user(
            f"`{owner}`: `x` yields whole batches, so that `batch_size={batch_size}` has no effect."
        )
