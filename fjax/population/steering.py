"""Callbacks in a population: those that steer a member, and those that hear of all."""

from typing import Any

from fjax.callbacks import Callback, EarlyStopping, LearningRateScheduler, ReduceLROnPlateau

# They need no more than a member's logs, weights and learning rate: each member has its own.
STEERING = (EarlyStopping, LearningRateScheduler, ReduceLROnPlateau)


def is_steering(callback: Callback) -> bool:
    """Tell whether each member of a population can have a copy of this callback."""
    return isinstance(callback, STEERING)


def listed(callbacks: Any) -> list[Callback]:
    """Return callbacks as a list: one, several or none."""
    given = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
    return [callback for callback in given if callback is not None]
