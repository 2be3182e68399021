"""Steps in Keras's form: `(state, data) -> (logs, state)` with flat lists of variables."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.core.freezing import trainable_flags
from fjax.core.step_scopes import StepScope, WholeStepScope
from fjax.metrics import Metric
from fjax.metrics.variables import values_in
from fjax.models.model_parts import ModelParts
from fjax.models.step_methods.forms import TEST, TRAIN
from fjax.models.step_methods.losses import collected_losses
from fjax.training import Batch, TrainState
from fjax.typing import Array, Key, PyTree
from fjax.variable import StatelessScope, Variable

# Keeps the keys of the scope of a step apart from those of the model's layers.
_KEY_OF_SCOPES = 0x5C09E


def metrics_of(model: Any, parts: ModelParts) -> list[Metric]:
    """Return the loss tracker, the compiled metrics, and the metrics in a model's attributes."""
    config = parts.config
    compiled: list[Metric] = [] if config is None else [parts.loss_tracker]
    if config is not None and (config.metrics or config.weighted_metrics):
        compiled.append(parts.compiled_metrics)
    own = [value for value in values_in(vars(model)) if isinstance(value, Metric)]
    return list({id(metric): metric for metric in [*compiled, *own]}.values())


def metrics_variables(model: Any) -> list[Variable]:
    """Return the variables of a model's metrics, each once."""
    variables = [variable for metric in model.metrics for variable in metric.variables]
    return list({id(variable): variable for variable in variables}.values())


def unpack(data: Any) -> tuple[Any, Any, Any]:
    """Return `(x, y, sample_weight)` of a batch, None for what it does not have.

    >>> unpack((1, 2))
    (1, 2, None)
    """
    values = tuple(data) if isinstance(data, list | tuple) else (data,)
    if not 1 <= len(values) <= 3:
        raise ValueError(
            "A batch is `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`, received "
            f"{len(values)} parts."
        )
    x, y, sample_weight = (*values, None, None)[:3]
    return x, y, sample_weight


def default_train_step(model: Any, state: Any, data: Any) -> tuple[Any, Any]:
    """Return the logs and the next state of Keras's training step; see `Model.train_step`."""
    trainable, others, optimizer_variables, metric_values = state
    x, y, sample_weight = unpack(data)

    opt_state = model.optimizer.in_variables.layout.unflatten(optimizer_variables)

    def objective(trainable: Any) -> Any:
        loss, *rest = _forward(
            model, trainable, others, metric_values, x, y, sample_weight, training=True
        )
        return model.optimizer.scale_loss(loss, opt_state), (loss, *rest)

    differentiate = jax.value_and_grad(objective, has_aux=True)
    (_, (loss, outputs, others, metric_values)), grads = differentiate(trainable)
    trainable, optimizer_variables = model.optimizer.stateless_apply(
        optimizer_variables, grads, trainable
    )
    logs, metric_values = _measure(model, metric_values, loss, x, y, outputs, sample_weight)
    return logs, (trainable, others, optimizer_variables, metric_values)


def default_test_step(model: Any, state: Any, data: Any) -> tuple[Any, Any]:
    """Return the logs and the next state of Keras's evaluation step; see `Model.test_step`."""
    trainable, others, metric_values = state
    x, y, sample_weight = unpack(data)
    loss, outputs, others, metric_values = _forward(
        model, trainable, others, metric_values, x, y, sample_weight, training=False
    )
    logs, metric_values = _measure(model, metric_values, loss, x, y, outputs, sample_weight)
    return logs, (trainable, others, metric_values)


def default_predict_step(model: Any, state: Any, data: Any) -> tuple[Any, Any]:
    """Return the outputs and the next variables; see `Model.predict_step`."""
    trainable, others = state
    outputs, others = model.stateless_call(trainable, others, unpack(data)[0], training=False)
    return outputs, others


def _forward(
    model: Any,
    trainable: Any,
    others: Any,
    metric_values: Any,
    x: Any,
    y: Any,
    sample_weight: Any,
    training: bool,
) -> tuple[Any, Any, Any, Any]:
    outputs, others = model.stateless_call(trainable, others, x, training=training)
    loss, (_, others, metric_values) = model.stateless_compute_loss(
        trainable, others, metric_values, x, y, outputs, sample_weight, training
    )
    return loss, outputs, others, metric_values


