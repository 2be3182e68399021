"""Set the learning rate as a function of the epoch."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from fjax.callbacks.callback import Callback, Logs
from fjax.callbacks.learning_rates import log_rate, require_settable_rate
from fjax.errors import explain_keywords, number_between, one_of
from fjax.languages import phrase
from fjax.typing import Spec


class LearningRateScheduler(Callback):
    """Set the learning rate at the beginning of each epoch.

    Args:
        schedule: `schedule(epoch, learning_rate)` returns the rate of an epoch, counted from 0,
            from the current rate; or `schedule(epoch)`.
        verbose: 1 prints each rate, 0 nothing.

    Raises:
        TypeError: `schedule` is not such a function; or, before training, the optimizer's learning
            rate follows a schedule.
        ValueError: A rate is not a number of at least 0.

    The callback adds `learning_rate` to the logs of each epoch. A new rate needs no recompilation.
    For a rate that changes with each step, give the optimizer one of `fjax.optimizers.schedules`.

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
        """Check that the learning rate can be set."""
        require_settable_rate(self)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the epoch's rate."""
        optimizer = self.model.optimizer
        arguments = (epoch, float(optimizer.learning_rate)) if self._takes_rate else (epoch,)
        rate = self.schedule(*arguments)
        if isinstance(rate, Spec) and not rate.shape:
            rate = np.asarray(rate).item()
        call = f"schedule({', '.join(map(str, arguments))})"
        rate = number_between(type(self).__name__, call, rate, 0.0)
        optimizer.learning_rate = rate
        if self.verbose:
            text = "Epoch {epoch}: the learning rate is {rate:g}."
            print(phrase(text, epoch=epoch + 1, rate=rate))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Log the epoch's rate."""
        log_rate(self, logs)


def _takes_rate(schedule: Any) -> bool:
    """Return whether a schedule takes the epoch and the rate, rather than the epoch alone."""
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
