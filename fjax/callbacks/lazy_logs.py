"""Logs that stay on the device until they are read."""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np

from fjax.training.logs import sort_logs
from fjax.training.placement import DEFAULT
from fjax.typing import Array


class LazyLogs(MutableMapping[str, Any]):
    """A mapping of log names to numbers, which are all fetched when the first one is read.

    >>> logs = LazyLogs({"loss": np.float32(0.5)})
    >>> list(logs), logs["loss"], logs
    (['loss'], 0.5, {'loss': 0.5})
    """

    def __init__(self, on_device: Mapping[str, Array]) -> None:
        self._on_device = on_device
        self._numbers: dict[str, Any] | None = None

    def numbers(self) -> dict[str, Any]:
        """Return the logs as a dict of Python numbers, ordered by name."""
        if self._numbers is None:
            self._numbers = to_numbers(self._on_device)
        return self._numbers

    def __getitem__(self, name: str) -> Any:
        return self.numbers()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.numbers()[name] = value

    def __delitem__(self, name: str) -> None:
        del self.numbers()[name]

    def __contains__(self, name: object) -> bool:
        return name in (self._on_device if self._numbers is None else self._numbers)

    def __iter__(self) -> Iterator[str]:
        return iter(sort_logs(self._on_device) if self._numbers is None else self._numbers)

    def __len__(self) -> int:
        return len(self._on_device if self._numbers is None else self._numbers)

    def __repr__(self) -> str:
        return repr(self.numbers())


def to_numbers(on_device: Mapping[str, Any]) -> dict[str, Any]:
    """Return logs fetched from the device and ordered by name; see `to_number`."""
    logs = sort_logs(DEFAULT.fetch(dict(on_device)))
    return {name: to_number(value) for name, value in logs.items()}


def to_number(value: Any) -> Any:
    """Return a log as a float; one with several numbers, as an F1 score per class, as an array."""
    return np.asarray(value) if np.ndim(value) else float(value)


def scalar_logs(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Return logs of one number each: a metric with one value for each class becomes several.

    >>> scalar_logs({"loss": 0.5, "f1": np.array([0.25, 0.75])})
    {'loss': 0.5, 'f1/0': 0.25, 'f1/1': 0.75}
    """
    numbers: dict[str, Any] = {}
    for name, value in logs.items():
        if np.ndim(value) == 0:
            numbers[name] = value
            continue
        numbers |= {f"{name}/{index}": each for index, each in enumerate(np.ravel(value).tolist())}
    return numbers
