"""Find where a loss that is not finite came from: the step, and the first weight or layer."""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fjax.core import Layer
from fjax.core.masking import strip_masks
from fjax.core.reserved import only_weights
from fjax.core.tracing import has_layers, trace_calls
from fjax.training import Batch, TrainState
from fjax.training.programs import copy_of
from fjax.trees import path_name
from fjax.typing import Array, Key, Params, PyTree, State


class Chunk(NamedTuple):
    """Steps that ran as one program, with everything needed to run them again.

    Attributes:
        train_state: A copy of the train state before the steps.
        data: The batches of a window, on the device.
        bounds: What the program reads besides the data; see `Window.bounds`.
        is_filled: Whether the last batch may have rows that do not count.
        loss: The running loss after the steps, still on the device.
    """

    train_state: TrainState
    data: Batch
    bounds: np.ndarray
    is_filled: bool
    loss: Array

    def batch(self, step: int) -> Batch:
        """Return the rows of one step."""
        left = int(self.bounds[2]) - step * jax.tree.leaves(self.data)[0].shape[1]
        return jax.tree.map(lambda array: array[step, :left], self.data)


def find_bad_step(advance: Callable[..., Any], chunk: Chunk) -> tuple[TrainState, int]:
    """Return the train state before the first step whose loss is not finite, and the step.

    A binary search runs the steps again. They depend on the train state and the data alone, so the
    results are the same. In total, no more steps run than the chunk has.
    """
    train_state = chunk.train_state
    first, last, *rest = map(int, chunk.bounds)
    while last - first > 1:
        middle = (first + last) // 2
        after, logs = advance(
            copy_of(train_state), (), chunk.data, np.array([first, middle, *rest], np.int32),
            is_filled=chunk.is_filled,
        )  # fmt: skip
        if np.isfinite(logs["loss"]):
            train_state, first = after, middle
        else:
            last = middle
    return train_state, first


def explain_bad_step(network: Any, train_state: TrainState, batch: Batch) -> str:
    """Return a sentence that names what is first not finite when a network trains on a batch.

    Args:
        network: The network.
        train_state: The train state before the step.
        batch: The batch of the step.
    """
    weight = _first_bad_weight(network, train_state)
    if weight is not None:
        reason = (
            "the update before this batch made it so, though the loss was still finite. A smaller "
            "learning rate, or the optimizer's `clipnorm=1.0`, keeps updates small."
            if int(train_state.step)
            else "it was so before the first step."
        )
        return f"The weight {weight}: {reason}"
    key = jax.random.fold_in(train_state.key, train_state.step)
    with warnings.catch_warnings():
        # The layers gave their warnings when the step was compiled.
        warnings.simplefilter("ignore")
        layer = _first_bad_layer(network, train_state.params, train_state.state, batch.inputs, key)
    if layer is not None:
        return f"Inputs and weights are finite; the first layer whose outputs are not is {layer}."
    return "Weights and the outputs of all layers are finite: the loss computed from them is not."


def _first_bad_weight(network: Any, train_state: TrainState) -> str | None:
    """Return the path and the value of the first weight that is not finite, layer by layer."""
    children = network.children() if isinstance(network, Layer) else []
    positions = {name: position for position, (name, _) in enumerate(children)}
    leaves = [
        (path_name(path), leaf)
        for tree in (train_state.params, only_weights(train_state.state))
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    ]
    leaves.sort(key=lambda item: positions.get(item[0].partition("/")[0], 0))
    for path, leaf in leaves:
        value = _not_finite(leaf)
        if value is not None:
            return f"{path!r} is {value} before this batch"
    return None


def _first_bad_layer(
    network: Any,
    params: Params,
    state: State,
    inputs: tuple[PyTree, ...],
    key: Key | None,
    prefix: str = "",
) -> str | None:
    """Return a description of the first layer whose outputs are not finite: path, layer, value."""
    for record in trace_calls(network, params, state, *inputs, key=key, training=True):
        value = _not_finite(record.outputs)
        if value is None:
            continue
        path, layer = prefix + record.name, record.layer
        if has_layers(layer) and record.name:
            layer_params, layer_state = params.get(record.name, {}), state.get(record.name, {})
            inner = _first_bad_layer(
                layer, layer_params, layer_state, record.inputs, record.key, f"{path}/"
            )
            if inner is not None:
                return inner
        # The record of a subclassed model itself has no name: all its layers' outputs are finite.
        name = repr(path.rstrip("/")) if path else "the model's own `call`"
        return f"{name}, {layer!r}: they hold {value}"
    return None


def _not_finite(tree: PyTree) -> str | None:
    """Return "nan" or "inf" if an array of the tree holds one."""
    for leaf in jax.tree.leaves(strip_masks(tree)):
        if jnp.issubdtype(jnp.result_type(leaf), jnp.inexact):
            if jnp.isnan(leaf).any():
                return "nan"
            if not jnp.isfinite(leaf).all():
                return "inf"
    return None
