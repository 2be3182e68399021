"""Optimizers: pure pairs `init` and `update`, by Keras's names and optax's convention."""

from typing import Any

from fjax.optimizers import schedules as schedules
from fjax.optimizers.adadelta import Adadelta as Adadelta
from fjax.optimizers.adafactor import Adafactor as Adafactor
from fjax.optimizers.adagrad import Adagrad as Adagrad
from fjax.optimizers.adam import Adam as Adam
from fjax.optimizers.adamax import Adamax as Adamax
from fjax.optimizers.adamw import AdamW as AdamW
from fjax.optimizers.ftrl import Ftrl as Ftrl
from fjax.optimizers.lamb import Lamb as Lamb
from fjax.optimizers.lion import Lion as Lion
from fjax.optimizers.muon import Muon as Muon
from fjax.optimizers.nadam import Nadam as Nadam
from fjax.optimizers.optimizer import Optimizer as Optimizer
from fjax.optimizers.optimizer import OptimizerState as OptimizerState
from fjax.optimizers.rmsprop import RMSprop as RMSprop
from fjax.optimizers.schedule_free_adamw import ScheduleFreeAdamW as ScheduleFreeAdamW
from fjax.optimizers.sgd import SGD as SGD
from fjax.registry import Registry
from fjax.typing import GradientTransformation

_members: list[type[Optimizer]] = [
    SGD, RMSprop, Adam, AdamW, Nadam, Adamax, Adagrad, Adadelta, Adafactor, Ftrl, Lamb, Lion, Muon,
    ScheduleFreeAdamW,
]  # fmt: skip
# Keras knows each by its name in small letters.
_registry = Registry("optimizer", [*_members], {kind.__name__.lower(): kind for kind in _members})


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
