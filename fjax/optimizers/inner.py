"""Optimizers that are passed to other optimizers as arguments."""

from collections.abc import Mapping
from typing import Any

import fjax.optimizers
from fjax.optimizers.optimizer import Optimizer


def inner_optimizer(owner: str, argument: str, value: Any) -> Optimizer:
    """Return the optimizer for an argument that is an optimizer, or the configuration of one.

    Raises:
        TypeError: The argument is neither.
        ValueError: The configuration names an unknown class, or the optimizer scales the loss.

    >>> inner_optimizer("MultiOptimizer", "default_optimizer", {"class_name": "SGD", "config": {}})
    SGD()
    """
    if isinstance(value, Mapping) and "class_name" in value:
        value = fjax.optimizers.deserialize(value)
    if not isinstance(value, Optimizer):
        raise TypeError(
            f"`{owner}`: `{argument}` must be an optimizer of `fjax.optimizers` that contains no "
            f"other one, received {value!r}."
        )
    if value.loss_scale_factor is not None:
        raise ValueError(
            f"`{owner}`: `{argument}` has `loss_scale_factor={value.loss_scale_factor}`, but "
            f"`{owner}` scales the loss itself. Remove it from {type(value).__name__}."
        )
    return value
