"""Populations made of models, and the same models trained alone."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from fjax import Model, Sequential
from fjax.data import ArraySource
from fjax.data.conversion import to_batch
from fjax.layers import Dense, Input
from fjax.models.plan import TRAIN, make_plan, matched_batch
from fjax.population import Member, Population

ROWS, BATCH = 60, 16
_random = np.random.default_rng(0)
X = _random.normal(size=(ROWS, 3)).astype("float32")
Y = (np.tanh(X @ _random.normal(size=(3, 1))) + 0.1 * _random.normal(size=(ROWS, 1))).astype(
    "float32"
)
TRAINED, HELD_OUT = np.arange(40, dtype=np.int32), np.arange(40, ROWS, dtype=np.int32)


def made(*hidden: Any, optimizer: Any = "sgd", seed: int = 0, **compiled: Any) -> Model:
    """A model with one output behind these layers."""
    model = Sequential([Input((3,)), *hidden, Dense(1)], seed=seed)
    model.compile(optimizer, **({"loss": "mse"} | compiled))
    return model


def population(
    models: Sequence[Model],
    rows: Sequence[np.ndarray] | None = None,
    held_out: Sequence[np.ndarray] | None = None,
    data: tuple[Any, Any] = (X, Y),
    batch_size: int = BATCH,
    **options: Any,
) -> Population:
    """A population of members like these models, which stay as they are."""
    rows = rows or [TRAINED] * len(models)
    kept = held_out or [None] * len(models)
    members = []
    for model, own, validated in zip(models, rows, kept, strict=True):
        batch = matched_batch(model, to_batch(*data))
        compiled = model.model_parts.require_config("fit")
        loss = compiled.loss_for(
            batch.targets,
            model.model_parts.architecture.output_specs(batch.inputs),
            model.output_names,
        )
        parts = (model.network, loss, compiled.optimizer)
        members.append(
            Member(
                parts,
                model.model_parts.architecture.built.specs,
                model.model_parts.weights.seed,
                own,
                validated,
            )
        )
    first = models[0]
    plan = make_plan(first, first.model_parts, TRAIN, ArraySource(batch, batch_size))
    outputs = first.model_parts.architecture.output_specs(batch.inputs)
    metrics = compiled.resolve(batch.targets, outputs, first.output_names).metrics
    directions = plan.directions | {
        f"val_{name}": direction for name, direction in plan.directions.items()
    }
    return Population(
        members, batch, metrics, plan.empty_sums, batch_size, directions=directions, **options
    )


def fitted(
    model: Model,
    epochs: int,
    rows: np.ndarray = TRAINED,
    held_out: np.ndarray | None = None,
    data: tuple[Any, Any] = (X, Y),
    batch_size: int = BATCH,
    **options: Any,
) -> dict[str, list[float]]:
    """Train a model alone, and return its history."""

    def take(tree: Any, own: np.ndarray) -> Any:
        return jax.tree.map(lambda leaf: leaf[own], tree)

    x, y = data
    if held_out is not None:
        options["validation_data"] = (take(x, held_out), take(y, held_out))
    history = model.fit(
        take(x, rows), take(y, rows), batch_size=batch_size, epochs=epochs, verbose=0, **options
    )
    return history.history


def assert_alike(found: Any, wanted: Any, rtol: float = 1e-5, atol: float = 1e-5) -> None:
    """Both trees have the same structure and the same numbers."""
    assert jax.tree.structure(found) == jax.tree.structure(wanted)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        if jax.dtypes.issubdtype(one.dtype, jax.dtypes.prng_key):
            one, other = jax.random.key_data(one), jax.random.key_data(other)
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=rtol, atol=atol)


def _without_penalties(state: Any) -> Any:
    """What a network remembers; what its regularizers charged is charged anew in each step."""
    if not isinstance(state, dict):
        return state
    return {name: _without_penalties(own) for name, own in state.items() if name != "penalty"}


def assert_as_alone(
    trained: Population,
    models: Sequence[Model],
    histories: Sequence[dict[str, list[float]]],
    rtol: float = 1e-5,
) -> None:
    """Every member has the params, state, optimizer's state and history of its model."""
    for index, (model, history) in enumerate(zip(models, histories, strict=True)):
        held, alone = trained.train_state(index), model.train_state
        assert_alike(held.params, alone.params, rtol)
        assert_alike(*map(_without_penalties, (held.state, alone.state)), rtol)
        assert_alike(held.opt_state, alone.opt_state, rtol)
        assert int(held.step) == int(alone.step)
        assert (int(held.epoch), int(held.batch)) == (int(alone.epoch), int(alone.batch))
        assert trained.history[index].keys() == history.keys()
        for name, values in history.items():
            np.testing.assert_allclose(trained.history[index][name], values, rtol, 1e-6)
