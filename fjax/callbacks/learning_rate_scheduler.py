"""The learning rate as a function of the epoch."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from fjax.callbacks.callback import Callback, Logs
from fjax.callbacks.learning_rates import log_rate, require_settable_rate
from fjax.errors import explain_keywords, number_between, one_of


class LearningRateScheduler(Callback):
    """Set the learning rate at the beginning of each epoch.

    Args:
        schedule: `schedule(epoch, learning_rate)` returns the rate of an epoch, counted from 0, of
            which it is told the rate before; or `schedule(epoch)`.
        verbose: 1 prints each rate, 0 nothing.

    Raises:
        TypeError: `schedule` is no such function; or, before training, the learning rate follows a
            schedule of the optimizer's.
        ValueError: A rate is no number from 0.

    It adds `learning_rate` to the logs of each epoch. Nothing is compiled anew. A rate for each
    step, rather than each epoch, is one of `fjax.optimizers.schedules`, given to the optimizer.

    Source: Keras's page "LearningRateScheduler".

    >>> from fjax import Sequential
    >>> from fjax.layers import Dense
    >>> model = Sequential([Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> halve = LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch else 0.5)
    >>> history = model.fit(np.ones((8, 2)), np.ones(8), epochs=3, verbose=0, callbacks=[halve])
    >>> history.history["learning_rate"]
    [0.5, 0.25, 0.125]
    """

    _added_logs = ("learning_rate",)

    @explain_keywords
    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self._takes_rate = _takes_rate(schedule)
        self.verbose = one_of(type(self).__name__, "verbose", verbose, [0, 1, 2])

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """See whether the learning rate can be set."""
        require_settable_rate(self)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the epoch's rate."""
        optimizer = self.model.optimizer
        arguments = (epoch, float(optimizer.learning_rate)) if self._takes_rate else (epoch,)
        rate = self.schedule(*arguments)
        if hasattr(rate, "dtype") and np.ndim(rate) == 0:
            rate = np.asarray(rate).item()
        call = f"schedule({', '.join(map(str, arguments))})"
        rate = number_between(type(self).__name__, call, rate, 0.0)
        optimizer.learning_rate = rate
        if self.verbose:
            print(f"Epoch {epoch + 1}: the learning rate is {rate:g}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Log the epoch's rate."""
        log_rate(self, logs)


def _takes_rate(schedule: Any) -> bool:
    """Tell whether a schedule is called with the epoch and the rate, or with the epoch alone."""
    if callable(schedule):
        signature = inspect.signature(schedule)
        for arguments in ((0, 0.1), (0,)):
            try:
                signature.bind(*arguments)
            except TypeError:
                continue
            return len(arguments) == 2
    raise TypeError(
        "`LearningRateScheduler`: `schedule` must be a function `schedule(epoch, learning_rate)` "
        f"or `schedule(epoch)`, received {schedule!r}."
    )
