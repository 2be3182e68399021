"""A user's own step in the place of the engine's: checked, and run in the same compiled loop."""

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

# What a step advances; all else in a train state is the engine's.
ADVANCED = ("params", "state", "opt_state")

TestStep = Callable[[TrainState, Batch], Mapping[str, Any]]


def custom_train_step(step: TrainStep) -> TrainStep:
    """Return a training step around a user's, which need not care for counters and means.

    The user's step is handed the run's train state with a key of this step alone and with the empty
    sums of `init_accumulators()`. Of what it returns `params`, `state` and `opt_state` are kept;
    the counters, the run's key and the running mean of each log are set here. So the engine's own
    `train_step(network, loss, optimizer)` may be called inside.

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

    def advanced(train_state: TrainState, batch: Batch) -> tuple[TrainState, Logs]:
        next_state, logs = step(_handed_over(train_state), batch)
        sums = add_means(train_state.accumulators, logs, samples(batch))
        next_state = train_state._replace(
            **{home: getattr(next_state, home) for home in ADVANCED},
            step=train_state.step + 1,
            batch=train_state.batch + 1,
            accumulators=sums,
        )
        return next_state, results((), sums)

    return advanced


def custom_test_step(step: TestStep) -> Callable[[PyTree, TrainState, Batch], PyTree]:
    """Return a step of evaluation around a user's `step(train_state, batch) -> logs`."""

    def measured(accumulators: PyTree, train_state: TrainState, batch: Batch) -> PyTree:
        return add_means(accumulators, step(train_state, batch), samples(batch))

    return measured


def check_train_step(step: TrainStep, train_state: TrainState, batch: Batch) -> list[str]:
    """Return the names of the logs of a user's training step, found without computing anything.

    Args:
        step: The user's step.
        train_state: The train state, or its shapes.
        batch: A batch, or its shapes.

    Raises:
        TypeError: The step returns something else than a train state and logs.
        ValueError: A part of the train state comes back in another structure, shape or dtype, or
            a log is no scalar.
    """

    def advanced(train_state: TrainState, batch: Batch) -> tuple[PyTree, Any]:
        returned = step(_handed_over(train_state), batch)
        is_pair = isinstance(returned, tuple) and len(returned) == 2
        if not is_pair or not isinstance(returned[0], TrainState):
            raise TypeError(
                "`train_step` must return the pair `(train_state, logs)`, received "
                f"{_kind(returned)}. End it by "
                '`return train_state._replace(params=…, opt_state=…), {"loss": loss}`.'
            )
        next_state, logs = returned
        return {home: getattr(next_state, home) for home in ADVANCED}, _checked_logs(
            "train_step", logs
        )

    after, logs = jax.eval_shape(advanced, train_state, batch)
    for home in ADVANCED:
        before = jax.eval_shape(lambda tree: tree, getattr(train_state, home))
        difference = first_difference(before, after[home]) or _other_dtype(before, after[home])
        if difference:
            raise ValueError(
                f"`train_step` must return `{home}` as it came, in structure, shapes and dtypes: "
                f"at {home}{difference}."
            )
    return losses_first(logs)


def check_test_step(step: TestStep, train_state: TrainState, batch: Batch) -> list[str]:
    """Return the names of the logs of a user's step of evaluation, likewise.

    Raises:
        TypeError: The step returns no dict.
        ValueError: A log is no scalar.
    """
    logs = jax.eval_shape(
        lambda state, batch: _checked_logs("test_step", step(state, batch)), train_state, batch
    )
    return losses_first(logs)


def _handed_over(train_state: TrainState) -> TrainState:
    # A step that splits the key, and one that does not fold in the number, draw anew each time.
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
    for (path, one), other in zip(leaves, jax.tree.leaves(after), strict=True):
        if one.dtype != other.dtype:
            where = jax.tree_util.keystr(path)
            return f"{where}: expected dtype {one.dtype}, received {other.dtype}"
    return None


def _kind(value: Any) -> str:
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return f"a tuple of {[type(item).__name__ for item in value]}"
    return f"a value of type `{type(value).__name__}`"
