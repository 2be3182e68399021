"""Calls of layers within a `StatelessScope`: the scope has the values of the weights."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax

from fjax.core.penalties import penalty_terms
from fjax.core.precision import apply_layer
from fjax.core.reserved import PENALTY
from fjax.core.slot_variables import variables_at
from fjax.core.step_scopes import StepScope
from fjax.core.weight_slot import PARTS, Path, WeightSlot
from fjax.typing import Array, Key, PyTree, State
from fjax.variable import StatelessScope, Variable


def call_in_scope(
    scope: StatelessScope,
    name: str,
    layer: Any,
    slot: WeightSlot,
    values: tuple[PyTree, ...],
    training: bool | None,
    next_key: Callable[[], Key],
) -> PyTree:
    """Return the outputs of a layer for the weights of a scope, which gets the next state.

    A weight that the scope does not have is that of the slot.

    Args:
        scope: The scope.
        name: The layer's name, for errors.
        layer: The layer.
        slot: Its slot, filled.
        values: Its inputs.
        training: Whether the call is in training mode.
        next_key: Returns the key of a call that is not traced, if the scope has no keys.

    Raises:
        TypeError: JAX traces the call, and the scope lacks a weight.
    """
    return _run_in_scope(scope, name, layer, slot, values, training, next_key)[0]


def call_with_variables(
    name: str,
    layer: Any,
    slot: WeightSlot,
    trainable: Sequence[tuple[Variable, Any]],
    others: Sequence[tuple[Variable, Any]],
    values: tuple[PyTree, ...],
    training: bool,
) -> tuple[PyTree, list[Array], list[Array]]:
    """Return the outputs of a layer for these weights, its next other variables, and its losses.

    Args:
        name: The layer's name, for errors.
        layer: The layer.
        slot: Its slot, filled.
        trainable: Its trainable variables and their values.
        others: Its other variables and their values.
        values: Its inputs.
        training: Whether the call is in training mode.
    """
    with StepScope([*trainable, *others]) as scope:
        outputs, after = _run_in_scope(scope, name, layer, slot, values, training, slot.next_key)
        return outputs, [variable.value for variable, _ in others], penalty_terms(after)


def _run_in_scope(
    scope: StatelessScope,
    name: str,
    layer: Any,
    slot: WeightSlot,
    values: tuple[PyTree, ...],
    training: bool | None,
    next_key: Callable[[], Key],
) -> tuple[PyTree, State]:
    trees, missing = _trees_in_scope(scope, slot)
    if missing and _is_traced((values, trees)):
        raise TypeError(
            f"The layer {name!r} was called while JAX traces a function, in a `StatelessScope` "
            f"without its weight {'/'.join(missing[0])!r}, which would be a constant of the "
            "compiled program. Give the scope the variables of the layer; in a step or "
            "`compute_loss`, make the layer an attribute of the model that is trained."
        )
    params, state = trees
    key = scope.next_key()
    if key is None and not _is_traced((values, trees)):
        key = next_key()
    outputs, after = apply_layer(layer, params, state, *values, key=key, training=training)
    _assign_state(scope, slot, state, after)
    return outputs, after


def _trees_in_scope(
    scope: StatelessScope, slot: WeightSlot
) -> tuple[tuple[PyTree, PyTree], list[Path]]:
    """Return the params and the state, and the paths of the weights that the scope lacks."""
    missing: list[Path] = []

    def read(slot: WeightSlot, part: str, tree: PyTree, path: Path, own: Path) -> PyTree:
        if isinstance(tree, Mapping):
            values = {
                name: value
                if name == PENALTY
                else read(slot, part, value, (*path, name), (*own, name))
                for name, value in tree.items()
            }
            if own:
                return values
            return values | {
                name: read(each, part, getattr(each, part), (*path, name), ())
                for name, each in slot.sublayers.items()
            }
        variable = slot.variables.get((part, *own))
        value = None if variable is None else scope.get_current_value(variable)
        if value is None:
            missing.append(path)
            return tree
        return value

    params, state = (read(slot, part, getattr(slot, part), (), ()) for part in PARTS)
    return (params, state), missing


def _assign_state(
    scope: StatelessScope, slot: WeightSlot, before: State, after: State, path: Path = ()
) -> None:
    """Assign what a call has changed in the state to the variables, in the scope."""
    for name, value in after.items() if isinstance(after, Mapping) else ():
        if name == PENALTY:
            continue
        if isinstance(value, Mapping):
            _assign_state(scope, slot, before[name], value, (*path, name))
        elif value is not before[name]:
            (variable,) = variables_at(slot, [("state", *path, name)])
            scope.assign(variable, value)


def _is_traced(tree: PyTree) -> bool:
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(tree))
