"""`Model.train_on_batch`: one training step."""

from typing import Any

from fjax.callbacks import CallbackList
from fjax.callbacks.lazy_logs import to_numbers
from fjax.data.arrays import Arrays
from fjax.models.fit import begin_epoch
from fjax.models.model_parts import ModelParts, execution_mode
from fjax.models.plan import Plan, expectation, make_plan, require_objective
from fjax.models.step_forms import TRAIN
from fjax.training import Batch, run_epoch
from fjax.training.batch import rows
from fjax.training.loop import ChunkScheduler


def train_on_batch(
    model: Any, parts: ModelParts, batch: Batch, class_weight: Any
) -> tuple[Plan, dict[str, Any]]:
    """Run one training step, and return its plan and logs by name; see `Model.train_on_batch`.

    Args:
        model: The model.
        parts: Its parts.
        batch: The samples.
        class_weight: The weights of the classes.
    """
    require_objective(model, parts, TRAIN)
    model.build_for(batch)
    data = Arrays("train_on_batch", batch, rows(batch), None, False)
    source = data.checked(expectation(model, parts, TRAIN, class_weight), placement=parts.placement)
    with execution_mode(model.run_eagerly):
        plan = make_plan(model, parts, TRAIN, source)
        epoch = int(parts.weights.train_state.epoch)
        begin_epoch(parts, epoch, plan.empty_sums)
        hooks = CallbackList(None, model).steps("train")
        logs = run_epoch(parts.weights, plan.programs, source, epoch, hooks, ChunkScheduler(hooks))
    plan.store(parts.weights.train_state.accumulators)
    numbers = to_numbers(logs)
    parts.last_logs = dict(numbers)
    return plan, numbers