def _measure(
    model: Any, values: Any, loss: Array, x: Any, y: Any, outputs: Any, sample_weight: Any
) -> tuple[Any, list[Array]]:
    variables = metrics_variables(model)
    with StepScope(zip(variables, values, strict=True)):
        size = jax.tree.leaves(x)[0].shape[0]
        tracker = model.model_parts.loss_tracker
        if any(metric is tracker for metric in model.metrics):
            tracker.update_state(loss, sample_weight=size)
        logs = model.compute_metrics(x, y, outputs, sample_weight)
        return logs, [variable.value for variable in variables]


def compute_metrics(
    model: Any, parts: ModelParts, y: Any, y_pred: Any, sample_weight: Any
) -> dict[str, Any]:
    """Update the compiled metrics, and return all results; see `Model.compute_metrics`."""
    config = parts.require_config("compute_metrics")
    if config.metrics or config.weighted_metrics:
        objective = parts.objective("compute_metrics", y, y_pred)
        parts.compiled_metrics.build_for(objective.metrics, y, y_pred)
        parts.compiled_metrics.update_state(y, y_pred, sample_weight)
    return results_of(model)


def results_of(model: Any) -> dict[str, Any]:
    """Return the results of a model's metrics by name."""
    return flat_logs({metric.name: metric.result() for metric in model.metrics})


def flat_logs(logs: Any) -> dict[str, Any]:
    """Return logs in which a metric of several results is replaced by its results.

    >>> flat_logs({"loss": 1.0, "compile_metrics": {"mae": 2.0}})
    {'loss': 1.0, 'mae': 2.0}
    """
    flat: dict[str, Any] = {}
    for name, value in logs.items():
        flat |= flat_logs(value) if isinstance(value, Mapping) else {name: value}
    return flat


