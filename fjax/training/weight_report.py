"""The weights of a model and the bytes that each device has of them, as a table."""

from typing import Any

import jax
from jax.sharding import NamedSharding

from fjax.core.freezing import frozen_paths, trainable_part
from fjax.training.placement import Placement
from fjax.training.shardings import WeightSpecs, bytes_a_device
from fjax.training.state import TrainState
from fjax.typing import PyTree


def weight_report(placement: Placement, model: Any) -> str:
    """Return the weights of a built model, their specs and their bytes a device.

    Args:
        placement: The placement of this model, with a mesh.
        model: The model.
    """
    mesh, parts = placement.mesh, model.model_parts
    assert mesh is not None
    shapes, optimizer = model.layer_shapes, parts.weights.optimizer
    params, network = shapes.params, parts.architecture.network
    opt_state: PyTree = ()
    if optimizer is not None:
        opt_state = jax.eval_shape(optimizer.init, trainable_part(params, frozen_paths(network)))
    whole = TrainState(params, shapes.state, opt_state, (), (), (), (), ())  # type: ignore[arg-type]
    sharded = jax.tree.map(_with_sharding, whole, placement.shardings(whole))
    weights, optimizers = (
        f"{bytes_a_device(part(sharded)):,} bytes a device of {bytes_a_device(part(whole)):,}"
        for part in (lambda each: each[:2], lambda each: each.opt_state)
    )
    table = WeightSpecs(placement.layout, mesh, params, shapes.state).table()
    return f"{table}\nWeights: {weights}. Optimizer: {optimizers}."


def _with_sharding(leaf: Any, sharding: NamedSharding) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding)
