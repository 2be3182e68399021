"""`Model.predict`, and the call of a model on arrays."""

from typing import Any

import jax
import numpy as np

from fjax.callbacks import CallbackList
from fjax.core.masking import strip_masks
from fjax.core.precision import apply_layer
from fjax.data.conversion import to_batch
from fjax.data.source import Data
from fjax.models.model_parts import ModelParts, execution_mode
from fjax.models.predict_step import PredictStep, predict_step
from fjax.models.step_forms import has_predict_step
from fjax.models.subclassed import require_outputs
from fjax.training import Batch, programs_for
from fjax.training.batch import rows
from fjax.training.loop import predict as predict_source
from fjax.typing import PyTree


def predict(model: Any, parts: ModelParts, data: Data, callbacks: Any, verbose: int) -> PyTree:
    """Return the outputs for all inputs as numpy arrays; see `Model.predict`.

    Args:
        model: The model, which is passed to the callbacks.
        parts: Its parts.
        data: The inputs.
        callbacks: The user's callbacks.
        verbose: 0, 1 or 2.
    """
    if not has_predict_step(model):
        require_outputs(model)
    model.build_for(data.first())
    architecture = parts.architecture
    source = data.checked(model.input_expectation(), placement=parts.placement)
    callback_list = CallbackList(callbacks, model, verbose, epochs=1, steps=source.steps)
    network = predict_step(model, parts) or architecture.network
    programs = programs_for(network, None, None, (), parts.programs)

    def empty_outputs(batch: Batch) -> PyTree:
        count, specs = rows(batch), _output_specs(network, parts, batch.inputs)
        return jax.tree.map(lambda spec: np.zeros((count, *spec.shape[1:]), spec.dtype), specs)

    try:
        # If the first batch does not fit, this raises before callbacks are called.
        _output_specs(network, parts, source.spec.inputs)
        callback_list.call("on_predict_begin", {})
        with execution_mode(model.run_eagerly):
            train_state = parts.weights.train_state._replace(key=parts.weights.next_key())
            hooks = callback_list.steps("predict")
            outputs = predict_source(programs, train_state, empty_outputs, source, hooks)
    finally:
        source.close()
    callback_list.call("on_predict_end", {})
    return jax.tree.map(lambda *arrays: np.concatenate(arrays), *outputs)


def _output_specs(network: Any, parts: ModelParts, inputs: tuple[PyTree, ...]) -> PyTree:
    """Return the shapes and dtypes of the outputs for some inputs; their batch size may differ."""
    if not isinstance(network, PredictStep):
        return parts.architecture.output_specs(inputs)
    train_state = parts.weights.train_state
    return jax.eval_shape(
        lambda *values: apply_layer(
            network, train_state.params, train_state.state, *values, key=jax.random.key(0)
        )[0],
        *inputs,
    )


def inputs_of(model: Any, parts: ModelParts, x: Any) -> tuple[PyTree, ...]:
    """Return a user's inputs in the structure of the network; they build the model if necessary."""
    batch = to_batch(x, text=True)
    model.build_for(batch)
    return model.input_expectation()(batch).inputs


def call(model: Any, parts: ModelParts, x: Any, training: bool | None) -> PyTree:
    """Return the outputs for arrays as JAX arrays; see `Model.__call__`."""
    inputs = inputs_of(model, parts, x)
    train_state = parts.weights.train_state
    outputs, _ = apply_layer(
        parts.architecture.network, train_state.params, train_state.state, *inputs,
        key=parts.weights.next_key(), training=training,
    )  # fmt: skip
    return strip_masks(outputs)
