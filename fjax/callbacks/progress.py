"""What a run shows of itself: a bar that moves, or a line an epoch."""

import sys
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from fjax.callbacks.callback import Callback, Logs


class ProgbarLogger(Callback):
    """Show the progress of training, by a tqdm bar (`verbose=1`) or a line an epoch (`verbose=2`).

    Source: Keras's page "ProgbarLogger".
    """

    def __init__(self) -> None:
        super().__init__()
        self._bar: Any = None
        self._started = 0.0
        self._epochs = 1
        self._training = False

    @property
    def draws(self) -> bool:
        """Whether it shows a bar that wants to be moved."""
        return self.params.get("verbose") == 1

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Remember how many epochs there will be."""
        self._epochs = self.params["epochs"]
        self._training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Leave the last line as it is."""
        self._training = False
        self._close()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Begin the epoch's line."""
        self._started = time.perf_counter()
        title = f"Epoch {epoch + 1}/{self._epochs}"
        if self.draws:
            self._open(title)
            self._bar.set_postfix_str("compiling" if epoch == 0 else "")
        elif self.params["verbose"]:
            print(title)

    def on_epoch_resume(self, epoch: int, batch: int) -> None:
        """Show the epoch as when it began."""
        self.on_epoch_begin(epoch)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.update(batch + 1 - self._bar.n)
            self._bar.set_postfix_str(shown(logs or {}), refresh=False)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """End the epoch's line with all its logs."""
        if self._bar is not None:
            self._bar.set_postfix_str(shown(logs or {}))
            self._close()
        elif self.params["verbose"]:
            self._line(logs or {})

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Note the time, where the evaluation is no part of `fit`."""
        if not self._training:
            self._started = time.perf_counter()

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Print the result, where the evaluation is no part of `fit`."""
        if not self._training and self.params["verbose"]:
            self._line(logs or {})

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Note the time."""
        self._started = time.perf_counter()

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Print how long it took."""
        if self.params["verbose"]:
            self._line({})

    def _open(self, title: str) -> None:
        # tqdm is loaded where it is used: a silent run does without.
        from tqdm.auto import tqdm

        self._close()
        self._bar = tqdm(
            total=self.params.get("steps"), desc=title, file=sys.stdout, unit="step", leave=True
        )

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _line(self, logs: Mapping[str, Any]) -> None:
        seconds = time.perf_counter() - self._started
        steps = self.params.get("steps")
        parts = [f"{steps}/{steps}"] if steps else []
        parts.append(duration(seconds))
        if steps:
            parts.append(f"{duration(seconds / steps)}/step")
        numbers = shown(logs)
        print(" - ".join([*parts, numbers] if numbers else parts))


def shown(logs: Mapping[str, Any]) -> str:
    """Return logs as one line, as Keras writes them.

    >>> shown({"accuracy": 0.9, "loss": 1.23456e-5})
    'accuracy: 0.9000 - loss: 1.2346e-05'
    """
    return " - ".join(f"{name}: {_number(value)}" for name, value in logs.items())


def duration(seconds: float) -> str:
    """Return a duration in the unit that fits it.

    >>> duration(0.0000123), duration(0.0123), duration(2.34), duration(23.4)
    ('12us', '12ms', '2.3s', '23s')
    """
    if seconds >= 1:
        return f"{seconds:.1f}s" if seconds < 10 else f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def _number(value: Any) -> str:
    if np.ndim(value):
        return "[" + ", ".join(_number(item) for item in np.ravel(value)) + "]"
    return f"{value:.4f}" if abs(value) >= 1e-3 or value == 0 else f"{value:.4e}"
