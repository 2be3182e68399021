"""`Model.memory_report`: the memory of a training step, before anything is trained."""

from collections.abc import Iterator
from typing import Any

import jax

from fjax.errors import integer_at_least
from fjax.models.model_parts import ModelParts
from fjax.models.plan import custom_step, require_objective
from fjax.models.step_methods.forms import TRAIN, has_stateful_step
from fjax.training import Batch, create_train_state, train_step
from fjax.training.memory_report import MemoryReport, report_memory
from fjax.training.programs import no_loss
from fjax.typing import PyTree


def memory_report(model: Any, parts: ModelParts, batch_size: int) -> MemoryReport:
    """Return the memory of a training step of a compiled model; see `Model.memory_report`."""
    count = integer_at_least("memory_report", "batch_size", batch_size, 1)
    parts.placement.check_batch_size(count)
    require_objective(model, parts, TRAIN)
    if custom_step(model, parts, TRAIN) is not None or has_stateful_step(model, TRAIN):
        raise NotImplementedError(
            f"`memory_report`: the model {model.name!r} has a `train_step` of its own. Use "
            "`fjax.training.memory_report.report_memory(step, train_state, batch)`."
        )
    inputs = jax.tree.map(lambda spec: _with_rows(spec, count), parts.architecture.built.specs)
    of_any_size = parts.architecture.output_specs(inputs)
    outputs = jax.tree.map(lambda spec: _with_rows(spec, count), of_any_size)
    errors: list[Exception] = []
    for targets in _targets_like(outputs):
        try:
            return _report(parts, inputs, targets, outputs)
        except (TypeError, ValueError) as error:
            errors.append(error)
    raise errors[0]


def _report(parts: ModelParts, inputs: Any, targets: PyTree, outputs: PyTree) -> MemoryReport:
    config, network = parts.require_config("memory_report"), parts.architecture.network
    objective = parts.objective("memory_report", targets, outputs)
    loss, metrics = objective.loss or no_loss, objective.metrics
    key = jax.eval_shape(lambda: jax.random.key(0))
    train_state = jax.eval_shape(
        lambda key: create_train_state(
            network, config.optimizer, key, *inputs, metrics=metrics, targets=targets, loss=loss
        ),
        key,
    )
    step, placement = train_step(network, loss, config.optimizer, metrics), parts.placement
    shapes = placement.shard_shapes(train_state, Batch(inputs, targets))
    return report_memory(placement.step(step), *shapes)


def _targets_like(outputs: PyTree) -> Iterator[PyTree]:
    """Yield the shapes that targets may have: those of the outputs, or class ids."""
    yield jax.tree.map(lambda spec: jax.ShapeDtypeStruct(spec.shape, "float32"), outputs)
    yield jax.tree.map(lambda spec: jax.ShapeDtypeStruct(spec.shape[:-1], "int32"), outputs)


def _with_rows(spec: Any, count: int) -> Any:
    return jax.ShapeDtypeStruct((count, *spec.shape[1:]), spec.dtype)
