"""Learning rates: the value is in the optimizer's state and not in compiled programs."""

from typing import Any

import numpy as np

from fjax.errors import is_number
from fjax.optimizers.stateful import StatefulOptimizer
from fjax.typing import PyTree


def without_rate(optimizer: Any) -> Any:
    """Return the optimizer with a learning rate of 0, so that all rates share one program.

    Programs read a numeric learning rate from the optimizer's state only.

    >>> from fjax.optimizers import SGD
    >>> without_rate(SGD(0.5))
    SGD(learning_rate=0.0)
    """
    if isinstance(optimizer, StatefulOptimizer) and optimizer.reads_rate_from_state:
        return optimizer.with_rate(0.0)
    return optimizer


def with_rate(optimizer: Any, opt_state: PyTree) -> PyTree:
    """Return the optimizer's state with its numeric learning rate set, if it has one."""
    if isinstance(optimizer, StatefulOptimizer) and is_number(optimizer.schedule):
        return opt_state._replace(learning_rate=np.float32(optimizer.schedule))
    return opt_state
