"""Functions for callbacks that set the learning rate."""

from typing import Any

from fjax.callbacks.callback import Callback
from fjax.typing import HasLearningRate


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


def rate_logs(model: Any) -> dict[str, float]:
    """Return the learning rate of a model's train state as a log; `{}` if it has none."""
    opt_state = model.train_state.opt_state
    if not isinstance(opt_state, HasLearningRate):
        return {}
    return {"learning_rate": float(opt_state.learning_rate)}
