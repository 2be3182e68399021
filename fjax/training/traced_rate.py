"""Learning rates: the value is in the optimizer's state and not in compiled programs."""

import dataclasses
from typing import Any

import numpy as np

from fjax.configuration import stored
from fjax.errors import is_number
from fjax.optimizers import Optimizer
from fjax.typing import PyTree


def _has_numeric_rate(optimizer: Any) -> bool:
    return isinstance(optimizer, Optimizer) and is_number(stored(optimizer, "learning_rate"))


def without_rate(optimizer: Any) -> Any:
    """Return the optimizer with a learning rate of 0, so that all rates share one program.

    Programs read a numeric learning rate from the optimizer's state only.

    >>> from fjax.optimizers import SGD
    >>> without_rate(SGD(0.5))
    SGD(learning_rate=0.0)
    """
    if _has_numeric_rate(optimizer) and not optimizer.has_own_init:
        return dataclasses.replace(optimizer, learning_rate=0.0)
    return optimizer


def with_rate(optimizer: Any, opt_state: PyTree) -> PyTree:
    """Return the optimizer's state with its numeric learning rate set, if it has one."""
    if _has_numeric_rate(optimizer):
        return opt_state._replace(learning_rate=np.float32(stored(optimizer, "learning_rate")))
    return opt_state
