"""What a run shows of itself: a bar that moves, or a line an epoch."""

import time
from collections.abc import Mapping
from typing import Any

from fjax.callbacks.bar import Bar, duration, shown
from fjax.callbacks.callback import Callback, Logs


class ProgbarLogger(Callback):
    """Show the progress of training, by a tqdm bar (`verbose=1`) or a line an epoch (`verbose=2`).

    With `verbose=1` each epoch ends as one line of text: its steps, its time with the validation,
    the time of a training step without what was spent compiling, and all logs. While an epoch takes
    longer than a tenth of a second a bar moves in its place, with the time left; in a file or pipe,
    where nothing can be drawn over, a line a minute is printed instead. `evaluate` and `predict`
    show theirs in the same way.

    `fit`, `evaluate` and `predict` add one by themselves; give your own to change its place among
    the callbacks.

    Source: Keras's page "ProgbarLogger".

    >>> import numpy as np
    >>> import fjax
    >>> model = fjax.Sequential([fjax.layers.Dense(1, input_shape=(2,))])
    >>> model.compile("sgd", "mse")
    >>> history = model.fit(np.zeros((64, 2)), np.zeros(64), verbose=1)
    Epoch 1/1: 100%|██████████| 2/2 [..., .../step, loss: 0.0000]
    """

    # Whether no other callback may print; the list of callbacks tells.
    is_alone = False

    def __init__(self) -> None:
        super().__init__()
        self._bar = Bar()
        self._started = 0.0
        self._epochs = 1
        self._compiled = False
        # "train", "test" or "predict"; the validation within a training is a part of that.
        self._mode: str | None = None

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Take what the run's length is; a run before may have been interrupted."""
        super().set_params(params)
        self._mode = None
        self._bar.erase()

    def moves(self, mode: str) -> bool:
        """Tell whether it shows a bar that wants to hear of the steps of this mode."""
        return self.params.get("verbose") == 1 and mode == (self._mode or mode)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Remember how many epochs there will be."""
        self._epochs = self.params["epochs"]
        self._mode, self._compiled = "train", False

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Leave the last line as it is."""
        self._mode = None
        self._bar.flush()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Begin the epoch's line."""
        title = f"Epoch {epoch + 1}/{self._epochs}"
        if self.params["verbose"] == 1:
            self._begin(title, compiles=not self._compiled)
            self._compiled = True
        elif self.params["verbose"]:
            self._started = time.perf_counter()
            print(title)

    def on_epoch_resume(self, epoch: int, batch: int) -> None:
        """Show the epoch as when it began."""
        self.on_epoch_begin(epoch)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move the bar."""
        if self.params["verbose"] == 1:
            self._bar.move(batch + 1, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """End the epoch's line with all its logs."""
        self._end(logs or {}, at_leisure=self.is_alone and epoch + 1 < self._epochs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Begin a line, or tell in the epoch's that the validation goes on."""
        if self._mode is None:
            self._begin_alone("test", "Evaluate")
        elif self.params["verbose"] == 1:
            self._bar.all_made()
            if self._bar.has_been_long:
                self._bar.note("validating")

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move the bar, where the evaluation is no part of `fit`."""
        if self._mode == "test" and self.params["verbose"] == 1:
            self._bar.move(batch + 1, logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """End the line with the result, where the evaluation is no part of `fit`."""
        if self._mode == "test":
            self._end(logs or {})
            self._bar.flush()
            self._mode = None
        elif self.params["verbose"] == 1:
            self._bar.erase()

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Begin a line."""
        self._begin_alone("predict", "Predict")

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move the bar; the outputs are no logs that it shows."""
        if self.params["verbose"] == 1:
            self._bar.move(batch + 1)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """End the line with how long it took."""
        self._end({})
        self._bar.flush()
        self._mode = None

    def _begin_alone(self, mode: str, title: str) -> None:
        self._mode = mode
        if self.params["verbose"] == 1:
            self._begin(title, compiles=True)
        else:
            self._started = time.perf_counter()

    def _begin(self, title: str, compiles: bool) -> None:
        self._bar.begin(title, self.params.get("steps"), first_is_slow=compiles)
        if compiles:
            self._bar.note("compiling")

    def _end(self, logs: Mapping[str, Any], at_leisure: bool = False) -> None:
        if self.params["verbose"] == 1:
            self._bar.end(logs, at_leisure)
        elif self.params["verbose"]:
            self._line(logs)

    def _line(self, logs: Mapping[str, Any]) -> None:
        seconds = time.perf_counter() - self._started
        steps = self.params.get("steps")
        parts = [f"{steps}/{steps}"] if steps else []
        parts.append(duration(seconds))
        if steps:
            parts.append(f"{duration(seconds / steps)}/step")
        numbers = shown(logs)
        print(" - ".join([*parts, numbers] if numbers else parts), flush=True)
