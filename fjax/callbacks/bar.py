"""A line that tells how far something is: moved where it can be drawn over, else printed once."""

import sys
import time
from collections.abc import Mapping
from typing import Any, NamedTuple, TextIO

import numpy as np

# Seconds between two drawings in a terminal or notebook, and between two lines in a file.
MOVING, PRINTING = 0.1, 60.0

FULL, ASCII_FULL = "██████████", "##########"
DRAWN = "{desc}: {percentage:3.0f}%|{bar:10}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"
DRAWN_WITHOUT_END = "{desc}: {n_fmt} [{elapsed}{postfix}]"


class Bar:
    """One line at a time, from `begin` to `end`, for steps that are counted in between.

    In a terminal and in a notebook a tqdm bar moves, if there is time to see it, and leaves a line
    of text. Into a pipe or a file goes that line alone, and one a minute where steps take long:
    plain text, in which nothing is drawn over.

    Args:
        stream: Where to write, by default `sys.stdout` as it is when the line begins.

    >>> bar = Bar()
    >>> bar.begin("Epoch 1/2", steps=375)
    >>> bar.move(375)
    >>> bar.end({"loss": 0.25})  # doctest: +ELLIPSIS
    Epoch 1/2: 100%|██████████| 375/375 [..., .../step, loss: 0.2500]
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._given = stream
        self._stream: Any = None
        self._tqdm: Any = None
        self._waiting: _Line | None = None

    def begin(self, title: str, steps: int | None, first_is_slow: bool = False) -> None:
        """Begin a line; where the first steps compile, they do not count in the time of a step."""
        self.erase()
        stream = self._given or sys.stdout
        if stream is not self._stream:
            # Asked once: an epoch may take no longer than a few such questions.
            self._stream = stream
            self._redraws = can_redraw(stream)
            self._interval = MOVING if self._redraws else PRINTING
            self._full = FULL if encodes(stream, FULL) else ASCII_FULL
            self._flushed = 0.0
        self._title, self._steps, self._made = title, steps, 0
        self._begun = self._drawn = time.perf_counter()
        # When the last step was made; None while the device may be still at it.
        self._last: float | None = None
        self._slow = first_is_slow
        self._timed_from = (0, self._begun)

    def move(self, made: int, logs: Mapping[str, Any] | None = None) -> None:
        """Tell that this many steps are made; logs are read only where something is shown."""
        self._put_out()
        now = time.perf_counter()
        self._made, self._last = made, None if made == self._steps else now
        if self._slow:
            self._slow = False
            if made != self._steps:
                self._timed_from = (made, now)
                self._forget_time(made)
        if made == self._steps:
            # A notebook's widget stays until the end: nobody prints into its line.
            if logs and self._tqdm is not None and not hasattr(self._tqdm, "container"):
                # What others print at the end of an epoch begins on a line of its own. Reading the
                # logs waits for the steps: the bar is there until they are made.
                dict(logs)
                self.all_made()
                self.erase()
        elif now - self._drawn >= self._interval:
            if self._redraws:
                timed = self._made > self._timed_from[0]
                a_step = f"{duration(self._time_a_step())}/step" if timed else ""
                # A narrow terminal cuts the end off: the loss goes first.
                numbers = dict(logs or {})
                first = {"loss": numbers["loss"]} if "loss" in numbers else {}
                self._draw(a_step, shown(first | numbers))
            else:
                self._waiting = self._line(logs or {})
                self._put_out()
            self._drawn = now

    def note(self, text: str) -> None:
        """Draw the bar with a word on what goes on, where it can be drawn over."""
        if self._redraws:
            self._draw(text)

    @property
    def has_been_long(self) -> bool:
        """Whether the line began so long ago that one has seen the bar."""
        return time.perf_counter() - self._begun >= self._interval

    def all_made(self) -> None:
        """Tell that the device is done with the steps, if it was not known: their time ends."""
        if self._last is None:
            self._last = time.perf_counter()

    def end(self, logs: Mapping[str, Any], at_leisure: bool = False) -> None:
        """Leave the line as text, with all logs; `at_leisure` when the device is busy again.

        To write into a terminal takes longer than a step of a small network.
        """
        self.all_made()
        self.erase()
        self._waiting = self._line(logs)
        if not at_leisure or self.has_been_long:
            self._put_out()

    def flush(self) -> None:
        """Put out what waits to be written."""
        self._put_out()
        if self._stream is not None:
            self._stream.flush()

    def erase(self) -> None:
        """Take the moving bar away, if there is one."""
        if self._tqdm is not None:
            self._tqdm.leave = False
            self._tqdm.close()
            self._tqdm = None

    def _draw(self, *words: str) -> None:
        if self._tqdm is None:
            self._tqdm = self._opened()
        self._tqdm.n = self._made
        self._tqdm.set_postfix_str(", ".join(word for word in words if word), refresh=False)
        self._tqdm.refresh()

    def _opened(self) -> Any:
        # tqdm is loaded where it is used: a silent run does without.
        notebook = in_notebook()
        if notebook:
            from tqdm.auto import tqdm
        else:
            from tqdm.std import tqdm
        form = DRAWN_WITHOUT_END if self._steps is None else DRAWN
        opened = tqdm(
            total=self._steps,
            desc=self._title,
            file=self._stream,
            bar_format=form.replace("{bar:10}", "{bar}") if notebook else form,
            dynamic_ncols=not notebook,
            position=0,
            initial=self._made,
        )
        made, begun = self._timed_from
        opened.initial, opened.start_t = made, time.time() - (time.perf_counter() - begun)
        return opened

    def _forget_time(self, made: int) -> None:
        """Let the time left be reckoned from here on."""
        if self._tqdm is not None:
            self._tqdm.initial = made
            self._tqdm.start_t = self._tqdm.last_print_t = time.time()

    def _time_a_step(self) -> float:
        made, begun = self._timed_from
        if made == self._made:
            made, begun = 0, self._begun
        last = time.perf_counter() if self._last is None else self._last
        return (last - begun) / max(self._made - made, 1)

    def _line(self, logs: Mapping[str, Any]) -> "_Line":
        seconds = time.perf_counter() - self._begun
        return _Line(self._title, self._made, self._steps, seconds, self._time_a_step(), logs)

    def _put_out(self) -> None:
        line, self._waiting = self._waiting, None
        if line is None:
            return
        self._stream.write(line.text(self._full) + "\n")
        # A file is to be read while it grows, but not at each of hundreds of lines a second.
        now = time.perf_counter()
        if now - self._flushed >= MOVING:
            self._stream.flush()
            self._flushed = now


class _Line(NamedTuple):
    """A line of text, all but written."""

    title: str
    made: int
    steps: int | None
    seconds: float
    a_step: float
    logs: Mapping[str, Any]

    def text(self, full: str) -> str:
        count = str(self.made)
        if self.steps is not None:
            share = self.made / self.steps
            count = f"{share:4.0%}|{full[: int(10 * share)]:10}| {count}/{self.steps}"
        numbers = f", {shown(self.logs)}" if self.logs else ""
        times = f"{duration(self.seconds)}, {duration(self.a_step)}/step"
        return f"{self.title}: {count} [{times}{numbers}]"


def in_notebook() -> bool:
    """Tell whether the code runs in a notebook's kernel; IPython is not loaded for it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in shell.config


