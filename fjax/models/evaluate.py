"""`Model.evaluate`: the loss and metrics over a source."""

from typing import Any

from fjax.callbacks import CallbackList
from fjax.callbacks.lazy_logs import to_numbers
from fjax.data.source import Data
from fjax.models.joint_run import describe_source, describe_weights, joint_run
from fjax.models.model_parts import ModelParts, execution_mode
from fjax.models.plan import Plan, expectation, plan_for, require_objective
from fjax.models.step_methods.forms import TEST
from fjax.training import Source
from fjax.training.loop import evaluate as evaluate_source


def evaluate(
    model: Any, parts: ModelParts, data: Data, callbacks: Any, verbose: int
) -> tuple[Plan, dict[str, Any]]:
    """Return the plan of an evaluation, and its logs by name; see `Model.evaluate`.

    Args:
        model: The model, which is passed to the callbacks.
        parts: Its parts.
        data: The data.
        callbacks: The user's callbacks.
        verbose: 0, 1 or 2.
    """
    require_objective(model, parts, TEST)
    model.build_for(data.first())
    with joint_run("`evaluate`", parts.placement) as run:
        source = data.checked(expectation(model, parts, TEST), placement=parts.placement)
        callback_list = CallbackList(
            callbacks, model, verbose, parts.placement.process_index == 0,
            epochs=1, steps=source.steps,
        )  # fmt: skip
        try:
            with execution_mode(model.run_eagerly):
                plan = plan_for(model, parts, TEST, source)
                run.agree(lambda: describe_source("data", source) | describe_weights(parts.weights))
                return plan, measure(parts, plan, source, callback_list, run)
        finally:
            source.close()


def measure(
    parts: ModelParts, plan: Plan, source: Source, callback_list: CallbackList, run: Any
) -> dict[str, Any]:
    """Return the logs over one epoch of a source, by name; `run` is that of `joint_run`."""
    callback_list.call("on_test_begin", {})
    train_state, hooks = parts.weights.train_state, callback_list.steps("test")
    hooks = run.hooks(hooks, source.steps)
    on_device = evaluate_source(
        plan.programs, train_state, plan.empty_sums, source, hooks, plan.fill
    )
    logs = to_numbers(on_device)
    parts.last_logs = dict(logs)
    callback_list.call("on_test_end", logs)
    return logs
