"""The learning rate range test of a compiled model."""

from typing import Any

import numpy as np

from fjax.data.conversion import is_batches
from fjax.data.shuffling import shuffle_seed
from fjax.data.source import read
from fjax.models.model_parts import ModelParts, execution_mode
from fjax.models.plan import custom_step, expectation, plan_for, require_objective
from fjax.models.step_methods.forms import TRAIN, has_stateful_step
from fjax.training import custom_train_step, init_accumulators, train_step
from fjax.training.accumulators import empty_means
from fjax.training.filled_batches import can_be_filled
from fjax.training.learning_rate_range import range_test


def range_test_of_model(
    owner: str,
    model: Any,
    x: Any,
    y: Any,
    sample_weight: Any,
    class_weight: Any,
    batch_size: Any,
    learning_rates: np.ndarray,
) -> np.ndarray:
    """Return the loss of each step of a run with one step at each of these learning rates.

    The run begins with the weights of the model, which is not changed.

    Args:
        owner: The function that errors name.
        model: A compiled model.
        x: The inputs, as in `Model.fit`, or an iterable of batches.
        y: The targets.
        sample_weight: As in `Model.fit`.
        class_weight: As in `Model.fit`.
        batch_size: The number of samples in a step, by default 32.
        learning_rates: The learning rate of each step.

    Raises:
        ValueError: The data does not fit the model, or `train_step` of the model logs no loss.
    """
    parts: ModelParts = model.model_parts
    config = parts.require_config(owner)
    require_objective(model, parts, TRAIN)
    if class_weight is not None and is_batches(x):
        raise ValueError(
            f"`{owner}`: `class_weight` needs arrays, but `x` yields batches: put weights "
            "in the batches."
        )
    size = 32 if batch_size is None and not is_batches(x) else batch_size
    data = read(owner, x, y, sample_weight, size, len(learning_rates), repeats=True)
    model.build_for(data.first())
    seed = shuffle_seed(model.train_state.key)
    source = data.checked(expectation(model, parts, TRAIN, class_weight), seed, parts.placement)
    try:
        if has_stateful_step(model, TRAIN) and config.train_step is None:
            raise TypeError(
                f"`{owner}` cannot use a `train_step(self, state, data)`, `compute_loss` or "
                "`compute_metrics` of a subclass: write `train_step(self, train_state, batch)`."
            )
        custom, spec = custom_step(model, parts, TRAIN), source.spec
        if custom is not None:
            names = plan_for(model, parts, TRAIN, source).log_names
            if "loss" not in names:
                raise ValueError(
                    f"`{owner}` needs the log 'loss', which the model's `train_step` does not "
                    f"return. Logged: {', '.join(names)}."
                )
            step, sums, fill = custom_train_step(custom), empty_means(names), False
        else:
            outputs = parts.architecture.output_specs(spec.inputs)
            loss: Any = config.loss_for(spec.targets, outputs, model.output_names)
            step = train_step(parts.architecture.network, loss, config.optimizer)
            sums = init_accumulators((), spec.targets, outputs, loss)
            fill = can_be_filled(parts.architecture.network, loss, ())
        with execution_mode(model.run_eagerly):
            return range_test(step, model.train_state, sums, source, learning_rates, fill)
    finally:
        source.close()
