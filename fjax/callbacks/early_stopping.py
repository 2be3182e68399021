"""Stop a training that does not improve."""

from typing import Any

import numpy as np

from fjax.callbacks.callback import Logs
from fjax.callbacks.monitor import MonitorCallback
from fjax.errors import explain_keywords, integer_at_least, number_between, one_of
from fjax.languages import phrase


class EarlyStopping(MonitorCallback):
    """Stop training when a log has not improved for some epochs.

    Args:
        monitor: The log to watch.
        min_delta: Smaller changes are not improvements.
        patience: How many epochs without improvement end the training.
        verbose: 1 prints a message, 0 nothing.
        mode: "min" if lower values are better, "max" if higher values are, "auto" to use the
            metric's own direction.
        baseline: Epochs that are not better than this value do not reset `wait`, even if they
            improve on the epochs before.
        restore_best_weights: Whether to end with the weights of the best epoch, as returned by
            `get_weights`; the optimizer's state is not restored.
        start_from_epoch: Ignore the epochs before this one, counted from 0.

    Attributes:
        wait: Epochs since the last improvement.
        best: The best value so far, or None.
        best_epoch: The epoch of `best`, from 0.
        best_weights: The weights of that epoch, in the order of `get_weights`, or None if they will
            not be restored.
        stopped_epoch: The epoch after which training was stopped, or 0.

    Raises:
        ValueError: An argument is invalid; or, before training, the run has no such log or its
            direction is unknown.

    An epoch without the log, such as one without validation, is ignored.

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
        super().__init__(monitor, mode, min_delta, verbose)
        owner = type(self).__name__
        self.patience = integer_at_least(owner, "patience", patience, 0)
        if baseline is not None:
            baseline = number_between(owner, "baseline", baseline, -float("inf"))
        self.baseline = baseline
        self.restore_best_weights = one_of(
            owner, "restore_best_weights", restore_best_weights, [False, True]
        )
        self.start_from_epoch = integer_at_least(owner, "start_from_epoch", start_from_epoch, 0)

    def first_state(self) -> dict[str, Any]:
        """Return the state before the first epoch."""
        return {
            "wait": 0, "best": None, "best_epoch": 0, "best_weights": None, "stopped_epoch": 0,
        }  # fmt: skip

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Reset or restore the state; a resumed run that had been stopped stays stopped."""
        super().on_train_begin(logs)
        if self.stopped_epoch > 0:
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the epoch with the best one, and stop the training if patience has run out."""
        value = self.monitored(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._record_best(epoch)
        self.wait += 1
        if self.is_better(value, self.best):
            self.best = value
            self._record_best(epoch)
            if self.baseline is None or self.is_better(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Restore the best weights, if requested."""
        super().on_train_end(logs)
        if self.stopped_epoch > 0 and self.verbose:
            text = "Epoch {epoch}: stopped early; {monitor} was best in epoch {best}."
            epoch, best = self.stopped_epoch + 1, self.best_epoch + 1
            print(phrase(text, epoch=epoch, monitor=self.monitor, best=best))
        if self.restore_best_weights and self.best_weights is not None:
            self.model.set_weights(self.best_weights)
            if self.verbose:
                text = "Restored the weights of epoch {epoch}."
                print(phrase(text, epoch=self.best_epoch + 1))

    def _record_best(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()
