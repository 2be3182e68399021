"""Terms of the loss that come from within the network, and how they travel.

A layer returns them in its state under a reserved name, `{"penalty": {"weights": …, "calls": …}}`:
two float32 numbers, zeros from `init` on, so that the structure of a state never changes. A layer
that has none has no such entry. "weights" is a function of the params: a shared layer counts it
once, however often it is applied. "calls" is what its calls added, such as penalties of outputs: a
shared layer counts each.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from fjax.configuration import fields_ending
from fjax.core.reserved import PENALTY
from fjax.typing import Array, Params, PyTree, State


def penalty(state: State) -> Array:
    """Return the sum of all penalties in a network's state, however its layers nest; float32.

    Penalties of stacked layers, as `lax.scan` returns them, are summed too.

    >>> state = {"dense": {"penalty": {"weights": jnp.float32(1), "calls": jnp.float32(2)}}}
    >>> float(penalty(state)), float(penalty({"dense": {}}))
    (3.0, 0.0)
    """
    terms = (jnp.sum(term) for found in _penalties(state) for term in found.values())
    return sum(terms, jnp.zeros((), jnp.float32))


def has_penalty(state: State) -> bool:
    """Tell whether any layer of a network has penalties; values are not looked at.

    >>> has_penalty({"dense": {"penalty": {"weights": 0.0, "calls": 0.0}}})
    True
    """
    return any(True for _ in _penalties(state))


def join_penalties(previous: State, new: State) -> State:
    """Return the state of a shared layer that was applied again in the same pass.

    Args:
        previous: What the application before returned.
        new: What this one returned, having been given `previous`.

    >>> once = {"penalty": {"weights": 1.0, "calls": 2.0}}
    >>> join_penalties(once, {"penalty": {"weights": 1.0, "calls": 5.0}})
    {'penalty': {'weights': 1.0, 'calls': 7.0}}
    """
    return {
        name: {**value, "calls": previous[name]["calls"] + value["calls"]}
        if name == PENALTY
        else join_penalties(previous[name], value)
        if isinstance(value, Mapping)
        else value
        for name, value in new.items()
    }


def empty_penalty(layer: Any) -> State:
    """Return what a layer's `init` puts into its state: zeros, or nothing without regularizers.

    >>> from fjax.layers import Dense
    >>> empty_penalty(Dense(3))
    {}
    """
    if not _regularizers(layer):
        return {}
    zero = jnp.zeros((), jnp.float32)
    return {PENALTY: {"weights": zero, "calls": zero}}


def with_penalty(layer: Any, params: Params, state: State, outputs: PyTree) -> State:
    """Return the state that a layer's `apply` returns: with what its regularizers charge.

    A field `<weight>_regularizer` charges for `params[<weight>]` (but see `Layer.weight_of`),
    unless the layer is frozen; `activity_regularizer` charges for the outputs, divided by the batch
    size. A layer without regularizers gets its state back as it is.

    Raises:
        ValueError: A regularizer returned more than one number.

    >>> from fjax.layers import Dense
    >>> layer = Dense(1, kernel_regularizer="l2", activity_regularizer="l1")
    >>> state = with_penalty(layer, {"kernel": jnp.ones((5, 1))}, {}, jnp.ones((2, 1)))
    >>> {name: round(value.item(), 4) for name, value in state["penalty"].items()}
    {'weights': 0.05, 'calls': 0.01}
    """
    regularizers = _regularizers(layer)
    if not regularizers:
        return state
    weights, calls = jnp.zeros((), jnp.float32), jnp.zeros((), jnp.float32)
    for name, regularizer in regularizers.items():
        if name == "activity":
            for output in jax.tree.leaves(outputs):
                # An empty batch has no penalty, and is not divided by.
                size = max(1, output.shape[0]) if output.ndim else 1
                calls = calls + regularization(layer, name, regularizer, output) / size
        elif (weight := layer.weight_of(name)) in params and layer.trainable:
            weights = weights + regularization(layer, name, regularizer, params[weight])
    return {**state, PENALTY: {"weights": weights, "calls": calls}}


def _regularizers(layer: Any) -> dict[str, Callable[[Array], Array]]:
    found = fields_ending(layer, "_regularizer")
    # A layer may also derive it from other fields.
    activity = getattr(layer, "activity_regularizer", None)
    return found if activity is None else {**found, "activity": activity}


def regularization(
    layer: Any, name: str, regularizer: Callable[[Array], Array], array: Array
) -> Array:
    """Return what a layer's regularizer charges for an array, in float32.

    Raises:
        ValueError: It returned more than one number.
    """
    charge = jnp.asarray(regularizer(array), jnp.float32)
    if charge.shape != ():
        raise ValueError(
            f"`{type(layer).__name__}`: `{name}_regularizer` must return one number, for an array "
            f"of shape {array.shape} it returned shape {charge.shape}. Sum over it by `jnp.sum`."
        )
    return charge


def _penalties(state: Any) -> Iterator[Mapping[str, Array]]:
    if not isinstance(state, Mapping):
        return
    for name, value in state.items():
        if name != PENALTY:
            yield from _penalties(value)
        elif isinstance(value, Mapping) and set(value) == {"weights", "calls"}:
            yield value
        else:
            raise ValueError(
                f"The name {PENALTY!r} is reserved in a layer's state for "
                f'`{{"weights": …, "calls": …}}`, received {value!r}. Give your entry another name.'
            )
