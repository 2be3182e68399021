"""A progress bar for loops of your own, as `keras.utils.Progbar`."""

from collections.abc import Iterable
from typing import Any

from fjax.callbacks.bar import Bar
from fjax.errors import one_of
from fjax.languages import phrase


class Progbar:
    """Show the progress of a loop: a bar that moves, and a line at its end.

    It looks as that of `fit`: a file or pipe receives lines of plain text.

    Args:
        target: The number of steps, or None if it is unknown.
        width: Ignored: the bar has a fixed width.
        verbose: 1 for a bar, 2 for a line at the end, 0 for nothing.
        interval: Ignored: the bar is redrawn ten times a second.
        stateful_metrics: The names of values that are shown as they are; all others are averaged.
        stateless_metrics: The names of values that are averaged; all others are shown as they are.
            With neither, all are averaged.
        unit_name: Ignored: steps have no name in the line.

    Raises:
        ValueError: `verbose` is not 0, 1 or 2, or both lists of names are given.

    Source: Keras's page "Progbar".

    >>> bar = Progbar(4)
    >>> for step in range(4):
    ...     bar.update(step + 1, [("loss", 2.0 - step / 2)])  # doctest: +ELLIPSIS
    Progress: 100%|██████████| 4/4 [..., .../step, loss: 0.5000]
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        one_of("Progbar", "verbose", verbose, [0, 1, 2])
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "`Progbar` takes `stateful_metrics` or `stateless_metrics`, received both."
            )
        self.target, self.verbose = target, verbose
        self._stateful = set(stateful_metrics or ())
        self._stateless = None if stateless_metrics is None else set(stateless_metrics)
        self._seen = 0
        # The weighted sum of each value, and the sum of its weights.
        self._sums: dict[str, tuple[float, float]] = {}
        self._bar: Bar | None = None

    def update(
        self,
        current: int,
        values: Iterable[tuple[str, Any]] | None = None,
        finalize: bool | None = None,
    ) -> None:
        """Set how many steps are done.

        Args:
            current: The number of steps that are done.
            values: Pairs of a name and a value. An average counts a value once for each step since
                the last update; the last update shows its values as they are.
            finalize: Whether this is the last update; by default, if the target is reached.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        weight = max(current - self._seen, 1)
        for name, value in values or ():
            if finalize or not self._is_averaged(name):
                self._sums[name] = float(value), 1.0
            else:
                total, count = self._sums.get(name, (0.0, 0.0))
                self._sums[name] = total + float(value) * weight, count + weight
        self._seen = current
        if self.verbose:
            self._show(current, finalize)

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Count `n` more steps."""
        self.update(self._seen + n, values)

    @property
    def shown(self) -> dict[str, float]:
        """The values that are shown, by name."""
        return {name: total / count for name, (total, count) in self._sums.items()}

    def _is_averaged(self, name: str) -> bool:
        if self._stateless is not None:
            return name in self._stateless
        return name not in self._stateful

    def _show(self, current: int, is_last: bool) -> None:
        if self._bar is None:
            self._bar = Bar()
            self._bar.begin(phrase("Progress"), self.target)
        if self.verbose == 1 or is_last:
            self._bar.update(current, self.shown)
        if is_last:
            self._bar.end(self.shown)
            self._bar = None
