"""Penalties: terms of the loss that layers compute, such as those of regularizers.

A layer returns its penalty in its state under a reserved key, `{"penalty": {"weights": …, "calls":
…}}`: two float32 scalars, initialized to zero by `init`, so that the structure of the state never
changes. A layer without penalties has no such entry. "weights" depends on the params only, and is
counted once even if a shared layer is applied several times. "calls" depends on the inputs, such as
the penalty of an activity regularizer, and is summed over all calls of a shared layer.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from fjax.configuration import fields_ending
from fjax.core.reserved import PENALTY
from fjax.typing import Array, Params, PyTree, State


def penalty(state: State) -> Array:
    """Return the sum of all penalties in a network's state, nested layers included, as float32.

    Stacked penalties, as `lax.scan` returns them, are summed too.

    >>> state = {"dense": {"penalty": {"weights": jnp.float32(1), "calls": jnp.float32(2)}}}
    >>> float(penalty(state)), float(penalty({"dense": {}}))
    (3.0, 0.0)
    """
    terms = (jnp.sum(term) for entry in _penalties(state) for term in entry.values())
    return sum(terms, jnp.zeros((), jnp.float32))


def penalty_terms(state: State, names: tuple[str, ...] = ("weights", "calls")) -> list[Array]:
    """Return the penalty of each layer that has one, in a list; their sum is `penalty(state)`.

    Args:
        state: A network's state.
        names: "weights" for what depends on the weights alone, "calls" for what depends on inputs.

    >>> state = {"dense": {"penalty": {"weights": jnp.float32(1), "calls": jnp.float32(2)}}}
    >>> [float(term) for term in penalty_terms(state)], penalty_terms({"dense": {}})
    ([3.0], [])
    """
    return [
        sum((jnp.sum(entry[name]) for name in names), jnp.float32(0)) for entry in _penalties(state)
    ]


def has_penalty(state: State) -> bool:
    """Return whether any layer of a network has a penalty, whatever its value.

    >>> has_penalty({"dense": {"penalty": {"weights": 0.0, "calls": 0.0}}})
    True
    """
    return any(True for _ in _penalties(state))


def join_penalties(previous: State, new: State) -> State:
    """Return the state of a shared layer after a further call in the same forward pass.

    Args:
        previous: The state that the previous call returned.
        new: The state that this call returned, given `previous`.

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


def with_weight_penalties(state: State, other: State) -> State:
    """Return a state with the penalties of weights that another one has, and no others.

    >>> empty = {"mean": 3, "penalty": {"weights": 0.0, "calls": 0.0}}
    >>> with_weight_penalties(empty, {"mean": 4, "penalty": {"weights": 1.0, "calls": 5.0}})
    {'mean': 3, 'penalty': {'weights': 1.0, 'calls': 0.0}}
    """
    return {
        name: {**value, "weights": other[name]["weights"]}
        if name == PENALTY
        else with_weight_penalties(value, other[name])
        if isinstance(value, Mapping)
        else value
        for name, value in state.items()
    }


def empty_penalty(layer: Any) -> State:
    """Return the penalty entry of a layer's initial state: zeros, or `{}` without regularizers.

    >>> from fjax.layers import Dense
    >>> empty_penalty(Dense(3))
    {}
    """
    if not _regularizers(layer):
        return {}
    zero = jnp.zeros((), jnp.float32)
    return {PENALTY: {"weights": zero, "calls": zero}}


def with_penalty(layer: Any, params: Params, state: State, outputs: PyTree) -> State:
    """Return a layer's state with the penalties of its regularizers added.

    A field `<weight>_regularizer` applies to `params[<weight>]` (but see `Layer.weight_of`), unless
    the layer is frozen. `activity_regularizer` applies to the outputs; its penalty is divided by
    the batch size. Without regularizers the state is returned unchanged.

    Raises:
        ValueError: A regularizer did not return a scalar.

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
                # Avoids a division by zero for an empty batch.
                size = max(1, output.shape[0]) if output.ndim else 1
                calls = calls + regularization(layer, name, regularizer, output) / size
        elif (weight := layer.weight_of(name)) in params and layer.trainable:
            weights = weights + regularization(layer, name, regularizer, params[weight])
    return {**state, PENALTY: {"weights": weights, "calls": calls}}


def layer_losses(layer: Any, params: Params, state: State, was_called: bool) -> list[Array]:
    """Return the penalties of a layer and its sublayers, one for each regularized weight.

    Penalties of outputs, and those of an author's `add_loss`, are as the state has them: of the
    last call, if there was one.

    >>> from fjax.layers import Dense
    >>> layer = Dense(1, kernel_regularizer="l2")
    >>> params, state = {"kernel": jnp.ones((5, 1))}, empty_penalty(layer)
    >>> [round(float(loss), 4) for loss in layer_losses(layer, params, state, False)]
    [0.05]
    """
    regularizers = _regularizers(layer)
    losses = [
        regularization(layer, name, regularizer, params[layer.weight_of(name)])
        for name, regularizer in regularizers.items()
        if name != "activity" and layer.weight_of(name) in params and layer.trainable
    ]
    entry = state.get(PENALTY, {"weights": 0.0, "calls": 0.0})
    is_of_author = PENALTY in state and not regularizers
    if float(entry["calls"]) or (was_called and ("activity" in regularizers or is_of_author)):
        losses.append(entry["calls"])
    # The weights of an author's class are regularized in its passes.
    if is_of_author and float(entry["weights"]):
        losses.append(entry["weights"])
    for name, child in layer.children() if hasattr(layer, "children") else []:
        if name in params:
            losses += layer_losses(child, params[name], state[name], was_called)
    return losses


def _regularizers(layer: Any) -> dict[str, Callable[[Array], Array]]:
    regularizers = fields_ending(layer, "_regularizer")
    # `activity_regularizer` may also be a property.
    activity = getattr(layer, "activity_regularizer", None)
    return regularizers if activity is None else {**regularizers, "activity": activity}


def regularization(
    layer: Any, name: str, regularizer: Callable[[Array], Array], array: Array
) -> Array:
    """Return the penalty of an array by a layer's regularizer, as a float32 scalar.

    Raises:
        ValueError: The regularizer did not return a scalar.
    """
    value = jnp.asarray(regularizer(array), jnp.float32)
    if value.shape != ():
        raise ValueError(
            f"`{type(layer).__name__}`: `{name}_regularizer` must return one number; for an array "
            f"of shape {array.shape} it returned shape {value.shape}. Sum over it with `jnp.sum`."
        )
    return value


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
