"""The arguments of `fit`, `evaluate` and `predict`: checked, and the data made ready."""

import math
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from fjax.errors import integer_at_least, number_between
from fjax.models.arrangement import arranged, check_count, check_names, paths
from fjax.training import ArraySource, Batch, IterableSource
from fjax.training.arrays import is_batches, rows, take, to_batch
from fjax.training.output_losses import weight_at
from fjax.trees import branch
from fjax.typing import PyTree

Source = ArraySource | IterableSource


class Fit(NamedTuple):
    """The numbers of a `fit`, checked.

    Attributes:
        epochs: One past the last epoch.
        initial_epoch: The first epoch.
        steps_per_epoch: Steps in an epoch, None for all.
        validation_steps: Steps of a validation, None for all.
        validation_epochs: The epochs after which to validate.
    """

    epochs: int
    initial_epoch: int
    steps_per_epoch: int | None
    validation_steps: int | None
    validation_epochs: frozenset[int]


def check_fit(
    epochs: Any,
    initial_epoch: Any,
    steps_per_epoch: Any,
    validation_steps: Any,
    validation_freq: Any,
) -> Fit:
    """Return the numbers of a `fit`, or raise naming the one that is impossible."""
    epochs = integer_at_least("fit", "epochs", epochs, 0)
    initial_epoch = integer_at_least("fit", "initial_epoch", initial_epoch, 0)
    if isinstance(validation_freq, list | tuple | set):
        after = {
            integer_at_least("fit", "validation_freq", epoch, 1) - 1 for epoch in validation_freq
        }
    else:
        every = integer_at_least("fit", "validation_freq", validation_freq, 1)
        after = set(range(every - 1, epochs, every))
    return Fit(
        epochs=epochs,
        initial_epoch=initial_epoch,
        steps_per_epoch=check_steps("fit", "steps_per_epoch", steps_per_epoch),
        validation_steps=check_steps("fit", "validation_steps", validation_steps),
        validation_epochs=frozenset(after),
    )


def check_steps(owner: str, argument: str, steps: Any) -> int | None:
    """Return a number of steps, None for all of them."""
    return None if steps is None else integer_at_least(owner, argument, steps, 1)


def check_batch_size(owner: str, batch_size: Any) -> int | None:
    """Return the batch size, None where none is given."""
    return None if batch_size is None else integer_at_least(owner, "batch_size", batch_size, 1)


def check_verbose(owner: str, verbose: Any) -> int:
    """Return 0, 1 or 2; "auto" is a bar in a terminal or notebook, and lines in a file."""
    if verbose == "auto":
        return 1 if sys.stdout.isatty() or "ipykernel" in sys.modules else 2
    if verbose in (0, 1, 2):
        return int(verbose)
    raise ValueError(f'`{owner}`: `verbose` must be 0, 1, 2 or "auto", received {verbose!r}.')


def split(batch: Batch, validation_split: Any) -> tuple[Batch, Batch | None]:
    """Return the data without its last share, and that share, as Keras cuts it."""
    share = number_between("fit", "validation_split", validation_split, 0.0, 1.0, open_high=True)
    if share == 0.0:
        return batch, None
    count = rows(batch)
    cut = math.floor(count * (1.0 - share))
    if cut == 0 or cut == count:
        raise ValueError(
            f"`fit`: `validation_split={validation_split}` of {count} samples leaves {cut} to "
            f"train on and {count - cut} to validate on: both need one at least."
        )
    return take(batch, 0, cut), take(batch, cut, count)


def with_class_weight(
    batch: Batch, class_weight: Any, outputs: PyTree, names: Sequence[str]
) -> Batch:
    """Return the data with each sample weighted by its class (and by its own weight, if any).

    Args:
        batch: The data, targets in the structure of the outputs.
        class_weight: A dict of class to weight; of several outputs a dict by name or a list of
            these, None for an output whose classes are not weighted; None for none at all.
        outputs: The shapes of the outputs.
        names: Their names.
    """
    if class_weight is None:
        return batch
    where = paths(outputs, names)
    weights = {}
    for name, given in _class_weights(class_weight, names).items():
        weight = weight_at(batch.sample_weight, where[name])
        if given is not None:
            labels = branch(batch.targets, where[name])
            place = f"[{name!r}]" if len(names) > 1 else ""
            shape = branch(outputs, where[name]).shape
            by_class = _weight_of_class(place, given, labels, shape, rows(batch))
            weight = by_class if weight is None else by_class * weight
        weights[name] = weight
    return batch._replace(
        sample_weight=arranged("class_weight", "output", weights, outputs, names, needed=())
    )


