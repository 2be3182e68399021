"""Where a loss that is not finite came from: the step, and the first weight or layer."""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fjax.core import Layer
from fjax.core.calling import CallRecord
from fjax.core.masking import strip_masks
from fjax.core.naming import default_name
from fjax.core.precision import apply_layer
from fjax.core.reserved import only_weights
from fjax.training import Batch, TrainState
from fjax.training.programs import copy_of
from fjax.trees import path_name
from fjax.typing import Array, Key, Params, PyTree, State


class Chunk(NamedTuple):
    """Steps that were made in one program, and all that is needed to make them again.

    Attributes:
        train_state: The train state before them, of arrays of its own.
        data: The rows on the device.
        order: The order in which they were taken; None is as they lie.
        first: The first batch.
        last: One past the last batch.
        batch_size: Rows in a batch.
        loss: The running loss after them, still on the device.
    """

    train_state: TrainState
    data: Batch
    order: Array | None
    first: int
    last: int
    batch_size: int
    loss: Array

    def batch(self, step: int) -> Batch:
        """Return the rows of one step."""
        start = step * self.batch_size
        stop = min(start + self.batch_size, jax.tree.leaves(self.data)[0].shape[0])
        rows = slice(start, stop) if self.order is None else self.order[start:stop]
        return jax.tree.map(lambda array: array[rows], self.data)


def first_bad_step(advance: Callable[..., Any], chunk: Chunk) -> tuple[TrainState, int]:
    """Return the first step after which the loss is not finite, and the train state before it.

    The steps are made again, in halves: as they depend on the train state and the data alone, they
    come out the same, and all of them together are made once at most.
    """
    held, first, last = chunk.train_state, chunk.first, chunk.last
    while last - first > 1:
        middle = (first + last) // 2
        after, logs = advance(
            copy_of(held), chunk.data, chunk.order, np.int32(first), np.int32(middle),
            batch_size=chunk.batch_size,
        )  # fmt: skip
        if np.isfinite(logs["loss"]):
            held, first = after, middle
        else:
            last = middle
    return held, first


def cause_of(network: Any, held: TrainState, batch: Batch) -> str:
    """Return in words what is first not finite when a network is trained on a batch.

    Args:
        network: The network.
        held: The train state before the step.
        batch: What the step sees.
    """
    weight = _first_weight(network, held)
    if weight is not None:
        before = (
            "the update of the batch before made it so, though that batch's loss was finite. A "
            "smaller learning rate, or the optimizer's `clipnorm=1.0`, keeps updates small."
            if int(held.step)
            else "it was so before the first step."
        )
        return f"The weight {weight}: {before}"
    key = jax.random.fold_in(held.key, held.step)
    with warnings.catch_warnings():
        # What the layers have to say was said when the step was compiled.
        warnings.simplefilter("ignore")
        found = _first_layer(network, held.params, held.state, batch.inputs, key)
    if found is not None:
        return f"Inputs and weights are finite; the first layer whose outputs are not is {found}."
    return (
        "Weights and the outputs of all layers are finite: what is made of them, the loss, is not."
    )


def _first_weight(network: Any, held: TrainState) -> str | None:
    """Return the path and the value of the first weight that is not finite, layer by layer."""
    children = network.children() if isinstance(network, Layer) else []
    places = {name: place for place, (name, _) in enumerate(children)}
    leaves = [
        (path_name(path), leaf)
        for tree in (held.params, only_weights(held.state))
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    ]
    leaves.sort(key=lambda entry: places.get(entry[0].partition("/")[0], 0))
    for path, leaf in leaves:
        value = _not_finite(leaf)
        if value is not None:
            return f"{path!r} is {value} before this batch"
    return None


def _first_layer(
    network: Any,
    params: Params,
    state: State,
    inputs: tuple[PyTree, ...],
    key: Key | None,
    within: str = "",
) -> str | None:
    """Return the name, the layer and the value of the first outputs that are not finite."""
    for record in _calls(network, params, state, inputs, key):
        value = _not_finite(record.outputs)
        if value is None:
            continue
        path, layer = within + record.name, record.layer
        if _has_layers(layer) and record.name:
            own = params.get(record.name, {}), state.get(record.name, {})
            inner = _first_layer(layer, *own, record.inputs, record.key, f"{path}/")
            if inner is not None:
                return inner
        # An author's whole has no name: none of the layers within it was the first.
        place = repr(path.rstrip("/")) if path else "the model's own `call`"
        return f"{place}, {layer!r}: they hold {value}"
    return None


def _calls(
    network: Any, params: Params, state: State, inputs: tuple[PyTree, ...], key: Key | None
) -> list[CallRecord]:
    if _has_layers(network):
        return network.trace(params, state, *inputs, key=key, training=True)
    outputs, _ = apply_layer(network, params, state, *inputs, key=key, training=True)
    name = getattr(network, "name", None) or default_name(network)
    return [CallRecord(name, network, inputs, outputs)]


def _has_layers(layer: Any) -> bool:
    return isinstance(layer, Layer) and hasattr(layer, "trace") and bool(layer.children())


def _not_finite(tree: PyTree) -> str | None:
    """Return "nan" or "inf" where an array of the tree holds one."""
    for leaf in jax.tree.leaves(strip_masks(tree)):
        if jnp.issubdtype(jnp.result_type(leaf), jnp.inexact):
            if jnp.isnan(leaf).any():
                return "nan"
            if not jnp.isfinite(leaf).all():
                return "inf"
    return None
