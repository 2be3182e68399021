"""The parts and data of a model that a population trains."""

from typing import Any, NamedTuple

import jax
import numpy as np

from fjax.data.arrays import Arrays, split
from fjax.data.conversion import to_batch
from fjax.models.plan import custom_step, matched_batch
from fjax.models.step_methods.forms import TEST, TRAIN, has_stateful_step
from fjax.population import Measurements, Member
from fjax.population.program_groups import Parts
from fjax.training import Batch, TrainState, init_accumulators
from fjax.training.batch import rows, take
from fjax.training.placement import Placement
from fjax.training.shardings import Replicated
from fjax.typing import PyTree


class MemberTemplate(NamedTuple):
    """The parts that all members with the same model share.

    Attributes:
        parts: Network, loss and optimizer.
        specs: The shapes and dtypes of the network's inputs.
        measurements: The metrics and accumulators.
        placement: The devices, among which the members are divided.
    """

    parts: Parts
    specs: tuple[PyTree, ...]
    measurements: Measurements
    placement: Placement

    def member(
        self,
        seed: int,
        rows: np.ndarray,
        validation_rows: np.ndarray | None,
        train_state: TrainState | None = None,
    ) -> Member:
        """Return a member with these parts; see `fjax.population.Member`."""
        return Member(self.parts, self.specs, seed, rows, validation_rows, train_state)


class TrainingData(NamedTuple):
    """Training and validation data, as one batch.

    Attributes:
        batch: All rows.
        rows: The rows to train on.
        validation_rows: The rows to validate on, or None.
    """

    batch: Batch
    rows: np.ndarray
    validation_rows: np.ndarray | None


def member_template(owner: str, model: Any, data: Batch) -> MemberTemplate:
    """Return the parts that members of a compiled model share.

    Args:
        owner: The function that errors name.
        model: The model.
        data: The training data, in the structure that the model expects.

    Raises:
        TypeError: The model has its own `train_step`.
        ValueError: The placement of the model divides weights, or has several processes.
    """
    parts = model.model_parts
    if parts.placement.layout != Replicated():
        raise ValueError(
            f"`{owner}` trains many whole models side by side, and {model.name!r} was compiled "
            "with a placement that divides weights: use `fjax.distribution.data_parallel()`, which "
            "divides the models among the devices."
        )
    if parts.placement.is_shared:
        raise ValueError(
            f"`{owner}` trains many models side by side in one process, and {model.name!r} was "
            "compiled for the devices of several: use "
            "`fjax.distribution.data_parallel(jax.local_devices())`."
        )
    if custom_step(model, parts, TRAIN) is not None or has_stateful_step(model, TRAIN):
        raise TypeError(
            f"`{owner}` trains many models side by side and cannot use the `train_step` that "
            f"{model.name!r} was compiled with: apply `jax.vmap` to your step yourself, see "
            "docs/functions.md."
        )
    config, example = parts.require_config(owner), take(data, 0, 1)
    outputs = parts.architecture.output_specs(example.inputs)
    objective = parts.objective(owner, example.targets, outputs)
    loss, metrics, directions = objective.loss, objective.metrics, objective.directions()
    return MemberTemplate(
        parts=(parts.architecture.network, loss, config.optimizer),
        specs=parts.architecture.built.specs,
        measurements=Measurements(
            metrics=metrics,
            sums=init_accumulators(metrics, example.targets, outputs, loss),
            directions=directions
            | {f"val_{name}": direction for name, direction in directions.items()},
        ),
        placement=parts.placement,
    )


def training_data(
    owner: str,
    model: Any,
    data: Arrays,
    validation_split: Any,
    validation_data: Any,
    class_weight: Any = None,
) -> TrainingData:
    """Return training and validation arrays, checked; see `Model.fit` for the arguments.

    Raises:
        ValueError: `validation_data` is not a pair or triple of arrays, or data does not fit the
            model.
    """
    share = 0.0 if validation_data is not None else validation_split
    training, held_out = split(owner, data.in_memory(), share)
    training = matched_batch(model, training, TRAIN, class_weight)
    if held_out is not None:
        held_out = matched_batch(model, held_out, TRAIN)
    if validation_data is not None:
        held_out = _held_out_batch(owner, model, validation_data)
    count = rows(training)
    trained = np.arange(count, dtype=np.int32)
    if held_out is None:
        return TrainingData(training, trained, None)
    validated = np.arange(count, count + rows(held_out), dtype=np.int32)
    return TrainingData(concatenate(training, held_out), trained, validated)


def concatenate(*batches: Batch) -> Batch:
    """Return the rows of all batches; if some have sample weights, the others get weights of 1."""
    weights = [batch.sample_weight for batch in batches if batch.sample_weight is not None]
    if weights:
        batches = tuple(
            batch if batch.sample_weight is not None else _with_unit_weights(batch, weights[0])
            for batch in batches
        )
    return jax.tree.map(lambda *arrays: np.concatenate(arrays), *batches)


def _with_unit_weights(batch: Batch, like: PyTree) -> Batch:
    ones = jax.tree.map(
        lambda weight: np.ones((rows(batch), *weight.shape[1:]), weight.dtype), like
    )
    return batch._replace(sample_weight=ones)


def _held_out_batch(owner: str, model: Any, validation_data: Any) -> Batch:
    if not isinstance(validation_data, list | tuple) or len(validation_data) not in (2, 3):
        raise ValueError(
            f"`{owner}`: for runs side by side `validation_data` must be `(x, y)` or "
            f"`(x, y, sample_weight)`, received {type(validation_data).__name__}."
        )
    x, y, weight = (*validation_data, None)[:3]
    return matched_batch(model, to_batch(x, y, weight, text=True), TEST)
