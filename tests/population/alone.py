"""Populations of models, and the same models trained alone."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from fjax import Model, Sequential
from fjax.data.conversion import to_batch
from fjax.layers import Dense, Input
from fjax.models.membership import member_template
from fjax.models.plan import matched_batch
from fjax.population import Member, Population

ROWS, BATCH = 60, 16
_random = np.random.default_rng(0)
X = _random.normal(size=(ROWS, 3)).astype("float32")
Y = (np.tanh(X @ _random.normal(size=(3, 1))) + 0.1 * _random.normal(size=(ROWS, 1))).astype(
    "float32"
)
TRAINED, HELD_OUT = np.arange(40, dtype=np.int32), np.arange(40, ROWS, dtype=np.int32)


def make_model(*hidden: Any, optimizer: Any = "sgd", seed: int = 0, **compiled: Any) -> Model:
    """Return a model with these hidden layers and one output."""
    model = Sequential([Input((3,)), *hidden, Dense(1)], seed=seed)
    model.compile(optimizer, **({"loss": "mse"} | compiled))
    return model


def make_population(
    models: Sequence[Model],
    rows: Sequence[np.ndarray] | None = None,
    held_out: Sequence[np.ndarray] | None = None,
    data: tuple[Any, Any] = (X, Y),
    batch_size: int = BATCH,
    **options: Any,
) -> Population:
    """Return a population with a member for each model; the models do not change."""
    rows = rows or [TRAINED] * len(models)
    validation_rows = held_out or [None] * len(models)
    members = []
    for model, own, validated in zip(models, rows, validation_rows, strict=True):
        batch = matched_batch(model, to_batch(*data))
        template = member_template("fit", model, batch)
        seed = model.model_parts.weights.seed
        members.append(Member(template.parts, template.specs, seed, own, validated))
        if len(members) == 1:
            measurements = template.measurements
    return Population(members, batch, measurements, batch_size, **options)


def fit_alone(
    model: Model,
    epochs: int,
    rows: np.ndarray = TRAINED,
    held_out: np.ndarray | None = None,
    data: tuple[Any, Any] = (X, Y),
    batch_size: int = BATCH,
    **options: Any,
) -> dict[str, list[float]]:
    """Train a model alone, and return its history."""

    def take(tree: Any, index: np.ndarray) -> Any:
        return jax.tree.map(lambda leaf: leaf[index], tree)

    x, y = data
    if held_out is not None:
        options["validation_data"] = (take(x, held_out), take(y, held_out))
    history = model.fit(
        take(x, rows), take(y, rows), batch_size=batch_size, epochs=epochs, verbose=0, **options
    )
    return history.history


def assert_trees_close(actual: Any, expected: Any, rtol: float = 1e-5, atol: float = 1e-5) -> None:
    """Both trees have the same structure and the same numbers."""
    assert jax.tree.structure(actual) == jax.tree.structure(expected)
    for one, other in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        if jax.dtypes.issubdtype(one.dtype, jax.dtypes.prng_key):
            one, other = jax.random.key_data(one), jax.random.key_data(other)
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=rtol, atol=atol)


def _without_penalties(state: Any) -> Any:
    """Return a state without penalties, which each step computes anew."""
    if not isinstance(state, dict):
        return state
    return {name: _without_penalties(part) for name, part in state.items() if name != "penalty"}


def assert_as_alone(
    population: Population,
    models: Sequence[Model],
    histories: Sequence[dict[str, list[float]]],
    rtol: float = 1e-5,
) -> None:
    """Every member has the params, state, optimizer state and history of its model."""
    for index, (model, history) in enumerate(zip(models, histories, strict=True)):
        actual, expected = population.train_state(index), model.train_state
        assert_trees_close(actual.params, expected.params, rtol)
        assert_trees_close(*map(_without_penalties, (actual.state, expected.state)), rtol)
        assert_trees_close(actual.opt_state, expected.opt_state, rtol)
        assert int(actual.step) == int(expected.step)
        assert (int(actual.epoch), int(actual.batch)) == (int(expected.epoch), int(expected.batch))
        assert population.history[index].keys() == history.keys()
        for name, values in history.items():
            np.testing.assert_allclose(population.history[index][name], values, rtol, 1e-6)
