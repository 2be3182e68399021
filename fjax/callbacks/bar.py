"""A progress line: redrawn in a terminal or notebook, otherwise printed when it is complete."""

import sys
import time
from collections.abc import Mapping
from typing import Any, NamedTuple, TextIO

import numpy as np

from fjax.languages import phrase
from fjax.training.logs import losses_first
from fjax.typing import NotebookBar

# Seconds between two drawings in a terminal or notebook, and between two lines in a file.
REDRAW_SECONDS, PRINT_SECONDS = 0.1, 60.0

FULL_BAR, ASCII_FULL_BAR = "██████████", "##########"
FORMAT = "{desc}: {percentage:3.0f}%|{bar:10}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"
FORMAT_WITHOUT_TOTAL = "{desc}: {n_fmt} [{elapsed}{postfix}]"


class Bar:
    """One progress line at a time, from `begin` to `end`, with a count of steps between.

    In a terminal or notebook a tqdm bar moves, unless the steps take too short to see it, and ends
    as a line of text. A pipe or file receives only that line, and if the steps take long one more
    line per minute, as plain text in which nothing is overwritten.

    Args:
        stream: Where to write; by default, `sys.stdout` at the time when the line begins.

    >>> bar = Bar()
    >>> bar.begin("Epoch 1/2", steps=375)
    >>> bar.update(375)
    >>> bar.end({"loss": 0.25})  # doctest: +ELLIPSIS
    Epoch 1/2: 100%|██████████| 375/375 [..., .../step, loss: 0.2500]
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._requested_stream = stream
        self._stream: Any = None
        self._tqdm: Any = None
        self._pending: _Line | None = None

    def begin(self, title: str, steps: int | None, compiles: bool = False) -> None:
        """Begin a line.

        Args:
            title: The text before the bar.
            steps: How many steps there will be, or None if unknown.
            compiles: Whether the first steps include compilation; then the time of a step excludes
                them.
        """
        self.erase()
        stream = self._requested_stream or sys.stdout
        if stream is not self._stream:
            # Only for a new stream: an epoch may be as short as a few of these system calls.
            self._stream = stream
            self._redraws = can_redraw(stream)
            self._interval = REDRAW_SECONDS if self._redraws else PRINT_SECONDS
            self._full_bar = FULL_BAR if can_encode(stream, FULL_BAR) else ASCII_FULL_BAR
            self._last_flush = 0.0
        self._title, self._steps, self._step = title, steps, 0
        self._start = self._last_drawing = time.perf_counter()
        # When the last step ended; None while the device may still compute it.
        self._end_of_steps: float | None = None
        self._compiles = compiles
        # The step and the time from which the time of a step is measured.
        self._timed_from = (0, self._start)

    def update(self, step: int, logs: Mapping[str, Any] | None = None) -> None:
        """Set how many steps are done; logs are only read if they are drawn."""
        self._write_pending()
        now = time.perf_counter()
        is_last = step == self._steps
        self._step, self._end_of_steps = step, None if is_last else now
        if self._compiles:
            self._compiles = False
            if not is_last:
                self._timed_from = (step, now)
                self._restart_tqdm_clock(step)
        if is_last:
            # A notebook's widget stays until `end`: printed text does not get into its line.
            if logs and self._tqdm is not None and not isinstance(self._tqdm, NotebookBar):
                # Text that callbacks print after the last step begins on a new line. Reading the
                # logs waits for the device, so that the bar stays until the steps are done.
                dict(logs)
                self.stop_clock()
                self.erase()
        elif now - self._last_drawing >= self._interval:
            if self._redraws:
                is_timed = self._step > self._timed_from[0]
                step_time = _per_step(self._step_seconds()) if is_timed else ""
                # A narrow terminal cuts off the end of the line: the loss comes first.
                numbers = dict(logs or {})
                order = losses_first(numbers, by_name=False)
                self._draw(step_time, format_logs({name: numbers[name] for name in order}))
            else:
                self._pending = self._make_line(logs or {})
                self._write_pending()
            self._last_drawing = now

    def set_status(self, text: str) -> None:
        """Draw the bar with a word about what is happening, if the line can be redrawn."""
        if self._redraws:
            self._draw(text)

    @property
    def is_visible(self) -> bool:
        """Whether the line began long enough ago for the bar to be drawn."""
        return time.perf_counter() - self._start >= self._interval

    def stop_clock(self) -> None:
        """End the time of the steps now, unless it has ended: the device has computed them all."""
        if self._end_of_steps is None:
            self._end_of_steps = time.perf_counter()

    def end(self, logs: Mapping[str, Any], may_wait: bool = False) -> None:
        """Replace the bar by a line of text with all logs.

        Args:
            logs: The logs.
            may_wait: Whether the text may be written after the next steps were dispatched. Writing
                to a terminal takes longer than a step of a small network.
        """
        self.stop_clock()
        self.erase()
        self._pending = self._make_line(logs)
        if not may_wait or self.is_visible:
            self._write_pending()

    def flush(self) -> None:
        """Write the pending line."""
        self._write_pending()
        if self._stream is not None:
            self._stream.flush()

    def erase(self) -> None:
        """Remove the moving bar, if there is one."""
        if self._tqdm is not None:
            self._tqdm.leave = False
            self._tqdm.close()
            self._tqdm = None

    def _draw(self, *texts: str) -> None:
        if self._tqdm is None:
            self._tqdm = self._open_tqdm()
        self._tqdm.n = self._step
        self._tqdm.set_postfix_str(", ".join(text for text in texts if text), refresh=False)
        self._tqdm.refresh()

    def _open_tqdm(self) -> Any:
        # A silent run does not import tqdm.
        notebook = in_notebook()
        if notebook:
            from tqdm.auto import tqdm
        else:
            from tqdm.std import tqdm
        bar_format = FORMAT_WITHOUT_TOTAL if self._steps is None else FORMAT
        bar = tqdm(
            total=self._steps,
            desc=self._title,
            file=self._stream,
            bar_format=bar_format.replace("{bar:10}", "{bar}") if notebook else bar_format,
            dynamic_ncols=not notebook,
            position=0,
            initial=self._step,
        )
        step, start = self._timed_from
        bar.initial, bar.start_t = step, time.time() - (time.perf_counter() - start)
        return bar

    def _restart_tqdm_clock(self, step: int) -> None:
        """Let tqdm compute the remaining time from this step on."""
        if self._tqdm is not None:
            self._tqdm.initial = step
            self._tqdm.start_t = self._tqdm.last_print_t = time.time()

    def _step_seconds(self) -> float:
        step, start = self._timed_from
        if step == self._step:
            step, start = 0, self._start
        end = time.perf_counter() if self._end_of_steps is None else self._end_of_steps
        return (end - start) / max(self._step - step, 1)

    def _make_line(self, logs: Mapping[str, Any]) -> "_Line":
        seconds = time.perf_counter() - self._start
        return _Line(self._title, self._step, self._steps, seconds, self._step_seconds(), logs)

    def _write_pending(self) -> None:
        line, self._pending = self._pending, None
        if line is None:
            return
        self._stream.write(line.text(self._full_bar) + "\n")
        # Flush so that a file can be read while it grows, but not for each of hundreds of lines a
        # second.
        now = time.perf_counter()
        if now - self._last_flush >= REDRAW_SECONDS:
            self._stream.flush()
            self._last_flush = now


class _Line(NamedTuple):
    """The contents of a line of text."""

    title: str
    step: int
    steps: int | None
    seconds: float
    step_seconds: float
    logs: Mapping[str, Any]

    def text(self, full_bar: str) -> str:
        count = str(self.step)
        if self.steps is not None:
            fraction = self.step / self.steps
            count = f"{fraction:4.0%}|{full_bar[: int(10 * fraction)]:10}| {count}/{self.steps}"
        numbers = f", {format_logs(self.logs)}" if self.logs else ""
        times = f"{format_duration(self.seconds)}, {_per_step(self.step_seconds)}"
        return f"{self.title}: {count} [{times}{numbers}]"


def in_notebook() -> bool:
    """Return whether the code runs in a notebook's kernel, without importing IPython."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in shell.config


