"""Optimizers: pure pairs `init` and `update`, by Keras's names and optax's convention."""

from typing import Any

from fjax.optimizers import schedules as schedules
from fjax.optimizers.adam import Adam as Adam
from fjax.optimizers.adamw import AdamW as AdamW
from fjax.optimizers.optimizer import Optimizer as Optimizer
from fjax.optimizers.optimizer import OptimizerState as OptimizerState
from fjax.optimizers.rmsprop import RMSprop as RMSprop
from fjax.optimizers.sgd import SGD as SGD
from fjax.registry import Registry
from fjax.typing import GradientTransformation

_registry = Registry("optimizer", [SGD, RMSprop, Adam, AdamW], {"rmsprop": RMSprop, "adamw": AdamW})


def get(identifier: Any) -> GradientTransformation:
    """Return the optimizer that an identifier means.

    Args:
        identifier: A name such as "adam" (made with its defaults), a class, `{"class_name": …,
            "config": …}`, or anything with `init` and `update`, an optax optimizer for one, which
            is returned as it is.

    Raises:
        ValueError: The name is unknown; the nearest known one is suggested.
        TypeError: The identifier is none of these.

    >>> get("adam"), get({"class_name": "SGD", "config": {"momentum": 0.9}})
    (Adam(), SGD(momentum=0.9))
    """
    optimizer = identifier if _is_optimizer(identifier) else _registry.get(identifier)
    if not _is_optimizer(optimizer):
        raise TypeError(
            f"An optimizer has `init(params)` and `update(grads, opt_state, params)`, "
            f"received {identifier!r}. Known names: {', '.join(_registry.names)}."
        )
    return optimizer


def _is_optimizer(value: Any) -> bool:
    pair = (getattr(value, "init", None), getattr(value, "update", None))
    return not isinstance(value, type) and all(map(callable, pair))
