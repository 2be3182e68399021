"""Learning rates: numbers, schedules, and functions of the step."""

import inspect
import numbers
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from fjax.errors import number_between
from fjax.optimizers import schedules
from fjax.typing import Array, ArrayLike

LearningRate = float | Callable[[Array], ArrayLike]


def check_rate(owner: str, rate: Any) -> LearningRate:
    """Return a learning rate as a float, schedule or function, or raise.

    >>> check_rate("SGD", 1)
    1.0
    >>> check_rate("SGD", "fast")
    Traceback (most recent call last):
        ...
    TypeError: `SGD`: `learning_rate` must be a number, a schedule or a function of the step,
    received 'fast'.
    """
    if isinstance(rate, Mapping):
        rate = schedules.get(rate)
    if callable(rate):
        try:
            inspect.signature(rate).bind(0)
        except TypeError:
            if not inspect.signature(rate).parameters:
                return _without_step(rate)
            raise TypeError(
                f"`{owner}`: a function as `learning_rate` is called with the step and returns the "
                f"rate; {rate!r} cannot be called with one argument."
            ) from None
        return rate
    if not isinstance(rate, bool) and isinstance(rate, numbers.Real):
        return number_between(owner, "learning_rate", rate, 0.0)
    hint = ""
    if isinstance(rate, jax.Array | np.ndarray):
        hint = " Give a plain number; to vary the rate, replace `opt_state.learning_rate`."
    raise TypeError(
        f"`{owner}`: `learning_rate` must be a number, a schedule or a function of the step, "
        f"received {rate!r}.{hint}"
    )


def _without_step(rate: Callable[[], ArrayLike]) -> Callable[[Array], ArrayLike]:
    """Return a function of the step that calls a function without arguments, as Keras does."""

    def rate_at(step: Array) -> ArrayLike:
        del step
        return rate()

    rate_at.__qualname__ = getattr(rate, "__qualname__", repr(rate))
    return rate_at