def _class_weights(class_weight: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return the dict of class to weight of each output, or None."""
    by_name = isinstance(class_weight, Mapping) and any(
        isinstance(value, Mapping) for value in class_weight.values()
    )
    if by_name:
        check_names("class_weight", "output", class_weight, names)
        return {name: class_weight.get(name) for name in names}
    if len(names) > 1:
        if not isinstance(class_weight, list | tuple):
            raise TypeError(
                f"`fit`: the model has the outputs {', '.join(names)}: `class_weight` must be a "
                "dict by output, or a list, of dicts of class to weight, received "
                f"{class_weight!r}."
            )
        check_count("class_weight", class_weight, names)
        return dict(zip(names, class_weight, strict=True))
    return {names[0]: class_weight}


def _weight_of_class(
    place: str, class_weight: Any, labels: Any, shape: tuple[int, ...], count: int
) -> np.ndarray:
    """Return the weight of each sample by its class."""
    argument, y = f"class_weight{place}", f"y{place}"
    if not isinstance(class_weight, Mapping):
        raise TypeError(
            f"`fit`: `{argument}` must be a dict of class to weight, such as {{0: 1.0, 1: 5.0}}, "
            f"received {class_weight!r}."
        )
    classes = max(shape[-1], 2)
    weights = np.ones(classes, np.float32)
    for label, weight in class_weight.items():
        if integer_at_least("fit", f"a key of `{argument}`", label, 0) >= classes:
            raise ValueError(
                f"`fit`: `{argument}` names class {label}, but the model's output has the "
                f"classes 0 to {classes - 1}."
            )
        weights[label] = number_between("fit", f"{argument}[{label}]", weight, 0.0)
    if not hasattr(labels, "ndim"):
        raise ValueError(f"`fit`: `{argument}` needs one array of class labels as `{y}`.")
    given = labels.shape
    labels = labels.argmax(-1) if labels.ndim > 1 and labels.shape[-1] > 1 else labels.reshape(-1)
    bad = np.flatnonzero((labels != np.floor(labels)) | (labels < 0) | (labels >= classes))
    if len(bad):
        raise ValueError(
            f"`fit`: `{argument}` needs class labels from 0 to {classes - 1} as `{y}`, row "
            f"{bad[0]} holds {labels[bad[0]]}."
        )
    weight = weights[labels.astype(np.int32)]
    if weight.shape != (count,):
        raise ValueError(
            f"`fit`: `{argument}` needs one class label for each sample, received `{y}` of shape "
            f"{given}."
        )
    return weight


def make_source(
    owner: str,
    x: Any,
    y: Any,
    sample_weight: Any,
    batch_size: Any,
    steps: int | None,
    check: Callable[[Batch], Batch],
) -> Source:
    """Return the source of a single pass, for arrays or an iterable of batches."""
    if is_batches(x):
        return batches_source(owner, x, y, sample_weight, batch_size, steps, check)
    return array_source(owner, check(to_batch(x, y, sample_weight, text=True)), batch_size, steps)


def batches_source(
    owner: str,
    x: Any,
    y: Any,
    sample_weight: Any,
    batch_size: Any,
    steps: int | None,
    check: Callable[[Batch], Batch],
    endless: bool = False,
) -> IterableSource:
    """Return the source for an iterable of batches, which says all that there is to say."""
    if y is not None or sample_weight is not None:
        raise ValueError(
            f"`{owner}`: `x` gives whole batches, so that targets and weights come with them "
            "as `(x, y, sample_weight)`: leave out `y` and `sample_weight`."
        )
    if batch_size is not None:
        raise ValueError(
            f"`{owner}`: `x` gives whole batches, of its own size: leave out `batch_size`."
        )
    return IterableSource(x, steps, check, endless)


def array_source(
    owner: str,
    batch: Batch,
    batch_size: Any,
    steps: int | None,
    shuffle_seed: int | None = None,
    endless: bool = False,
) -> ArraySource:
    """Return the source for arrays; `endless` ones go on with the next pass where one ends."""
    size = check_batch_size(owner, batch_size)
    if size is None:
        # As in Keras: steps without a batch size are one pass through the data.
        size = 32 if steps is None else math.ceil(rows(batch) / steps)
        steps = None
    available = math.ceil(rows(batch) / size)
    if steps is not None and steps > available and not endless:
        warnings.warn(
            f"`{owner}`: {steps} steps were asked for and the data has {available}: all of it is "
            "used, once.",
            stacklevel=4,
        )
        steps = None
    return ArraySource(batch, size, shuffle_seed, steps)
