"""Functions for callbacks that set the learning rate."""

from typing import Any

from fjax.callbacks.callback import Callback


def require_settable_rate(callback: Callback) -> None:
    """Raise TypeError if the learning rate of the callback's model cannot be set."""
    optimizer = callback.model.optimizer
    try:
        optimizer.learning_rate = optimizer.learning_rate
    except TypeError as error:
        raise TypeError(f"`{type(callback).__name__}` sets the learning rate. {error}") from None


def log_rate(callback: Callback, logs: Any) -> None:
    """Add the learning rate of the callback's model to the logs of an epoch."""
    if logs is not None:
        logs["learning_rate"] = float(callback.model.optimizer.learning_rate)
