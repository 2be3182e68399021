"""A smaller learning rate where training gets no better."""

from typing import Any

import numpy as np

from fjax.callbacks.callback import Logs
from fjax.callbacks.learning_rates import log_rate, require_settable_rate
from fjax.callbacks.monitor import MonitorCallback
from fjax.errors import explain_keywords, integer_at_least, number_between, one_of


class ReduceLROnPlateau(MonitorCallback):
    """Multiply the learning rate by a factor when a log has not become better for some epochs.

    Args:
        monitor: The log to watch.
        factor: What the learning rate is multiplied by, between 0 and 1.
        patience: After how many epochs without a better value to do so.
        verbose: 1 prints each change, 0 nothing.
        mode: "min" where less is better, "max" where more is, "auto" as the metric says of itself.
        min_delta: A change of less is none.
        cooldown: How many epochs after a change are not counted.
        min_lr: The smallest learning rate.

    Attributes:
        wait: Epochs since the last better value.
        best: The best value so far, None before the first.
        cooldown_counter: Epochs that still are not counted.

    Raises:
        ValueError: An argument is impossible; or, before training, the log does not exist or its
            direction is not known.
        TypeError: Before training: the learning rate follows a schedule.

    It adds `learning_rate` to the logs of each epoch. An epoch without the log, as one without
    validation, is passed over. Nothing is compiled anew.

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
        super().__init__(monitor, mode, min_delta)
        owner = type(self).__name__
        self.factor = number_between(
            owner, "factor", factor, 0.0, 1.0, open_low=True, open_high=True
        )
        self.patience = integer_at_least(owner, "patience", patience, 0)
        self.verbose = one_of(owner, "verbose", verbose, [0, 1, 2])
        self.cooldown = integer_at_least(owner, "cooldown", cooldown, 0)
        self.min_lr = number_between(owner, "min_lr", min_lr, 0.0)

    def first_state(self) -> dict[str, Any]:
        """Return what a training begins with: nothing is known."""
        return {"wait": 0, "best": None, "cooldown_counter": 0}

    def in_cooldown(self) -> bool:
        """Tell whether epochs are not counted, for the rate was changed just before."""
        return self.cooldown_counter > 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin anew, or go on."""
        super().on_train_begin(logs)
        require_settable_rate(self)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the epoch with the best one."""
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
        # The rate is a float32: at its lowest it may be a little off `min_lr`.
        if rate <= np.float32(self.min_lr):
            return
        rate = max(rate * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = rate
        self.cooldown_counter = self.cooldown
        self.wait = 0
        if self.verbose:
            print(f"Epoch {epoch + 1}: the learning rate is {rate:g} from now on.")