class StatefulSteps:
    """The steps of a model in Keras's form, as the engine runs them.

    Args:
        model: The model, which is built and compiled.
        parts: Its parts.

    Raises:
        RuntimeError: `trainable` was changed after `compile`.
    """

    def __init__(self, model: Any, parts: ModelParts) -> None:
        self.model, self.parts = model, parts
        architecture = parts.architecture
        if trainable_flags(architecture.layer_tree) != trainable_flags(architecture.network):
            raise RuntimeError(
                f"`trainable` of a layer of {architecture.name!r} was changed after `compile`: "
                "call `compile` again."
            )
        self.layout = model.variable_layout()
        self.optimizer = model.optimizer.in_variables.layout

    def train(self, train_state: TrainState, batch: Batch) -> tuple[TrainState, dict[str, Array]]:
        """Return the next train state and the logs."""
        key = jax.random.fold_in(train_state.key, train_state.step)
        trainable, others = self._lists(train_state, key)
        values = train_state.accumulators["variables"]
        state = (trainable, others, self.optimizer.flatten(train_state.opt_state), values)
        logs, state = self._run(TRAIN, state, batch, 4, key)
        trainable, others, optimizer_variables, values = state
        arrays = self.layout.trees(trainable, others)
        # The list has no trace of layers without weights, for which the state has empty dicts.
        leaves = jax.tree.leaves(self.optimizer.unflatten(optimizer_variables))
        train_state = train_state._replace(
            params=arrays.params,
            state=arrays.state,
            opt_state=jax.tree.unflatten(jax.tree.structure(train_state.opt_state), leaves),
            step=train_state.step + 1,
            batch=train_state.batch + 1,
            accumulators={"logs": logs, "variables": self._checked_metrics(values)},
        )
        return train_state, logs

    def test(self, accumulators: PyTree, train_state: TrainState, batch: Batch) -> PyTree:
        """Return the next accumulators."""
        key = jax.random.fold_in(train_state.key, train_state.step)
        state = (*self._lists(train_state, key), accumulators["variables"])
        logs, (_, _, values) = self._run(TEST, state, batch, 3, key)
        return {"logs": logs, "variables": self._checked_metrics(values)}

    def empty_sums(self, kind: str, train_state: TrainState, batch: Batch) -> PyTree:
        """Return the accumulators before the first step of an epoch, as numpy arrays.

        Args:
            kind: `TRAIN` or `TEST`.
            train_state: The train state, or its shapes.
            batch: A batch, or its shapes.
        """
        self._build_metrics(batch)
        with StatelessScope():
            self.model.reset_metrics()
            values = [jax.device_get(v.value) for v in metrics_variables(self.model)]
        first = {"logs": {}, "variables": values}

        def run(train_state: TrainState, batch: Batch) -> PyTree:
            if kind == TRAIN:
                return self.train(train_state._replace(accumulators=first), batch)[1]
            return self.test(first, train_state, batch)["logs"]

        logs = jax.eval_shape(run, train_state._replace(accumulators=()), batch)
        return {
            "logs": {name: np.zeros(spec.shape, spec.dtype) for name, spec in logs.items()},
            "variables": values,
        }

    def store(self, accumulators: PyTree) -> None:
        """Assign the values of the metrics' variables after an epoch."""
        variables = metrics_variables(self.model)
        for variable, value in zip(variables, accumulators["variables"], strict=True):
            variable.assign(jnp.copy(value))

    def _build_metrics(self, batch: Batch) -> None:
        config, architecture = self.parts.require_config("fit"), self.parts.architecture
        if batch.targets is not None and (config.metrics or config.weighted_metrics):
            outputs = architecture.output_specs(batch.inputs)
            objective = self.parts.objective("fit", batch.targets, outputs)
            self.parts.compiled_metrics.build_for(objective.metrics, batch.targets, outputs)

    def _lists(self, train_state: TrainState, key: Key) -> tuple[list[Array], list[Array]]:
        return self.layout.lists(train_state.params, train_state.state, jax.random.key_data(key))

    def _run(
        self, kind: str, state: Any, batch: Batch, count: int, key: Key
    ) -> tuple[dict[str, Array], Any]:
        x = batch.inputs[0] if len(batch.inputs) == 1 else batch.inputs
        trainable = self.model.trainable_variables
        variables = [*trainable, *self.model.non_trainable_variables]
        scope = WholeStepScope(
            zip(variables, [*state[0], *state[1]], strict=True),
            jax.random.fold_in(key, _KEY_OF_SCOPES),
            trained=trainable if kind == TRAIN else (),
            label=f"{type(self.model).__name__}.{kind}",
        )
        with collected_losses(), scope:
            returned = getattr(self.model, kind)(state, _packed(x, batch))
        is_pair = isinstance(returned, tuple) and len(returned) == 2
        if not is_pair or not isinstance(returned[1], tuple) or len(returned[1]) != count:
            raise TypeError(
                f"`{type(self.model).__name__}.{kind}(state, data)` must return the pair `(logs, "
                f"state)`, with a `state` of {count} lists like its argument, received "
                f"{_description(returned)}."
            )
        logs, state = returned
        if not isinstance(logs, Mapping):
            raise TypeError(
                f"`{type(self.model).__name__}.{kind}` must return its logs as a dict of names to "
                f"scalars, received {type(logs).__name__}."
            )
        return {name: jnp.asarray(value) for name, value in flat_logs(logs).items()}, state

    def _checked_metrics(self, values: Any) -> list[Array]:
        variables = metrics_variables(self.model)
        if len(values) != len(variables):
            raise ValueError(
                f"A step of `{type(self.model).__name__}` must return the values of the "
                f"{len(variables)} variables of `model.metrics`, it returned {len(values)}."
            )
        return [
            jnp.asarray(getattr(value, "value", value), variable.dtype)
            for variable, value in zip(variables, values, strict=True)
        ]


def _packed(x: Any, batch: Batch) -> Any:
    """Return the data of a step as Keras passes it: one input without targets is not in a tuple."""
    if batch.sample_weight is not None:
        return x, batch.targets, batch.sample_weight
    if batch.targets is not None:
        return x, batch.targets
    return (x,) if isinstance(x, tuple | list) else x


def _description(value: Any) -> str:
    if isinstance(value, tuple):
        return f"a tuple of {[type(entry).__name__ for entry in value]}"
    return f"a {type(value).__name__}"
