"""All callbacks of a run as one, and what they want to hear."""

from collections.abc import Mapping
from typing import Any

from fjax.callbacks.callback import Callback
from fjax.callbacks.history import History
from fjax.callbacks.lazy_logs import LazyLogs
from fjax.callbacks.monitor import MonitorCallback
from fjax.callbacks.progress import ProgbarLogger
from fjax.callbacks.terminate_on_nan import TerminateOnNaN
from fjax.errors import suggestion
from fjax.training import Programs
from fjax.typing import Array


class CallbackList:
    """The callbacks of one run, called in order on the main thread.

    Args:
        callbacks: The user's: one, several, a `CallbackList`, or None. A `History` is appended
            where there is none, and a `ProgbarLogger` where the run shows its progress.
        model: Handed to each callback.
        verbose: 0 is silent, 1 a progress bar, 2 a line an epoch.
        params: Handed to each callback, beside `verbose`.

    Raises:
        TypeError: Something is no callback.
    """

    def __init__(
        self,
        callbacks: Any,
        model: Any,
        verbose: int = 0,
        **params: Any,
    ) -> None:
        self.callbacks = _listed(callbacks)
        if verbose and not any(isinstance(c, ProgbarLogger) for c in self.callbacks):
            self.callbacks.append(ProgbarLogger())
        recorded = [c for c in self.callbacks if isinstance(c, History)]
        self.history = recorded[0] if recorded else History()
        if not recorded:
            self.callbacks.append(self.history)
        self.model = model
        for callback in self.callbacks:
            callback.set_model(model)
            callback.set_params({"verbose": verbose, **params})
            if isinstance(callback, ProgbarLogger):
                callback.is_alone = len(self.callbacks) == 2

    def call(self, hook: str, *args: Any) -> None:
        """Call one hook of every callback."""
        for callback in self.callbacks:
            getattr(callback, hook)(*args)

    def steps(self, mode: str) -> "StepListener":
        """Return the listener for the steps of "train", "test" or "predict"."""
        return StepListener(self, mode)

    def watched(self, programs: Programs) -> Programs:
        """Return the programs of training, as the callbacks that watch them have them run."""
        for callback in self.callbacks:
            if isinstance(callback, TerminateOnNaN):
                programs = callback.watched(programs)
        return programs

    def check_monitors(self, directions: Mapping[str, str | None]) -> None:
        """Raise ValueError if a callback monitors a log that the run will not have.

        A callback before it may add logs of its own; then nothing can be said.

        Args:
            directions: For each log of the run where it is better: "up", "down", None if unknown.
        """
        known, anything = dict(directions), False
        for callback in self.callbacks:
            monitor = getattr(callback, "monitor", None)
            if isinstance(monitor, str) and monitor not in known and not anything:
                raise _not_logged(callback, monitor, sorted(known))
            if isinstance(callback, MonitorCallback):
                callback.prepare(known)
            added = _added_logs(callback)
            known |= dict.fromkeys(added or ())
            anything = anything or added is None


class StepListener:
    """What the loop tells of its steps, handed on to the batch hooks of all callbacks."""

    def __init__(self, callbacks: CallbackList, mode: str) -> None:
        self._callbacks = callbacks
        self._stops = mode == "train"
        self._begin = f"on_{mode}_batch_begin"
        self._end = f"on_{mode}_batch_end"
        hooks = [self._begin, self._end]
        if mode == "train":
            hooks += ["on_batch_begin", "on_batch_end"]
        bars = [c for c in callbacks.callbacks if isinstance(c, ProgbarLogger)]
        others = [c for c in callbacks.callbacks if not isinstance(c, ProgbarLogger)]
        self.needs_each_step = any(defines(c, hook) for c in others for hook in hooks)
        self.shows_progress = any(bar.moves(mode) for bar in bars)
        self._listening = self.needs_each_step or self.shows_progress

    def longest_chunk(self) -> int | None:
        """Return None: steps that nobody hears are made at once."""

    def on_step_begin(self, step: int) -> None:
        """Call the begin hooks, if every step is heard."""
        if self.needs_each_step:
            self._callbacks.call(self._begin, step, {})

    def on_step_end(self, step: int, logs: Mapping[str, Array]) -> bool:
        """Call the end hooks, and tell whether the run is to stop."""
        if self._listening:
            self._callbacks.call(self._end, step, LazyLogs(logs))
        return self._stops and bool(self._callbacks.model.stop_training)


def defines(callback: Callback, hook: str) -> bool:
    """Tell whether a callback has a hook of its own.

    >>> defines(History(), "on_epoch_end"), defines(History(), "on_batch_end")
    (True, False)
    """
    method = getattr(callback, hook)
    return getattr(method, "__func__", method) is not getattr(Callback, hook)


def _added_logs(callback: Callback) -> tuple[str, ...] | None:
    """Return what a callback adds to the logs of an epoch; None where it may be anything."""
    if not defines(callback, "on_epoch_end"):
        return ()
    return vars(type(callback)).get("_added_logs")


def _not_logged(callback: Callback, monitor: str, known: list[str]) -> ValueError:
    hint = suggestion(monitor, known)
    if monitor.startswith("val_") and not any(name.startswith("val_") for name in known):
        hint = " Give `fit` a `validation_split` or `validation_data`."
    return ValueError(
        f"`{type(callback).__name__}` monitors {monitor!r}, which this run does not log."
        f"{hint} Logged: {', '.join(known)}."
    )


def _listed(callbacks: Any) -> list[Callback]:
    if callbacks is None:
        return []
    if isinstance(callbacks, CallbackList):
        return list(callbacks.callbacks)
    listed = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]
    for callback in listed:
        if isinstance(callback, type) or not isinstance(callback, Callback):
            raise TypeError(
                f"`callbacks` must hold `fjax.callbacks.Callback` objects, received {callback!r}."
                + (f" Call it: `{callback.__name__}()`." if isinstance(callback, type) else "")
            )
    return listed
