"""Optimizers: pure functions `init` and `update` as in optax, under Keras's names."""

from collections.abc import Mapping
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
from fjax.optimizers.loss_scale import LossScaleOptimizer as LossScaleOptimizer
from fjax.optimizers.multi import MultiOptimizer as MultiOptimizer
from fjax.optimizers.multi import MultiOptimizerState as MultiOptimizerState
from fjax.optimizers.muon import Muon as Muon
from fjax.optimizers.nadam import Nadam as Nadam
from fjax.optimizers.optimizer import Optimizer as Optimizer
from fjax.optimizers.optimizer import OptimizerState as OptimizerState
from fjax.optimizers.optimizer_map import OptimizerMap as OptimizerMap
from fjax.optimizers.rmsprop import RMSprop as RMSprop
from fjax.optimizers.schedule_free_adamw import ScheduleFreeAdamW as ScheduleFreeAdamW
from fjax.optimizers.sgd import SGD as SGD
from fjax.registry import Registry, serializer
from fjax.typing import GradientTransformation

serialize = serializer("optimizer")

_members: list[type[Optimizer]] = [
    SGD, RMSprop, Adam, AdamW, Nadam, Adamax, Adagrad, Adadelta, Adafactor, Ftrl, Lamb, Lion, Muon,
    ScheduleFreeAdamW,
]  # fmt: skip
# In Keras the names are in lower case without underscores.
_registry = Registry(
    "optimizer",
    [*_members, LossScaleOptimizer, MultiOptimizer],
    {cls.__name__.lower(): cls for cls in _members},
)


def get(identifier: Any) -> GradientTransformation:
    """Return the optimizer for an identifier.

    Args:
        identifier: A class, or a name such as "adam", to make an object with the default arguments;
            `{"class_name": …, "config": …}`; or an object with `init` and `update`, such as an
            optax optimizer, which is returned unchanged.

    Raises:
        ValueError: The name is unknown; the nearest known one is suggested.
        TypeError: The identifier is none of these.

    >>> get("adam"), get({"class_name": "SGD", "config": {"momentum": 0.9}})
    (Adam(), SGD(momentum=0.9))
    """
    optimizer = identifier if _is_optimizer(identifier) else _registry.get(identifier)
    if not _is_optimizer(optimizer):
        raise TypeError(
            f"Expected an optimizer, which has `init(params)` and `update(grads, opt_state, "
            f"params)`, received {identifier!r}. Known names: {', '.join(_registry.names)}."
        )
    return optimizer


def deserialize(
    config: Any, custom_objects: Mapping[str, Any] | None = None
) -> GradientTransformation:
    """Return the optimizer that `serialize` described.

    >>> deserialize(serialize(SGD(0.1, momentum=0.9)))
    SGD(learning_rate=0.1, momentum=0.9)
    """
    return _registry.deserialize(config, custom_objects)


def _is_optimizer(value: Any) -> bool:
    pair = (getattr(value, "init", None), getattr(value, "update", None))
    return not isinstance(value, type) and all(map(callable, pair))
