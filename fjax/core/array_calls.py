"""Calls of layers on arrays, outside of models: the weights are in the layers' slots."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from fjax.core.assigned import stored_assignments
from fjax.core.calling import CallKwargs, call_inputs
from fjax.core.location import layer_context
from fjax.core.naming import default_name
from fjax.core.precision import apply_layer, init_layer
from fjax.core.scoped_calls import call_in_scope, call_with_variables
from fjax.core.specs import spec_of, specs_of
from fjax.core.text_inputs import is_text, text_input_error
from fjax.core.weight_slot import PARTS, WeightSlot, connect_slots, find_slot, give_slots, slot_of
from fjax.typing import Array, Key, PyTree, Spec
from fjax.variable import StatelessScope, Variable, current_scope


def call_on_arrays(
    layer: Any, inputs: tuple[Any, ...], training: bool | None, options: dict[str, Any]
) -> PyTree:
    """Return the outputs of a layer for arrays; its slot has its weights, and gets its next state.

    The weights of a layer that has none yet are drawn, from a seed of Python's `random`. The mode
    None is the default of each layer.

    Raises:
        TypeError: The layer has weights, and the call is part of a function that JAX traces.
    """
    for value in inputs:
        if is_text(value) and not getattr(layer, "takes_text", False):
            raise text_input_error(type(layer).__name__, value)
    values: tuple[Any, ...] = tuple(
        value if isinstance(value, CallKwargs) else _as_arrays(value)
        for value in call_inputs(layer, inputs, options)
    )
    with layer_context(layer_name(layer), layer, values):
        is_traced = any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(values))
        scope = current_scope()
        if scope is not None:
            return _call_in_scope(scope, layer, values, training, is_traced)
        if is_traced:
            return _call_traced(layer, values, training, None)
        slot = filled_slot(layer) or draw_weights(layer, values)
        if slot is None:
            raise traced_call_error(layer)
        params, state = (slot.gather_with_borrowed(part) for part in PARTS)
        with stored_assignments():
            outputs, state = apply_layer(
                layer, params, state, *values, key=slot.next_key(), training=training
            )
        slot.scatter("state", state)
        slot.was_called = True
    return outputs


def _call_in_scope(
    scope: StatelessScope,
    layer: Any,
    values: tuple[PyTree, ...],
    training: bool | None,
    is_traced: bool,
) -> PyTree:
    """Return the outputs of a layer within a `StatelessScope`."""
    # While JAX traces, new weights would be traced arrays, which no slot may have.
    slot = find_slot(layer) if is_traced else filled_slot(layer) or draw_weights(layer, values)
    if slot is None or not _is_filled(slot):
        return _call_traced(layer, values, training, scope.next_key())
    return call_in_scope(scope, layer_name(layer), layer, slot, values, training, slot.next_key)


def stateless_call(
    layer: Any,
    trainable: Sequence[tuple[Variable, Any]],
    others: Sequence[tuple[Variable, Any]],
    inputs: tuple[Any, ...],
    training: bool,
    options: dict[str, Any],
) -> tuple[PyTree, list[Array], list[Array]]:
    """Return the outputs of a layer, its next other variables and its losses; see `Layer`."""
    slot = find_slot(layer)
    assert slot is not None
    values: tuple[Any, ...] = tuple(
        value if isinstance(value, CallKwargs) else _as_arrays(value)
        for value in call_inputs(layer, inputs, options)
    )
    name = layer_name(layer)
    with layer_context(name, layer, values):
        return call_with_variables(name, layer, slot, trainable, others, values, training)


def filled_slot(layer: Any) -> WeightSlot | None:
    """Return the slot of a layer with its weights, which are drawn now if the layer is built.

    None if the layer is not built: it is in no built model, and was not called.
    """
    slot = find_slot(layer)
    if slot is None:
        return None
    if slot.link is not None and slot.link.is_alive and not _is_filled(slot):
        slot.link.make_weights()
        # A layer that was adapted in the meantime has a new slot.
        slot = slot_of(layer)
    if _is_filled(slot):
        return slot
    return None if slot.specs is None else draw_weights(layer, slot.specs)


def known_inputs(layer: Any) -> tuple[Spec, ...] | None:
    """Return the inputs that a layer was built for outside of an author's pass, or None."""
    slot = find_slot(layer)
    if slot is None:
        return None
    if slot.link is not None and slot.link.is_alive:
        return slot.link.input_specs(layer) or slot.specs
    return slot.specs


def draw_weights(layer: Any, specs: tuple[Spec, ...]) -> WeightSlot | None:
    """Return the slot of a layer, filled with weights for inputs of these shapes and dtypes.

    None if JAX traces the calling function, as in a pass of an author's object: there are no
    values, and the slot stays empty.
    """
    give_slots(layer)
    slot = slot_of(layer)
    params, state = init_layer(layer, slot.next_key(), *specs)
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves((params, state))):
        return None
    slot = connect_slots(layer_name(layer), layer, specs_of(params), specs_of(state))
    slot.fill(params, state)
    slot.specs = jax.tree.map(spec_of, specs)
    return slot


def traced_call_error(layer: Any) -> TypeError:
    """Return the error for a layer with weights that is called in a traced function."""
    name = layer_name(layer)
    return TypeError(
        f"The layer {name!r} was called inside a traced function (`jax.jit`, `jax.grad`, …), where "
        "the arrays of its weights are constants: use its pure pair, with the arrays as arguments: "
        "`outputs, state = layer.apply(params, state, inputs)`, from `params, state = "
        "layer.init(key, inputs)`. Within an authored layer, make it in `__init__` or `build`, not "
        "in `call`."
    )


def layer_name(layer: Any) -> str:
    """Return the name of a layer in its model, its own, or that of its class."""
    return getattr(layer, "name", None) or default_name(layer)


def _is_filled(slot: WeightSlot) -> bool:
    return slot.shapes is not None and slot.is_tree_filled


def _call_traced(
    layer: Any, values: tuple[PyTree, ...], training: bool | None, key: Key | None
) -> PyTree:
    """Return the outputs of a layer without weights in a function that JAX traces."""
    params, state = jax.eval_shape(lambda: init_layer(layer, jax.random.key(0), *values))
    if jax.tree.leaves((params, state)):
        raise traced_call_error(layer)
    return apply_layer(layer, params, state, *values, key=key, training=training)[0]


def _as_arrays(value: PyTree) -> PyTree:
    return jax.tree.map(lambda leaf: leaf if is_text(leaf) else jnp.asarray(leaf), value)
