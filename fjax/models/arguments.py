"""Checks of the numeric arguments of `fit`, `evaluate` and `predict`."""

import sys
from typing import Any, NamedTuple

from fjax.config import is_interactive_logging_enabled
from fjax.errors import integer_at_least


class Schedule(NamedTuple):
    """The epochs of a `fit`, their length, and the epochs after which it validates.

    Attributes:
        epochs: One past the last epoch.
        initial_epoch: The first epoch.
        steps_per_epoch: Steps in an epoch; None for one pass through the data.
        validation_steps: Steps of a validation; None for all data.
        validation_epochs: The epochs after which to validate.
    """

    epochs: int
    initial_epoch: int
    steps_per_epoch: int | None
    validation_steps: int | None
    validation_epochs: frozenset[int]


def check_schedule(
    epochs: Any,
    initial_epoch: Any,
    steps_per_epoch: Any,
    validation_steps: Any,
    validation_freq: Any,
) -> Schedule:
    """Return the schedule of a `fit`; raise ValueError, naming the argument, if one is invalid."""
    epochs = integer_at_least("fit", "epochs", epochs, 0)
    initial_epoch = integer_at_least("fit", "initial_epoch", initial_epoch, 0)
    if isinstance(validation_freq, list | tuple | set):
        after = {
            integer_at_least("fit", "validation_freq", epoch, 1) - 1 for epoch in validation_freq
        }
    else:
        every = integer_at_least("fit", "validation_freq", validation_freq, 1)
        after = set(range(every - 1, epochs, every))
    return Schedule(
        epochs=epochs,
        initial_epoch=initial_epoch,
        steps_per_epoch=check_steps("fit", "steps_per_epoch", steps_per_epoch),
        validation_steps=check_steps("fit", "validation_steps", validation_steps),
        validation_epochs=frozenset(after),
    )


def check_steps(owner: str, argument: str, steps: Any) -> int | None:
    """Return a number of steps; None for all steps."""
    return None if steps is None else integer_at_least(owner, argument, steps, 1)


def check_batch_size(owner: str, batch_size: Any) -> int | None:
    """Return the batch size; None if it is not set."""
    return None if batch_size is None else integer_at_least(owner, "batch_size", batch_size, 1)


def check_verbose(owner: str, verbose: Any) -> int:
    """Return 0, 1 or 2; "auto" is 1 in a terminal or notebook, else 2.

    Without interactive logging it is 0; see `fjax.config`.
    """
    if verbose in ("auto", 0, 1, 2) and not is_interactive_logging_enabled():
        return 0
    if verbose == "auto":
        return 1 if sys.stdout.isatty() or "ipykernel" in sys.modules else 2
    if verbose in (0, 1, 2):
        return int(verbose)
    raise ValueError(f'`{owner}`: `verbose` must be 0, 1, 2 or "auto", received {verbose!r}.')
