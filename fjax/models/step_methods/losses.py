"""The losses of a model in its steps: those of its layers, and `compute_loss`."""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import jax
import jax.numpy as jnp

from fjax.core.penalties import penalty_terms
from fjax.core.precision import apply_layer
from fjax.core.step_scopes import StepScope
from fjax.models.model_parts import ModelParts
from fjax.training import Batch
from fjax.training.step import loss_and_parts
from fjax.typing import Array, Params, State

# The losses of the layers in the pass that is being traced, by the identity of the model's parts.
_LOSSES: ContextVar[dict[int, list[Array]]] = ContextVar("losses")


@contextmanager
def collected_losses() -> Iterator[None]:
    """Keep the losses of pure calls until the end of a step."""
    token = _LOSSES.set(dict(_LOSSES.get({})))
    try:
        yield
    finally:
        _LOSSES.reset(token)


def collect_losses(parts: ModelParts, losses: list[Array]) -> None:
    """Keep the losses of a pure call for the rest of the step that is being traced, if any."""
    if _LOSSES.get(None) is not None:
        _LOSSES.get()[id(parts)] = losses


def current_losses(parts: ModelParts) -> list[Array]:
    """Return the losses of a model's layers; see `Model.losses`."""
    collected = _LOSSES.get({}).get(id(parts))
    if collected is not None:
        return collected
    if not parts.architecture.has_penalty():
        return []
    train_state = parts.weights.train_state
    terms = _losses_of_weights(parts, train_state.params, train_state.state)
    calls = parts.call_penalties
    return terms if calls is None else [a + b for a, b in zip(terms, calls, strict=True)]


def _losses_of_weights(parts: ModelParts, params: Params, state: State) -> list[Array]:
    specs = parts.architecture.built.specs
    inputs = jax.tree.map(lambda spec: jnp.zeros(spec.shape, spec.dtype), specs)
    _, state = apply_layer(parts.architecture.layer_tree, params, state, *inputs)
    return penalty_terms(state, ("weights",))


def compute_loss(model: Any, parts: ModelParts, y: Any, y_pred: Any, sample_weight: Any) -> Array:
    """Return the compiled loss plus the losses of the layers; see `Model.compute_loss`."""
    config, terms = parts.require_config("compute_loss"), model.losses
    loss = None
    if config.loss is not None and y is not None:
        names = parts.architecture.output_names()
        resolved = config.loss_for(y, y_pred, names)
        batch = Batch((), y, sample_weight)
        loss = None if resolved is None else loss_and_parts(resolved, y_pred, batch)[0]
    if loss is None and not terms:
        raise ValueError(
            f"The model {parts.architecture.name!r} has no loss to compute: pass `loss=` to "
            "`compile`, call `add_loss` in a layer, or override `compute_loss` or `train_step`."
        )
    return sum(terms, jnp.float32(0) if loss is None else loss)


def stateless_compute_loss(
    model: Any,
    variables: tuple[Sequence[Any], Sequence[Any], Sequence[Any]],
    x: Any,
    y: Any,
    y_pred: Any,
    sample_weight: Any,
    training: bool,
) -> tuple[Array, tuple[list[Any], list[Any], list[Any]]]:
    """Return the loss and the next variables; see `Model.stateless_compute_loss`."""
    trainable, others, metric_values = variables
    state, metrics = model.non_trainable_variables, model.metrics_variables
    weights = zip([*model.trainable_variables, *state], [*trainable, *others], strict=True)
    with collected_losses():
        parts = model.model_parts
        if parts.architecture.has_penalty() and id(parts) not in _LOSSES.get():
            # Outside of a step, no pass has left its losses: those of the given weights count.
            arrays = model.variable_layout().trees(trainable, others)
            collect_losses(parts, _losses_of_weights(parts, arrays.params, arrays.state))
        # The layers that `compute_loss` calls take the given weights, and set their next state.
        with StepScope([*weights, *zip(metrics, metric_values, strict=True)]):
            loss = _call_compute_loss(model, x, y, y_pred, sample_weight, training)
            others = [variable.value for variable in state]
            metric_values = [variable.value for variable in metrics]
    return loss, (list(trainable), others, metric_values)


def _call_compute_loss(
    model: Any, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool
) -> Array:
    """Call `compute_loss`, which a subclass may have written without the argument `training`."""
    parameters = inspect.signature(model.compute_loss).parameters.values()
    takes_training = any(p.name == "training" or p.kind is p.VAR_KEYWORD for p in parameters)
    mode = {"training": training} if takes_training else {}
    loss: Array = model.compute_loss(x, y, y_pred, sample_weight, **mode)
    return loss