def can_redraw(stream: TextIO) -> bool:
    """Return whether text in a stream can be overwritten: in a terminal or a notebook."""
    return stream.isatty() or in_notebook()


def can_encode(stream: TextIO, text: str) -> bool:
    """Return whether the encoding of a stream has all characters of a text.

    >>> import io
    >>> can_encode(io.StringIO(), "█"), can_encode(io.TextIOWrapper(io.BytesIO(), "ascii"), "█")
    (True, False)
    """
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def format_logs(logs: Mapping[str, Any]) -> str:
    """Return logs as one line, as Keras writes them.

    >>> format_logs({"accuracy": 0.9, "loss": 1.23456e-5})
    'accuracy: 0.9000 - loss: 1.2346e-05'
    """
    return " - ".join(f"{name}: {_format_number(value)}" for name, value in logs.items())


def format_duration(seconds: float) -> str:
    """Return a duration in the unit that fits it.

    >>> [format_duration(seconds) for seconds in (0.0000123, 0.0123, 2.34, 23.4, 4000)]
    ['12us', '12ms', '2.3s', '23s', '1:06:40']
    """
    if seconds >= 3600:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
    if seconds >= 1:
        return f"{seconds:.1f}s" if seconds < 10 else f"{seconds:.0f}s"
    for size, unit in ((1e-3, "ms"), (1e-6, "us")):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds * 1e9:.0f}ns"


def _per_step(seconds: float) -> str:
    return phrase("{time}/step", time=format_duration(seconds))


def _format_number(value: Any) -> str:
    if not isinstance(value, float) and np.ndim(value):
        return "[" + ", ".join(_format_number(item) for item in np.ravel(value)) + "]"
    return f"{value:.4f}" if abs(value) >= 1e-3 or value == 0 else f"{value:.4e}"
