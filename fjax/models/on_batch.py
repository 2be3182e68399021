"""`Model.train_on_batch` and `Model.test_on_batch`: one step, without callbacks."""

from typing import Any

from fjax.callbacks.lazy_logs import to_numbers
from fjax.data.windows import gather
from fjax.models.model_parts import ModelParts, execution_mode
from fjax.models.plan import Plan, matched_with_plan
from fjax.models.step_methods.forms import TEST, TRAIN
from fjax.training import Batch
from fjax.training.batch import Window, rows
from fjax.training.loop import advance_window, measure_window


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
    with execution_mode(model.run_eagerly):
        batch, plan = matched_with_plan(model, parts, TRAIN, batch, class_weight)
        parts.weights.begin_epoch(plan.empty_sums)
        logs = advance_window(parts.weights, plan.programs, _window(parts, batch))
    plan.store(parts.weights.accumulators)
    return plan, _read(parts, logs)


def measure_on_batch(model: Any, parts: ModelParts, batch: Batch) -> tuple[Plan, dict[str, Any]]:
    """Return the plan and the logs by name of one batch; see `Model.test_on_batch`.

    Args:
        model: The model.
        parts: Its parts.
        batch: The samples.
    """
    with execution_mode(model.run_eagerly):
        batch, plan = matched_with_plan(model, parts, TEST, batch)
        window, train_state = _window(parts, batch), parts.weights.train_state
        logs = measure_window(plan.programs, train_state, plan.empty_sums, window)
    return plan, _read(parts, logs)


def _window(parts: ModelParts, batch: Batch) -> Window:
    """Return the batch as a window, which the program of `fit` with this batch size takes."""
    count = rows(batch)
    parts.placement.check_batch_size(count)
    data = parts.placement.put_window(gather(batch, slice(0, count), count, count))
    return Window(data, 0, 1, count)


def _read(parts: ModelParts, on_device: Any) -> dict[str, Any]:
    logs = to_numbers(on_device)
    parts.last_logs = dict(logs)
    return logs
