"""Custom steps: a user's step replaces the engine's in the same compiled loop."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from fjax.training.accumulators import Logs, add_means, init_accumulators, results
from fjax.training.batch import Batch
from fjax.training.logs import losses_first
from fjax.training.state import TrainState
from fjax.training.step import TrainStep, samples
from fjax.trees import first_difference
from fjax.typing import PyTree

# The fields of a train state that a custom step updates; the engine updates the others.
UPDATED_FIELDS = ("params", "state", "opt_state")

TestStep = Callable[[TrainState, Batch], Mapping[str, Any]]


def custom_train_step(step: TrainStep) -> TrainStep:
    """Return a training step around a user's step, with counters and running means added.

    The user's step gets the run's train state, with a key for this step and the empty sums of
    `init_accumulators()`. Its `params`, `state` and `opt_state` are used; the counters, the run's
    key and the running mean of each log are set here. So it may call the engine's
    `train_step(network, loss, optimizer)`.

    Args:
        step: `step(train_state, batch) -> (train_state, logs)`, pure; `logs` is a dict of scalars,
            means over the batch.

    >>> import numpy as np
    >>> from fjax.training.accumulators import empty_means
    >>> def step(train_state, batch):
    ...     error = batch.inputs[0].mean() - train_state.params
    ...     return train_state._replace(params=train_state.params + error / 2), {"error": error}
    >>> key = jax.random.key(0)
    >>> train_state = TrainState(0.0, {}, (), key, 0, 0, 0, empty_means(["error"]))
    >>> train_state, logs = custom_train_step(step)(train_state, Batch((np.ones((4, 1)),)))
    >>> print(train_state.params, train_state.step, logs["error"])
    0.5 1 1.0
    """

    def wrapped_step(train_state: TrainState, batch: Batch) -> tuple[TrainState, Logs]:
        next_state, logs = step(_user_train_state(train_state), batch)
        sums = add_means(train_state.accumulators, logs, samples(batch))
        next_state = train_state._replace(
            **{field: getattr(next_state, field) for field in UPDATED_FIELDS},
            step=train_state.step + 1,
            batch=train_state.batch + 1,
            accumulators=sums,
        )
        return next_state, results((), sums)

    return wrapped_step


def custom_test_step(step: TestStep) -> Callable[[PyTree, TrainState, Batch], PyTree]:
    """Return an evaluation step around a user's `step(train_state, batch) -> logs`."""

    def wrapped_step(accumulators: PyTree, train_state: TrainState, batch: Batch) -> PyTree:
        return add_means(accumulators, step(train_state, batch), samples(batch))

    return wrapped_step


def check_train_step(step: TrainStep, train_state: TrainState, batch: Batch) -> list[str]:
    """Return the names of the logs of a user's training step, by abstract evaluation.

    Args:
        step: The user's step.
        train_state: The train state, or its shapes.
        batch: A batch, or its shapes.

    Raises:
        TypeError: The step does not return a train state and logs.
        ValueError: A field of the train state has another structure, shape or dtype than before,
            or a log is not a scalar.
    """

    def checked_step(train_state: TrainState, batch: Batch) -> tuple[PyTree, Any]:
        returned = step(_user_train_state(train_state), batch)
        is_pair = isinstance(returned, tuple) and len(returned) == 2
        if not is_pair or not isinstance(returned[0], TrainState):
            raise TypeError(
                "`train_step` must return the pair `(train_state, logs)`, received "
                f"{_kind(returned)}. End the step with "
                '`return train_state._replace(params=…, opt_state=…), {"loss": loss}`.'
            )
        next_state, logs = returned
        return {field: getattr(next_state, field) for field in UPDATED_FIELDS}, _checked_logs(
            "train_step", logs
        )

    after, logs = jax.eval_shape(checked_step, train_state, batch)
    for field in UPDATED_FIELDS:
        before = jax.eval_shape(lambda tree: tree, getattr(train_state, field))
        difference = first_difference(before, after[field]) or _other_dtype(before, after[field])
        if difference:
            raise ValueError(
                f"`train_step` must return `{field}` with the structure, shapes and dtypes of its "
                f"argument; at {field}{difference}."
            )
    return losses_first(logs)


def check_test_step(step: TestStep, train_state: TrainState, batch: Batch) -> list[str]:
    """Return the names of the logs of a user's evaluation step, by abstract evaluation.

    Raises:
        TypeError: The step does not return a dict.
        ValueError: A log is not a scalar.
    """
    logs = jax.eval_shape(
        lambda state, batch: _checked_logs("test_step", step(state, batch)), train_state, batch
    )
    return losses_first(logs)


def _user_train_state(train_state: TrainState) -> TrainState:
    # With this key, a step draws new numbers at each call, whether or not it folds in the count.
    key = jax.random.fold_in(train_state.key, train_state.step)
    return train_state._replace(key=key, accumulators=init_accumulators())


def _checked_logs(owner: str, logs: Any) -> dict[str, Any]:
    if not isinstance(logs, Mapping) or not all(isinstance(name, str) for name in logs):
        raise TypeError(
            f"`{owner}` must return its logs as a dict of names to scalars, such as "
            f'{{"loss": loss}}, received {_kind(logs)}.'
        )
    for name, value in logs.items():
        array = jnp.asarray(value)
        if array.ndim or jnp.issubdtype(array.dtype, jnp.complexfloating):
            raise ValueError(
                f"`{owner}`: the log {name!r} must be one real number, received an array of shape "
                f"{array.shape} and dtype {array.dtype}. Take its mean over the batch."
            )
    return {name: jnp.asarray(value) for name, value in logs.items()}


def _other_dtype(before: PyTree, after: PyTree) -> str | None:
    leaves = jax.tree_util.tree_leaves_with_path(before)
    for (path, old), new in zip(leaves, jax.tree.leaves(after), strict=True):
        if old.dtype != new.dtype:
            where = jax.tree_util.keystr(path)
            return f"{where}: expected dtype {old.dtype}, received {new.dtype}"
    return None


def _kind(value: Any) -> str:
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return f"a tuple of {[type(item).__name__ for item in value]}"
    return f"a value of type `{type(value).__name__}`"
