"""The base class of callbacks that compare the values of one log."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fjax.callbacks.callback import Logs
from fjax.callbacks.stateful import StatefulCallback
from fjax.errors import number_between, one_of, suggestion

DIRECTIONS = {"min": "down", "max": "up"}


class MonitorCallback(StatefulCallback):
    """A callback that acts when a log improves or stops improving.

    Args:
        monitor: The name of the log.
        mode: "min" if lower values are better, "max" if higher values are, "auto" to use the
            metric's own direction.
        min_delta: Smaller changes are not improvements.
        verbose: 1 prints messages, 0 nothing.

    Raises:
        ValueError: An argument is invalid.
    """

    monitor: str

    def __init__(self, monitor: str, mode: str, min_delta: float, verbose: int) -> None:
        super().__init__()
        owner = type(self).__name__
        if not isinstance(monitor, str) or not monitor:
            raise ValueError(
                f'`{owner}`: `monitor` must be the name of a log, such as "val_loss", received '
                f"{monitor!r}."
            )
        self.monitor = monitor
        self.mode = one_of(owner, "mode", mode, ["auto", "min", "max"])
        self.min_delta = number_between(owner, "min_delta", min_delta, 0.0)
        self.verbose = one_of(owner, "verbose", verbose, [0, 1, 2])
        self._direction = DIRECTIONS.get(mode) or _direction_of_name(monitor)
        self._is_logged = False

    def prepare(self, directions: Mapping[str, str | None]) -> None:
        """Read the direction of the log from those of all logs, before the first hook is called.

        Raises:
            ValueError: `mode` is "auto", and the direction of the log is unknown.
        """
        self._is_logged = self.monitor in directions
        if self.mode == "auto":
            self._direction = directions.get(self.monitor) or _direction_of_name(self.monitor)
            self._require_direction(directions)

    def monitored(self, logs: Logs | None) -> float | None:
        """Return the log's value, or None if this epoch lacks it, such as one without validation.

        Raises:
            ValueError: The run has no such log, or its value is not a single number.
        """
        owner, logs = type(self).__name__, logs or {}
        value = logs.get(self.monitor)
        if value is None:
            if self._is_logged:
                return None
            raise ValueError(
                f"`{owner}` monitors {self.monitor!r}, which is not in the logs."
                f"{suggestion(self.monitor, logs)} Logged: {', '.join(logs) or 'nothing'}."
            )
        if np.ndim(value):
            raise ValueError(
                f"`{owner}` monitors {self.monitor!r}, which is an array of shape "
                f"{np.shape(value)}, and needs one number: let the metric take an average."
            )
        return float(value)

    def is_better(self, value: float, reference: float | None) -> bool:
        """Return whether a value is better than a reference by more than `min_delta`.

        Any value is better than None. Values are compared in float32, in which they were computed.
        """
        self._require_direction({})
        if reference is None:
            return True
        if self._direction == "up":
            return bool(np.float32(value - self.min_delta) > np.float32(reference))
        return bool(np.float32(value + self.min_delta) < np.float32(reference))

    def _require_direction(self, known: Mapping[str, Any]) -> None:
        if self._direction is None:
            raise ValueError(
                f"`{type(self).__name__}` monitors {self.monitor!r}, and whether higher or lower "
                'values of it are better is unknown: give `mode="max"` or `mode="min"`.'
                + ("" if self.monitor in known else suggestion(self.monitor, known))
            )


def _direction_of_name(monitor: str) -> str | None:
    return "down" if monitor.removeprefix("val_") == "loss" else None