def can_redraw(stream: TextIO) -> bool:
    """Tell whether what was written can be drawn over: in a terminal or a notebook it can."""
    return stream.isatty() or in_notebook()


def encodes(stream: TextIO, text: str) -> bool:
    """Tell whether a stream takes these letters.

    >>> import io
    >>> encodes(io.StringIO(), "█"), encodes(io.TextIOWrapper(io.BytesIO(), "ascii"), "█")
    (True, False)
    """
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def shown(logs: Mapping[str, Any]) -> str:
    """Return logs as one line, as Keras writes them.

    >>> shown({"accuracy": 0.9, "loss": 1.23456e-5})
    'accuracy: 0.9000 - loss: 1.2346e-05'
    """
    return " - ".join(f"{name}: {_number(value)}" for name, value in logs.items())


def duration(seconds: float) -> str:
    """Return a duration in the unit that fits it.

    >>> duration(0.0000123), duration(0.0123), duration(2.34), duration(23.4), duration(4000)
    ('12us', '12ms', '2.3s', '23s', '1:06:40')
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


def _number(value: Any) -> str:
    if not isinstance(value, float) and np.ndim(value):
        return "[" + ", ".join(_number(item) for item in np.ravel(value)) + "]"
    return f"{value:.4f}" if abs(value) >= 1e-3 or value == 0 else f"{value:.4e}"
