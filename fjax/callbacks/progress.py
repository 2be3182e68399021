"""Show the progress of a run: a moving bar, or a line per epoch."""

import time
from collections.abc import Mapping
from typing import Any

from fjax.callbacks.bar import Bar, format_duration, format_logs
from fjax.callbacks.callback import Callback, Logs
from fjax.languages import phrase


class ProgbarLogger(Callback):
    """Show a tqdm progress bar (`verbose=1`) or print a line per epoch (`verbose=2`).

    With `verbose=1`, each epoch ends with one line of text: its steps, its time including the
    validation, the time of a training step excluding compilation, and all logs. During an epoch
    that takes longer than a tenth of a second, a bar with the remaining time moves in that line. A
    file or pipe, in which text cannot be overwritten, receives one line per minute instead.
    `evaluate` and `predict` show their progress in the same way.

    `fit`, `evaluate` and `predict` add this callback themselves; pass your own to change its
    position among the callbacks.

    Source: Keras's page "ProgbarLogger".

    >>> import numpy as np
    >>> import fjax
    >>> model = fjax.Sequential([fjax.layers.Dense(1, input_shape=(2,))])
    >>> model.compile("sgd", "mse")
    >>> history = model.fit(np.zeros((64, 2)), np.zeros(64), verbose=1)
    Epoch 1/1: 100%|██████████| 2/2 [..., .../step, loss: 0.0000]
    """

    only_first_process = True

    # Whether no other callback can print; `CallbackList` sets it.
    is_alone = False

    def __init__(self) -> None:
        super().__init__()
        self._bar = Bar()
        self._start = 0.0
        self._epochs = 1
        self._compiled = False
        # "train", "test" or "predict"; during a validation within `fit`, "train".
        self._mode: str | None = None

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Set `params`, and remove the bar of an earlier run that was interrupted."""
        super().set_params(params)
        self._mode = None
        self._bar.erase()

    def has_bar(self, mode: str) -> bool:
        """Return whether a bar must be updated during the steps of this mode."""
        return self.params.get("verbose") == 1 and mode == (self._mode or mode)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Read the number of epochs."""
        self._epochs = self.params["epochs"]
        self._mode, self._compiled = "train", False

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Write the last line."""
        self._mode = None
        self._bar.flush()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Begin the epoch's line."""
        title = phrase("Epoch {epoch}/{epochs}", epoch=epoch + 1, epochs=self._epochs)
        if self.params["verbose"] == 1:
            self._begin(title, compiles=not self._compiled)
            self._compiled = True
        elif self.params["verbose"]:
            self._start = time.perf_counter()
            print(title)

    def on_epoch_resume(self, epoch: int, batch: int) -> None:
        """Begin the epoch's line."""
        self.on_epoch_begin(epoch)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Update the bar."""
        if self.params["verbose"] == 1:
            self._bar.update(batch + 1, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """End the epoch's line with all its logs."""
        # Only if nothing else prints may the line be written after the next epoch has begun.
        self._end(logs or {}, may_wait=self.is_alone and epoch + 1 < self._epochs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Begin a line, or show in the epoch's line that the validation runs."""
        if self._mode is None:
            self._begin_evaluation("test", phrase("Evaluate"))
        elif self.params["verbose"] == 1:
            self._bar.stop_clock()
            if self._bar.is_visible:
                self._bar.set_status(phrase("validating"))

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Update the bar, unless the evaluation is part of `fit`."""
        if self._mode == "test" and self.params["verbose"] == 1:
            self._bar.update(batch + 1, logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """End the line with the result, unless the evaluation is part of `fit`."""
        if self._mode == "test":
            self._end(logs or {})
            self._bar.flush()
            self._mode = None
        elif self.params["verbose"] == 1:
            self._bar.erase()

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Begin a line."""
        self._begin_evaluation("predict", phrase("Predict"))

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Update the bar; it does not show the outputs."""
        if self.params["verbose"] == 1:
            self._bar.update(batch + 1)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """End the line with the time taken."""
        self._end({})
        self._bar.flush()
        self._mode = None

    def _begin_evaluation(self, mode: str, title: str) -> None:
        self._mode = mode
        if self.params["verbose"] == 1:
            self._begin(title, compiles=True)
        else:
            self._start = time.perf_counter()

    def _begin(self, title: str, compiles: bool) -> None:
        self._bar.begin(title, self.params.get("steps"), compiles)
        if compiles:
            self._bar.set_status(phrase("compiling"))

    def _end(self, logs: Mapping[str, Any], may_wait: bool = False) -> None:
        if self.params["verbose"] == 1:
            self._bar.end(logs, may_wait)
        elif self.params["verbose"]:
            self._print_line(logs)

    def _print_line(self, logs: Mapping[str, Any]) -> None:
        seconds = time.perf_counter() - self._start
        steps = self.params.get("steps")
        parts = [f"{steps}/{steps}"] if steps else []
        parts.append(format_duration(seconds))
        if steps:
            parts.append(phrase("{time}/step", time=format_duration(seconds / steps)))
        numbers = format_logs(logs)
        print(" - ".join([*parts, numbers] if numbers else parts), flush=True)
