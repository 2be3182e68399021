"""What a population needs of a model: the parts of one member, and what is measured of it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from fjax.models.compilation import log_directions
from fjax.training import Batch, init_accumulators
from fjax.training.accumulators import Metrics
from fjax.training.arrays import rows, take, to_batch
from fjax.training.population import Parts
from fjax.typing import PyTree


class Membership(NamedTuple):
    """A model as a member of a population.

    Attributes:
        parts: Network, loss and optimizer.
        specs: The network's inputs.
        metrics: What the model measures beside the loss.
        sums: The empty sums of an epoch.
        directions: For each log where it is better; those of validation among them.
    """

    parts: Parts
    specs: tuple[PyTree, ...]
    metrics: Metrics
    sums: PyTree
    directions: dict[str, str | None]


def membership(owner: str, model: Any, data: Batch) -> Membership:
    """Return a compiled model as a member of a population that is trained on this data.

    Args:
        owner: Whom an error names.
        model: The model.
        data: The data, held against the model.

    Raises:
        TypeError: The model trains by a step of its own.
    """
    if model._custom("train_step") is not None:
        raise TypeError(
            f"`{owner}` trains many models by the engine's step, and {model.name!r} was compiled "
            "with a `train_step` of its own: put that one under `jax.vmap` yourself, see "
            "docs/functions.md."
        )
    compilation, example = model._compiled(owner), take(data, 0, 1)
    outputs, names = model._outputs_for(example.inputs), model.output_names
    loss = compilation.loss_for(example.targets, outputs, names)
    metrics = compilation.named_metrics(example.targets, outputs, names)
    directions = log_directions(loss, metrics)
    return Membership(
        parts=(model.network, loss, compilation.optimizer),
        specs=model._known_specs(),
        metrics=metrics,
        sums=init_accumulators(metrics, example.targets, outputs, loss),
        directions=directions | {f"val_{name}": way for name, way in directions.items()},
    )


def held_out_batch(owner: str, model: Any, validation_data: Any) -> Batch:
    """Return arrays to validate on as one batch, held against the model.

    Raises:
        ValueError: They are no pair or triple of arrays, or do not fit the model.
    """
    if not isinstance(validation_data, list | tuple) or len(validation_data) not in (2, 3):
        raise ValueError(
            f"`{owner}`: where trainings run side by side `validation_data` must be `(x, y)` or "
            f"`(x, y, sample_weight)`, received {type(validation_data).__name__}."
        )
    x, y, weight = (*validation_data, None)[:3]
    return model._checked("test_step")(to_batch(x, y, weight, text=True))


def concatenate(training: Batch, held_out: Batch) -> Batch:
    """Return the rows of both, one behind the other; where one has no weights these are 1."""
    pair = [training, held_out]
    if any(one.sample_weight is not None for one in pair):
        pair = [
            one if one.sample_weight is not None else one._replace(sample_weight=_ones(one, pair))
            for one in pair
        ]
    return jax.tree.map(lambda *arrays: np.concatenate(arrays), *pair)


def _ones(batch: Batch, pair: Sequence[Batch]) -> PyTree:
    like = next(one.sample_weight for one in pair if one.sample_weight is not None)
    return jax.tree.map(
        lambda weight: np.ones((rows(batch), *weight.shape[1:]), weight.dtype), like
    )
