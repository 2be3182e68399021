"""The end of a training that gets no better."""

from typing import Any

import numpy as np

from fjax.callbacks.callback import Logs
from fjax.callbacks.monitor import MonitorCallback
from fjax.errors import explain_keywords, integer_at_least, number_between, one_of


class EarlyStopping(MonitorCallback):
    """Stop training when a log has not become better for some epochs.

    Args:
        monitor: The log to watch.
        min_delta: A change of less is none.
        patience: After how many epochs without a better value to stop.
        verbose: 1 prints what is done, 0 nothing.
        mode: "min" where less is better, "max" where more is, "auto" as the metric says of itself.
        baseline: Epochs that do not beat this value count as no better, however they compare with
            those before.
        restore_best_weights: Whether to end with the weights of the best epoch. These are the
            weights as in `get_weights`; the optimizer's state stays.
        start_from_epoch: Epochs before this one, counted from 0, are not looked at.

    Attributes:
        wait: Epochs since the last better value.
        best: The best value so far, None before the first.
        best_epoch: Its epoch, from 0.
        best_weights: The weights then, in the order of `get_weights`, where they are restored.
        stopped_epoch: The epoch after which training was stopped, else 0.

    Raises:
        ValueError: An argument is impossible; or, before training, the log does not exist or its
            direction is not known.

    An epoch without the log, as one without validation, is passed over.

    Source: Keras's page "EarlyStopping".

    >>> from fjax import Sequential
    >>> from fjax.layers import Dense
    >>> model = Sequential([Dense(1)], seed=0)
    >>> model.compile("sgd", "mse")
    >>> stop = EarlyStopping("loss", min_delta=100.0, patience=2)
    >>> history = model.fit(np.ones((8, 2)), np.ones(8), epochs=10, verbose=0, callbacks=[stop])
    >>> len(history.epoch), stop.stopped_epoch, stop.best_epoch
    (3, 2, 0)
    """

    _added_logs = ()

    wait: int
    best: float | None
    best_epoch: int
    best_weights: list[np.ndarray] | None
    stopped_epoch: int

    @explain_keywords
    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        owner = type(self).__name__
        self.patience = integer_at_least(owner, "patience", patience, 0)
        self.verbose = one_of(owner, "verbose", verbose, [0, 1, 2])
        if baseline is not None:
            baseline = number_between(owner, "baseline", baseline, -float("inf"))
        self.baseline = baseline
        self.restore_best_weights = one_of(
            owner, "restore_best_weights", restore_best_weights, [False, True]
        )
        self.start_from_epoch = integer_at_least(owner, "start_from_epoch", start_from_epoch, 0)

    def first_state(self) -> dict[str, Any]:
        """Return what a training begins with: nothing is known."""
        return {
            "wait": 0, "best": None, "best_epoch": 0, "best_weights": None, "stopped_epoch": 0,
        }  # fmt: skip

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin anew, or go on; a run that was stopped already stays so."""
        super().on_train_begin(logs)
        if self.stopped_epoch > 0:
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the epoch with the best one."""
        value = self.monitored(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep(epoch)
        self.wait += 1
        if self.is_better(value, self.best):
            self.best = value
            self._keep(epoch)
            if self.baseline is None or self.is_better(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Put the best weights back, if they are asked for."""
        super().on_train_end(logs)
        if self.stopped_epoch > 0 and self.verbose:
            print(
                f"Epoch {self.stopped_epoch + 1}: stopped early; {self.monitor} was best in epoch "
                f"{self.best_epoch + 1}."
            )
        if self.restore_best_weights and self.best_weights is not None:
            self.model.set_weights(self.best_weights)
            if self.verbose:
                print(f"The weights are those of epoch {self.best_epoch + 1} again.")

    def _keep(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()
