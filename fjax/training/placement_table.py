"""The table of a placement: the weights of a model, and what each device has of them."""

from typing import Any

import jax

from fjax.core.freezing import frozen_paths, trainable_part
from fjax.training.shardings import WeightSpecs, bytes_a_device, with_sharding
from fjax.training.state import TrainState
from fjax.typing import PyTree


def describe_weights(placement: Any, model: Any) -> str:
    """Return the weights of a built model, their specs and their bytes a device as text.

    Args:
        placement: The placement.
        model: The model.

    Raises:
        ValueError: The placement is one device.
    """
    train_state = train_state_shapes(model)
    specs = weight_specs("describe", placement, model)
    sharded = jax.tree.map(
        with_sharding, train_state, placement.for_model(model.name).shardings(train_state)
    )
    weights, optimizers = (
        f"{bytes_a_device(part(sharded)):,} bytes a device of {bytes_a_device(part(train_state)):,}"
        for part in (lambda each: each[:2], lambda each: each.opt_state)
    )
    return f"{specs.table()}\nWeights: {weights}. Optimizer: {optimizers}."


def weight_specs(owner: str, placement: Any, model: Any) -> WeightSpecs:
    """Return the specs of the weights of a built model.

    Raises:
        ValueError: The placement is one device, or does not fit the weights.
    """
    if placement.mesh is None:
        raise ValueError(
            f"`{owner}`: this placement is one device and divides no weights: create one by "
            "`fjax.distribution.data_parallel()`, `fsdp()` or `sharded(…)`."
        )
    shapes = model.layer_shapes
    layout = placement.for_model(model.name).layout
    return WeightSpecs(layout, placement.mesh, shapes.params, shapes.state)


def train_state_shapes(model: Any) -> TrainState:
    """Return the shapes of the weights of a built model and of its optimizer's arrays."""
    parts, shapes = model.model_parts, model.layer_shapes
    optimizer = parts.weights.optimizer
    opt_state: PyTree = ()
    if optimizer is not None:
        trained = trainable_part(shapes.params, frozen_paths(parts.architecture.network))
        opt_state = jax.eval_shape(optimizer.init, trained)
    return TrainState(shapes.params, shapes.state, opt_state, (), (), (), (), ())  # type: ignore[arg-type]
