"""All callbacks of a run as one, and the steps after which they are called."""

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
from fjax.typing import Array, HasMonitor


class CallbackList:
    """The callbacks of one run, called in order on the main thread.

    Args:
        callbacks: The user's callbacks: one, a list, a `CallbackList`, or None. A `History` is
            appended if there is none, and a `ProgbarLogger` if `verbose` is not 0.
        model: The model; each callback receives it by `set_model`.
        verbose: 0 is silent, 1 shows a progress bar, 2 prints a line per epoch.
        is_first: Whether this is the first process of the run, or the only one. In the others,
            nothing is shown, and callbacks that only write are not called.
        params: More entries, beside `verbose`, of what each callback receives by `set_params`.

    Attributes:
        callbacks: The callbacks that are called.
        inactive: Those that only the first process calls.

    Raises:
        TypeError: An item is not a callback.
    """

    def __init__(
        self,
        callbacks: Any,
        model: Any,
        verbose: int = 0,
        is_first: bool = True,
        **params: Any,
    ) -> None:
        self.callbacks, self.inactive = list_callbacks(callbacks), list[Callback]()
        if not is_first:
            verbose = 0
            self._silence()
        if verbose and not any(isinstance(c, ProgbarLogger) for c in self.callbacks):
            self.callbacks.append(ProgbarLogger())
        histories = [c for c in self.callbacks if isinstance(c, History)]
        self.history = histories[0] if histories else History()
        if not histories:
            self.callbacks.append(self.history)
        self.model = model
        for callback in self.callbacks:
            callback.set_model(model)
            callback.set_params({"verbose": verbose, **params})
            if isinstance(callback, ProgbarLogger):
                callback.is_alone = len(self.callbacks) == 2

    def _silence(self) -> None:
        self.inactive = [each for each in self.callbacks if each.only_first_process]
        self.callbacks = [each for each in self.callbacks if not each.only_first_process]
        for callback in self.callbacks:
            if "verbose" in vars(callback):
                vars(callback)["verbose"] = 0

    def call(self, hook: str, *args: Any) -> None:
        """Call one hook of every callback."""
        for callback in self.callbacks:
            getattr(callback, hook)(*args)

    def steps(self, mode: str) -> "StepCallbacks":
        """Return what the loop calls at the steps of "train", "test" or "predict"."""
        return StepCallbacks(self, mode)

    def wrap_programs(self, programs: Programs) -> Programs:
        """Return the training programs, wrapped by the callbacks that record their inputs."""
        for callback in self.callbacks:
            if isinstance(callback, TerminateOnNaN):
                programs = callback.wrap_programs(programs)
        return programs

    def check_monitors(self, directions: Mapping[str, str | None]) -> None:
        """Raise ValueError if a callback monitors a log that the run will not have.

        Callbacks behind one that may add any log are not checked.

        Args:
            directions: For each log of the run, which values are better: "up", "down", or None if
                unknown.
        """
        known, may_have_others = dict(directions), False
        for callback in self.callbacks:
            monitor = callback.monitor if isinstance(callback, HasMonitor) else None
            if isinstance(monitor, str) and monitor not in known and not may_have_others:
                raise _not_logged(callback, monitor, sorted(known))
            if isinstance(callback, MonitorCallback):
                callback.prepare(known)
            added = _added_logs(callback)
            known |= dict.fromkeys(added or ())
            may_have_others = may_have_others or added is None


# The attributes of a model by which a callback stops a run.
STOP_FLAGS = {"train": "stop_training", "test": "stop_evaluating", "predict": "stop_predicting"}


class StepCallbacks:
    """The batch hooks of all callbacks, as the loop calls them.

    Args:
        callbacks: The callbacks of the run.
        mode: "train", "test" or "predict".

    Attributes:
        needs_each_step: Whether a callback has a batch hook, so that the loop stops at every step.
        shows_progress: Whether a progress bar moves during the run.
    """

    def __init__(self, callbacks: CallbackList, mode: str) -> None:
        self._callbacks = callbacks
        self._stop_flag = STOP_FLAGS[mode]
        if mode != "train" and callbacks.model is not None:
            setattr(callbacks.model, self._stop_flag, False)
        self._begin = f"on_{mode}_batch_begin"
        self._end = f"on_{mode}_batch_end"
        hooks = [self._begin, self._end]
        if mode == "train":
            hooks += ["on_batch_begin", "on_batch_end"]
        bars = [c for c in callbacks.callbacks if isinstance(c, ProgbarLogger)]
        others = [c for c in callbacks.callbacks if not isinstance(c, ProgbarLogger)]
        self.needs_each_step = any(defines(c, hook) for c in others for hook in hooks)
        self.shows_progress = any(bar.has_bar(mode) for bar in bars)
        self._calls_hooks = self.needs_each_step or self.shows_progress

    def longest_chunk(self) -> int | None:
        """Return None: callbacks do not limit how many steps run as one program."""

    def on_step_begin(self, step: int) -> None:
        """Call the begin hooks, if callbacks need each step."""
        if self.needs_each_step:
            self._callbacks.call(self._begin, step, {})

    def on_step_end(self, step: int, logs: Mapping[str, Array]) -> bool:
        """Call the end hooks, and return whether a callback has stopped the run."""
        if self._calls_hooks:
            self._callbacks.call(self._end, step, LazyLogs(logs))
        return bool(getattr(self._callbacks.model, self._stop_flag, False))


def defines(callback: Callback, hook: str) -> bool:
    """Return whether a callback overrides a hook of `Callback`.

    >>> defines(History(), "on_epoch_end"), defines(History(), "on_batch_end")
    (True, False)
    """
    method = getattr(callback, hook)
    return getattr(method, "__func__", method) is not getattr(Callback, hook)


def _added_logs(callback: Callback) -> tuple[str, ...] | None:
    """Return the logs that a callback adds to those of an epoch; None if unknown."""
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


def list_callbacks(callbacks: Any) -> list[Callback]:
    """Return callbacks as a new list, where one, several, a `CallbackList` or None were given.

    Raises:
        TypeError: An item is not a callback.
    """
    if callbacks is None:
        return []
    if isinstance(callbacks, CallbackList):
        return list(callbacks.callbacks)
    items = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]
    for item in items:
        if isinstance(item, type) or not isinstance(item, Callback):
            raise TypeError(
                f"`callbacks` must hold `fjax.callbacks.Callback` objects, received {item!r}."
                + (f" Call it: `{item.__name__}()`." if isinstance(item, type) else "")
            )
    return items
