"""The order of logs: by name, and as in the list that `evaluate` returns."""

from collections.abc import Collection, Mapping
from typing import TypeVar

Value = TypeVar("Value")


def sort_logs(logs: Mapping[str, Value]) -> dict[str, Value]:
    """Return logs ordered by name, as callbacks, the history and the progress bar show them.

    >>> sort_logs({"loss": 0.5, "accuracy": 0.9})
    {'accuracy': 0.9, 'loss': 0.5}
    """
    return dict(sorted(logs.items()))


def losses_first(
    names: Collection[str], losses: Collection[str] = ("loss",), by_name: bool = True
) -> list[str]:
    """Return log names with the losses first, as `evaluate` lists them.

    Args:
        names: The names of the logs.
        losses: Which of them are losses, in the order wanted.
        by_name: Whether to sort the other logs; by default, they are sorted.

    >>> losses_first(["mae", "loss", "accuracy"])
    ['loss', 'accuracy', 'mae']
    >>> losses_first(["mae", "loss", "accuracy"], by_name=False)
    ['loss', 'mae', 'accuracy']
    """
    others = [name for name in names if name not in losses]
    return [name for name in losses if name in names] + (sorted(others) if by_name else others)
