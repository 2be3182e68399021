"""`Model.predict`, and the call of a model on arrays."""

from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from fjax.callbacks import CallbackList
from fjax.configuration import cache_key
from fjax.core.masking import strip_masks
from fjax.core.penalties import penalty_terms
from fjax.core.precision import apply_layer
from fjax.data.arrays import Arrays
from fjax.data.conversion import to_batch
from fjax.data.source import Data
from fjax.models.joint_run import describe_source, describe_weights, joint_run
from fjax.models.model_parts import ModelParts, execution_mode
from fjax.models.step_methods.forms import has_predict_step
from fjax.models.step_methods.predict import PredictStep, predict_step
from fjax.models.subclassed import require_outputs
from fjax.training import Programs, programs_for
from fjax.training.batch import rows
from fjax.training.filled_batches import can_be_filled
from fjax.training.loop import predict as predict_source
from fjax.typing import Array, PyTree


class Prediction(NamedTuple):
    """What a model predicts with.

    Attributes:
        network: The network, or a subclass's `predict_step` as one.
        programs: The compiled programs.
        fill: Whether batches with fewer rows may be filled, in the same program.
        is_own: Whether the network is made of fjax's layers alone.
    """

    network: Any
    programs: Programs
    fill: bool
    is_own: bool


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
    with joint_run("`predict`", parts.placement) as run:
        source = data.checked(model.input_expectation(), placement=parts.placement)
        callback_list = CallbackList(
            callbacks, model, verbose, parts.placement.process_index == 0,
            epochs=1, steps=source.steps,
        )  # fmt: skip
        network, programs, fill, _ = _prediction(parts, predict_step(model, parts))
        try:
            # If the first batch does not fit, this raises before callbacks are called.
            _output_specs(network, parts, source.spec.inputs)
            run.agree(lambda: describe_source("data", source) | describe_weights(parts.weights))
            callback_list.call("on_predict_begin", {})
            with execution_mode(model.run_eagerly):
                hooks = run.hooks(callback_list.steps("predict"), source.steps)
                outputs = predict_source(
                    programs, parts.weights.for_call(), partial(_output_specs, network, parts),
                    source, hooks, fill,
                )  # fmt: skip
        finally:
            source.close()
        callback_list.call("on_predict_end", {})
    return outputs[0] if len(outputs) == 1 else jax.tree.map(_joined, *outputs)


def _prediction(parts: ModelParts, step: PredictStep | None = None) -> Prediction:
    network = parts.architecture.network if step is None else step

    def derive() -> tuple[Prediction, tuple[Any, ...]]:
        programs = programs_for(network, None, None, (), parts.programs, parts.placement)
        fill = can_be_filled(network, None, (), training=False)
        return Prediction(network, programs, fill, cache_key(network) is not None), ()

    return parts.plans.get("predict", (network,), derive)


def _joined(*arrays: np.ndarray) -> np.ndarray:
    return np.concatenate(arrays)


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
    """Return the outputs for arrays as JAX arrays; see `Model.__call__`.

    A user's layers run uncompiled, as in Keras, so that they may print values. The penalties of
    the outputs are kept for `Model.losses`.
    """
    inputs = inputs_of(model, parts, x)
    prediction = _prediction(parts)
    if prediction.is_own:
        # A copy: the program may still read the inputs when the user writes to their array.
        inputs = jax.tree.map(np.array, inputs)
        outputs, parts.call_penalties = _call_program(model, parts, prediction, inputs, training)
        return outputs
    params, state, draw = parts.weights.for_call()
    outputs, state = apply_layer(
        prediction.network, params, state, *inputs, key=draw.call_key(), training=training
    )
    parts.call_penalties = penalty_terms(state, ("calls",))
    return strip_masks(outputs)


def classes_of(model: Any, outputs: PyTree) -> np.ndarray:
    """Return the most probable class of each row of a model's outputs."""
    if not isinstance(outputs, np.ndarray):
        raise ValueError(
            f"`predict_classes` needs a model with one output, but {model.name!r} has "
            f"{', '.join(model.output_names)}: use `predict`."
        )
    if outputs.shape[-1] > 1:
        return outputs.argmax(axis=-1)
    return (outputs > 0.5).astype("int32")


def predict_on_batch(model: Any, parts: ModelParts, x: Any) -> PyTree:
    """Return the outputs for one batch as numpy arrays; see `Model.predict_on_batch`."""
    batch = to_batch(x, text=True)
    model.build_for(batch)
    prediction = _prediction(parts)
    if has_predict_step(model) or not prediction.is_own:
        return predict(model, parts, Arrays("predict", batch, rows(batch), None, False), None, 0)
    inputs = model.input_expectation()(batch).inputs
    # A copy: the user may write to it.
    outputs, _ = _call_program(model, parts, prediction, inputs, training=False)
    return jax.tree.map(np.array, outputs)


def _call_program(
    model: Any, parts: ModelParts, prediction: Prediction, inputs: PyTree, training: bool | None
) -> tuple[PyTree, list[Array]]:
    with execution_mode(model.run_eagerly):
        called = prediction.programs.call(parts.weights.for_call(), inputs, training=training)
        outputs, penalties = called
        return outputs, penalties
