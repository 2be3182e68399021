"""Reduce the learning rate of a training that does not improve."""

from typing import Any

import numpy as np

from fjax.callbacks.callback import Logs
from fjax.callbacks.learning_rates import log_rate, require_settable_rate
from fjax.callbacks.monitor import MonitorCallback
from fjax.errors import explain_keywords, integer_at_least, number_between
from fjax.languages import phrase


class ReduceLROnPlateau(MonitorCallback):
    """Multiply the learning rate by a factor when a log has not improved for some epochs.

    Args:
        monitor: The log to watch.
        factor: The factor, between 0 and 1.
        patience: How many epochs without improvement reduce the rate.
        verbose: 1 prints each change, 0 nothing.
        mode: "min" if lower values are better, "max" if higher values are, "auto" to use the
            metric's own direction.
        min_delta: Smaller changes are not improvements.
        cooldown: How many epochs after a reduction do not count as epochs without improvement.
        min_lr: The smallest learning rate.

    Attributes:
        wait: Epochs since the last improvement.
        best: The best value so far, or None.
        cooldown_counter: How many epochs of the cooldown are left.

    Raises:
        ValueError: An argument is invalid; or, before training, the run has no such log or its
            direction is unknown.
        TypeError: Before training: the optimizer's learning rate follows a schedule.

    The callback adds `learning_rate` to the logs of each epoch. An epoch without the log, such as
    one without validation, is ignored. A new rate needs no recompilation.

    Source: Keras's page "ReduceLROnPlateau".

    >>> from fjax import Sequential
    >>> from fjax.layers import Dense
    >>> model = Sequential([Dense(1)], seed=0)
    >>> model.compile("sgd", "mse")
    >>> reduce = ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=100.0)
    >>> history = model.fit(np.ones((8, 2)), np.ones(8), epochs=3, verbose=0, callbacks=[reduce])
    >>> print(np.round(history.history["learning_rate"], 4), model.optimizer.learning_rate < 0.003)
    [0.01  0.01  0.005] True
    """

    _added_logs = ("learning_rate",)

    wait: int
    best: float | None
    cooldown_counter: int

    @explain_keywords
    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta, verbose)
        owner = type(self).__name__
        self.factor = number_between(
            owner, "factor", factor, 0.0, 1.0, open_low=True, open_high=True
        )
        self.patience = integer_at_least(owner, "patience", patience, 0)
        self.cooldown = integer_at_least(owner, "cooldown", cooldown, 0)
        self.min_lr = number_between(owner, "min_lr", min_lr, 0.0)

    def first_state(self) -> dict[str, Any]:
        """Return the state before the first epoch."""
        return {"wait": 0, "best": None, "cooldown_counter": 0}

    def in_cooldown(self) -> bool:
        """Return whether the rate was reduced so recently that epochs do not count."""
        return self.cooldown_counter > 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Reset or restore the state, and check that the learning rate can be set."""
        super().on_train_begin(logs)
        require_settable_rate(self)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the epoch with the best one, and reduce the rate if patience has run out."""
        log_rate(self, logs)
        value = self.monitored(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.is_better(value, self.best):
            self.best = value
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        rate = float(self.model.optimizer.learning_rate)
        # The rate is a float32, which may differ from `min_lr` by rounding.
        if rate <= np.float32(self.min_lr):
            return
        rate = max(rate * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = rate
        self.cooldown_counter = self.cooldown
        self.wait = 0
        if self.verbose:
            text = "Epoch {epoch}: the learning rate is {rate:g} from now on."
            print(phrase(text, epoch=epoch + 1, rate=rate))
