"""The pure steps of training and of evaluation."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from fjax.core import has_penalty, penalty
from fjax.core.freezing import frozen_paths, merge_params, trainable_part
from fjax.core.precision import apply_layer
from fjax.training.accumulators import Logs, Metrics, accumulate, results
from fjax.training.batch import Batch
from fjax.training.masked_outputs import loss_of
from fjax.training.output_losses import OutputLosses
from fjax.training.state import TrainState
from fjax.typing import Array, Constrains, GradientTransformation, Key, PyTree, ScalesLoss

TrainStep = Callable[[TrainState, Batch], tuple[TrainState, Logs]]


def train_step(
    network: Any,
    loss: Callable[..., Array],
    optimizer: GradientTransformation,
    metrics: Metrics = (),
) -> TrainStep:
    """Return the pure training step of a network.

    It minimizes the loss plus the network's penalties (`fjax.core.penalty`), and applies the
    network's constraints after the update. Layers that are not `trainable` keep their params,
    which the optimizer never sees.

    Args:
        network: A layer.
        loss: `loss(targets, outputs, sample_weight)`, which returns a scalar, such as an object of
            `fjax.losses`; or `OutputLosses`, whose parts are logged too (create the train state
            with the same loss).
        optimizer: One of `fjax.optimizers`, or any pair `init`, `update` by optax's convention.
        metrics: The metrics beside the loss; create the train state with the same metrics.

    Returns:
        `step(train_state, batch) -> (train_state, logs)`, for `jit`, `scan`, `vmap` or a loop.

    >>> import jax, jax.numpy as jnp
    >>> from fjax.layers import Dense
    >>> from fjax.losses import MeanSquaredError
    >>> from fjax.optimizers import SGD
    >>> from fjax.training import create_train_state
    >>> network, optimizer = Dense(1), SGD(0.1)
    >>> batch = Batch((jnp.ones((4, 2)),), jnp.ones((4, 1)))
    >>> train_state = create_train_state(network, optimizer, jax.random.key(0), *batch.inputs)
    >>> step = train_step(network, MeanSquaredError(), optimizer)
    >>> train_state, logs = step(train_state, batch)
    >>> int(train_state.step), logs["loss"].shape
    (1, ())
    """
    if not callable(loss) or not callable(getattr(optimizer, "update", None)):
        raise TypeError(
            "`train_step` takes functions, not names: a loss such as `fjax.losses.get(…)` and an "
            f"optimizer such as `fjax.optimizers.get(…)`, received {loss!r} and {optimizer!r}."
        )

    frozen = frozen_paths(network)

    def step(train_state: TrainState, batch: Batch) -> tuple[TrainState, Logs]:
        if not isinstance(batch.inputs, tuple):
            raise TypeError(
                "`Batch.inputs` must be a tuple, also for one input: `Batch((x,), y)`, received "
                f"{type(batch.inputs).__name__}."
            )
        key = jax.random.fold_in(train_state.key, train_state.step)
        trained = trainable_part(train_state.params, frozen)

        def objective(trained: PyTree) -> tuple[Array, tuple[Array, PyTree, PyTree, Logs]]:
            params = merge_params(train_state.params, trained) if frozen else trained
            outputs, state = apply_layer(
                network, params, train_state.state, *batch.inputs, key=key, training=True
            )
            value, parts = loss_and_parts(loss, outputs, batch)
            value = _with_penalty(value, state)
            return _scaled(optimizer, value, train_state.opt_state), (value, outputs, state, parts)

        differentiate = jax.value_and_grad(objective, has_aux=True)
        (_, (value, outputs, state, parts)), grads = differentiate(trained)
        updates, opt_state = optimizer.update(grads, train_state.opt_state, trained)
        trained = jax.tree.map(lambda p, u: (p + u).astype(p.dtype), trained, updates)
        params = merge_params(train_state.params, trained) if frozen else trained
        if isinstance(network, Constrains):
            params = network.constrain(params)
        values = {"loss": value, **parts}
        sums = _add(metrics, train_state.accumulators, values, outputs, batch)
        next_state = TrainState(
            params=params,
            state=state,
            opt_state=opt_state,
            key=train_state.key,
            step=train_state.step + 1,
            epoch=train_state.epoch,
            batch=train_state.batch + 1,
            accumulators=sums,
        )
        return next_state, results(metrics, sums)

    return step


def test_step(
    network: Any, loss: Callable[..., Array], metrics: Metrics = ()
) -> Callable[..., PyTree]:
    """Return the pure evaluation step: `step(accumulators, params, state, batch, key=None)`.

    The loss includes the network's penalties, as in training. The key is for layers that draw
    random numbers outside of training, too.
    """

    def step(
        accumulators: PyTree, params: PyTree, state: PyTree, batch: Batch, key: Key | None = None
    ) -> PyTree:
        outputs, state = apply_layer(network, params, state, *batch.inputs, key=key)
        value, parts = loss_and_parts(loss, outputs, batch)
        values = {"loss": _with_penalty(value, state), **parts}
        return _add(metrics, accumulators, values, outputs, batch)

    return step


def _scaled(optimizer: GradientTransformation, loss: Array, opt_state: PyTree) -> Array:
    return optimizer.scale_loss(loss, opt_state) if isinstance(optimizer, ScalesLoss) else loss


def _with_penalty(value: Array, state: PyTree) -> Array:
    # Without penalties the program is the same, to the bit.
    return value + penalty(state) if has_penalty(state) else value


def samples(batch: Batch) -> Array:
    """Return the number of valid samples of a batch."""
    if batch.valid is not None:
        return jnp.sum(batch.valid)
    return jnp.float32(jax.tree.leaves(batch.inputs)[0].shape[0])


def loss_and_parts(loss: Callable[..., Array], outputs: PyTree, batch: Batch) -> tuple[Array, Logs]:
    """Return the loss to differentiate, and the losses of single outputs to log."""
    if isinstance(loss, OutputLosses):
        values = loss.values(batch.targets, outputs, batch.sample_weight, batch.valid)
        return loss.total(values), loss.logs(values)
    return loss_of(loss, batch.targets, outputs, batch.sample_weight, batch.valid), {}


def _add(metrics: Metrics, sums: PyTree, values: Logs, outputs: PyTree, batch: Batch) -> PyTree:
    return accumulate(
        metrics, sums, values, samples(batch), batch.targets, outputs,
        batch.sample_weight, batch.valid,
    )  # fmt: skip
