"""What a population needs of a model: the parts of one member, and what is measured of it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from fjax.data.conversion import to_batch
from fjax.models.plan import TEST, TRAIN, custom_step, matched_batch
from fjax.training import Batch, init_accumulators
from fjax.training.accumulators import Metrics
from fjax.training.batch import rows, take
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
    if custom_step(model, model.model_parts, TRAIN) is not None:
        raise TypeError(
            f"`{owner}` trains many models by the engine's step, and {model.name!r} was compiled "
            "with a `train_step` of its own: put that one under `jax.vmap` yourself, see "
            "docs/functions.md."
        )
    config, example = model.model_parts.require_config(owner), take(data, 0, 1)
    architecture = model.model_parts.architecture
    outputs = architecture.output_specs(example.inputs)
    loss, metrics, _ = objective = config.resolve(example.targets, outputs, model.output_names)
    directions = objective.directions()
    return Membership(
        parts=(model.network, loss, config.optimizer),
        specs=model.model_parts.architecture.built.specs,
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
    return matched_batch(model, to_batch(x, y, weight, text=True), TEST)


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
