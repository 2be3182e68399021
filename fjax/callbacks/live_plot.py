"""Curves of a run in a notebook, which grow while it trains."""

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from fjax.callbacks.bar import can_encode, format_duration, in_notebook
from fjax.callbacks.callback import Logs
from fjax.callbacks.figure_cell import FigureCell
from fjax.callbacks.lazy_logs import to_number
from fjax.callbacks.monitor import MonitorCallback
from fjax.callbacks.update_freq import checked_update_freq
from fjax.errors import explain_keywords, suggestion

# Seconds between two drawings, and the largest part of the time that drawing may take.
REDRAW_SECONDS, DRAWING_SHARE = 0.5, 0.02

# The rate and the time left are means over this many epochs.
RECENT_EPOCHS = 10

SPARKS = "▁▂▃▄▅▆▇█"
MAX_SPARKS = 24


class LivePlot(MonitorCallback):
    """Draw the curves of a run in a notebook while it trains.

    One figure below the cell has a panel for each log, training and validation together, and a line
    with the epoch, the rate, the time left and the best epoch. It needs no matplotlib and suits
    light and dark notebooks. It is drawn at the ends of epochs, at most twice a second, and takes
    at most two percent of the time. In a terminal, it prints one line at the end of the training.

    Args:
        metrics: The logs to draw, without `val_`, such as `["loss"]`; by default all.
        monitor: The log whose best epoch is shown; by default "val_loss" if there is a validation,
            else "loss".
        mode: "min" if lower values of `monitor` are better, "max" if higher values are, "auto" to
            use the metric's own direction.
        update_freq: "epoch" draws epochs alone. "batch" also draws the loss after each step, an
            integer after every this many steps: a mean over the epoch so far. The loop then stops
            after each step, as with any batch hook.

    Raises:
        ValueError: An argument is invalid; before training: the run does not log `monitor`; after
            the first epoch: it does not log a name of `metrics`.

    A resumed run continues its curves.

    >>> plot = LivePlot()
    >>> plot.set_params({"epochs": 2, "steps": 4})
    >>> plot.prepare({"loss": "down"})
    >>> plot.on_train_begin()
    >>> for epoch, loss in enumerate([0.5, 0.25]):
    ...     plot.on_epoch_begin(epoch)
    ...     plot.on_epoch_end(epoch, {"loss": loss})
    >>> plot.on_train_end()
    2 epochs in ... - loss █▁ 0.25 - best loss 0.25 in epoch 2
    """

    _added_logs: ClassVar[tuple[str, ...]] = ()

    # None until it is known which logs the run has.
    monitor: Any

    epoch: list[int]
    history: dict[str, list[Any]]
    best: float | None
    best_epoch: int

    # The batches of the current epoch that are drawn, and their losses.
    _batches: list[float]
    _batch_losses: list[float]

    @explain_keywords
    def __init__(
        self,
        metrics: Iterable[str] | None = None,
        monitor: str | None = None,
        mode: str = "auto",
        update_freq: Any = "epoch",
    ) -> None:
        super().__init__("loss" if monitor is None else monitor, mode, 0.0, 0)
        if isinstance(metrics, str) or not all(isinstance(n, str) for n in metrics or ()):
            raise ValueError(
                '`LivePlot`: `metrics` must be names of logs, such as ["loss"], received '
                f"{metrics!r}."
            )
        self.metrics = None if metrics is None else list(metrics)
        self._chooses_monitor = monitor is None
        if self._chooses_monitor:
            self.monitor = None
        self.update_freq = checked_update_freq("LivePlot", update_freq)
        if self.update_freq != "epoch":
            # A batch hook of the instance: without it, whole epochs run as one program.
            vars(self).update(on_train_batch_end=self._end_batch)
        self._cell = FigureCell()
        self._clock: Callable[[], float] = time.perf_counter
        self._begin_run(0.0)

    def first_state(self) -> dict[str, Any]:
        """Return an empty record."""
        return {"epoch": [], "history": {}, "best": None, "best_epoch": 0}

    def prepare(self, directions: Mapping[str, str | None]) -> None:
        """Choose the log whose best epoch is shown, and check the names of the logs."""
        if self._chooses_monitor:
            known = [name for name in ("val_loss", "loss") if name in directions]
            self.monitor = known[0] if known else None
        if self.monitor is not None:
            super().prepare(directions)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Show an empty figure."""
        super().on_train_begin(logs)
        self._begin_run(self._clock())
        self._cell = FigureCell()
        self._draw(is_last=False)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start the clock of the epoch."""
        self._epoch_start = self._clock()
        self._current = epoch
        self._batches, self._batch_losses = [], []

    def on_epoch_resume(self, epoch: int, batch: int) -> None:
        """Start the clock of the epoch; the time before the interruption is unknown."""
        self.on_epoch_begin(epoch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add the epoch to the curves, and draw them if the last drawing is long enough ago."""
        logs = logs or {}
        if not self.epoch:
            self._check_metrics(logs)
        self.epoch.append(epoch)
        missing = [None] * (len(self.epoch) - 1)
        for name in dict.fromkeys([*self.history, *logs]):
            # None where an epoch lacks a log, such as one without validation.
            value = to_number(logs[name]) if name in logs else None
            self.history.setdefault(name, [*missing]).append(value)
        self._seconds.append(self._clock() - self._epoch_start)
        value = None if self.monitor is None else self.monitored(logs)
        if value is not None and np.isfinite(value) and self.is_better(value, self.best):
            self.best, self.best_epoch = value, epoch
        self._draw_if_due()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Draw the whole run; in a terminal, print a line."""
        super().on_train_end(logs)
        self._draw(is_last=True)

    def _check_metrics(self, logs: Logs) -> None:
        names = {name.removeprefix("val_") for name in logs}
        for name in self.metrics or ():
            if name not in names:
                raise ValueError(
                    f"`LivePlot`: `metrics` names {name!r}, which this run does not log."
                    f"{suggestion(name, names)} Logged: {', '.join(sorted(names)) or 'nothing'}."
                )

    def _begin_run(self, now: float) -> None:
        self._start = now
        self._epoch_start = now
        self._next_drawing = now + REDRAW_SECONDS
        self._current = 0
        # The durations of the epochs of this fit.
        self._seconds: list[float] = []
        self._batches, self._batch_losses = [], []

    def _end_batch(self, batch: int, logs: Logs | None = None) -> None:
        # The hook of the class, which a subclass may override.
        type(self).on_train_batch_end(self, batch, logs)
        if (batch + 1) % self.update_freq == 0 and logs and "loss" in logs:
            self._batches.append(batch + 1)
            self._batch_losses.append(float(logs["loss"]))
            self._draw_if_due()

    def _draw_if_due(self) -> None:
        if self._clock() >= self._next_drawing:
            self._draw(is_last=False)

    def _draw(self, is_last: bool) -> None:
        start = self._clock()
        if in_notebook():
            status = " · ".join(self._status(is_last))
            self._cell.show(self._figure(status), status)
        elif is_last:
            print(self._terminal_line())
        end = self._clock()
        self._next_drawing = end + max(REDRAW_SECONDS, (end - start) / DRAWING_SHARE)

    def _status(self, is_last: bool) -> list[str]:
        """Return what is known of the run: its epochs, its rate, the time left, the best epoch."""
        count = len(self.epoch)
        if is_last:
            duration = format_duration(self._clock() - self._start)
            parts = [f"{count} epoch{'s' * (count != 1)} in {duration}"]
        elif not self._seconds:
            parts = ["the first epoch is running, which includes compilation"]
        else:
            parts = [f"epoch {self._finished} of {self.params['epochs']}", *self._rate()]
        if self.best is not None:
            parts.append(self._best_text())
        return parts

    @property
    def _finished(self) -> int:
        return self.epoch[-1] + 1

    def _rate(self) -> list[str]:
        """Return the durations of an epoch and of a step, and the time left."""
        # The first epoch includes compilation.
        recent = self._seconds[1:][-RECENT_EPOCHS:] or self._seconds
        seconds = sum(recent) / len(recent)
        parts = [f"{format_duration(seconds)}/epoch"]
        if self.params.get("steps"):
            parts.append(f"{format_duration(seconds / self.params['steps'])}/step")
        left = self.params["epochs"] - self._finished
        if left > 0:
            parts.append(f"at most {format_duration(left * seconds)} left")
        return parts

    def _best_text(self) -> str:
        return f"best {self.monitor} {self.best or 0.0:.4g} in epoch {self.best_epoch + 1}"

    def _figure(self, status: str) -> str:
        """Return the status and the panels as HTML."""
        # Imported where a notebook asks for it, so that `import fjax` loads no markup.
        import html

        from fjax.callbacks.history_curves import TRAINING, history_panels
        from fjax.markup import FAINT, Curve, Mark, Panel, draw_panels, tag

        mark = None
        if self.best is not None:
            ring = Mark(self.best_epoch + 1, self.best, self._best_text())
            mark = (str(self.monitor), ring)
        panels = history_panels(self.history, self.epoch, None, self.metrics, mark)
        if self._batches:
            title = f"loss within epoch {self._current + 1}"
            x, y = np.array(self._batches), np.array(self._batch_losses)
            panels.append(Panel(title, [Curve("mean so far", TRAINING, x, y)], axis="batch"))
        line = tag("div", html.escape(status), style=f"font-size:.9em;margin:2px 0 8px;{FAINT}")
        return tag("div", line, draw_panels(panels), style="max-width:1080px")

    def _terminal_line(self) -> str:
        """Return the run as one line, with a curve of blocks if the terminal has them."""
        parts = self._status(is_last=True)
        name = self.monitor if self.monitor in self.history else next(iter(self.history), "")
        values = [value for value in self.history.get(name, ()) if np.ndim(value) == 0]
        numbers = [float(value) for value in values if value is not None]
        if numbers:
            curve = f"{sparkline(numbers)} " if can_encode(sys.stdout, SPARKS) else ""
            parts.insert(1, f"{name} {curve}{numbers[-1]:.4g}")
        return " - ".join(parts)


def sparkline(values: Sequence[float]) -> str:
    """Return numbers as a line of blocks, at most `MAX_SPARKS`.

    >>> sparkline([3.0, 2.0, 1.0, float("nan"), 0.0])
    '█▆▃ ▁'
    """
    array = np.asarray(values, np.float64)
    if len(array) > MAX_SPARKS:
        array = array[np.linspace(0, len(array) - 1, MAX_SPARKS).round().astype(int)]
    finite = array[np.isfinite(array)]
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 0.0)
    levels = (array - low) / (high - low or 1.0) * (len(SPARKS) - 1)
    return "".join(SPARKS[round(level)] if np.isfinite(level) else " " for level in levels)
