"""The loss scale of models that compute in float16."""

from collections.abc import Iterator
from typing import Any

from fjax.core.policies import policy_of
from fjax.dtype_policies import DTypePolicy
from fjax.errors import warn_user
from fjax.models.compile_config import CompileConfig
from fjax.optimizers import LossScaleOptimizer, Optimizer


def with_loss_scale(
    config: CompileConfig, policy: DTypePolicy, layers: Any, auto_scale_loss: bool
) -> CompileConfig:
    """Return the arguments of `compile` with a `LossScaleOptimizer`, where float16 needs one.

    As in Keras, a model with the policy "mixed_float16" gets one. If layers compute in float16
    without a loss scale, there is a warning.

    Args:
        config: The arguments.
        policy: The dtype policy of the model.
        layers: The layers of the model.
        auto_scale_loss: The argument of `compile`.
    """
    optimizer = config.optimizer
    if optimizer is None or config.train_step is not None or _scales(optimizer):
        return config
    is_ours = isinstance(optimizer, Optimizer)
    if auto_scale_loss and policy.name == "mixed_float16" and is_ours:
        return config._replace(optimizer=LossScaleOptimizer(optimizer, name="loss_scale_optimizer"))
    computing = next((each for each in _walk(layers) if _is_float16(each)), None)
    if computing is not None:
        warn_user(
            f"`compile`: {computing!r} computes in float16 without a loss scale, so that gradients "
            "below 6e-8 become 0: give `optimizer=fjax.optimizers.LossScaleOptimizer(optimizer)`, "
            'or use "mixed_bfloat16", which needs none.'
        )
    return config


def _scales(optimizer: Any) -> bool:
    is_static = getattr(optimizer, "loss_scale_factor", None) is not None
    return is_static or isinstance(optimizer, LossScaleOptimizer)


def _is_float16(layer: Any) -> bool:
    return policy_of(layer).compute_dtype == "float16" and bool(layer.trainable)


def _walk(layer: Any) -> Iterator[Any]:
    inner = layer.inside() if hasattr(layer, "inside") else []
    if not inner:
        yield layer
    for each in inner:
        yield from _walk(each)
