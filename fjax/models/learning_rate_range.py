"""The range test of a compiled model."""

from typing import Any

import numpy as np

from fjax.models import arguments
from fjax.training import custom_train_step, init_accumulators, train_step
from fjax.training.accumulators import empty_means
from fjax.training.arrays import to_batch
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
    """Return the loss of each step of a run that makes one step at each of these learning rates.

    The run begins with the weights of the model, which does not change.

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
    compilation = model._compiled(owner)
    check = model._checked("train_step")
    steps = len(learning_rates)
    if arguments.is_batches(x):
        if class_weight is not None:
            raise ValueError(
                f"`{owner}`: `class_weight` needs arrays, and `x` gives batches: give weights "
                "within the batches."
            )
        source: arguments.Source = arguments.batches_source(
            owner, x, y, sample_weight, batch_size, steps, check, endless=True
        )
    else:
        data = check(to_batch(x, y, sample_weight, text=True))
        data = model._with_class_weight(data, class_weight)
        size = 32 if batch_size is None else batch_size
        source = arguments.array_source(
            owner, data, size, steps, model._shuffle_seed(), endless=True
        )
    try:
        custom, example = model._custom("train_step"), source.example
        if custom is not None:
            names = model._custom_logs("train_step", source)
            if "loss" not in names:
                raise ValueError(
                    f"`{owner}` needs the log 'loss', which the model's `train_step` does not "
                    f"return. Logged: {', '.join(names)}."
                )
            step, sums = custom_train_step(custom), empty_means(names)
        else:
            outputs, names = model._outputs_for(example.inputs), model.output_names
            loss = compilation.loss_for(example.targets, outputs, names)
            step = train_step(model.network, loss, compilation.optimizer)
            sums = init_accumulators((), example.targets, outputs, loss)
        with model._mode():
            return range_test(step, model.train_state, sums, source, learning_rates)
    finally:
        source.close()
