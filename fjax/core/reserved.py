"""Names in a layer's state that stand for no weight; no layer may have one of them."""

from collections.abc import Mapping

from fjax.typing import State

# What the layer adds to the loss; see `fjax.core.penalties`.
PENALTY = "penalty"

# What a stateful recurrent layer remembers of the sequences that it has read.
CARRY = "carry"

RESERVED = (PENALTY, CARRY)


def has_carry(state: State) -> bool:
    """Return whether a layer in a network remembers the sequences that it has read.

    >>> has_carry({"lstm": {"carry": {"0": 1}}}), has_carry({"dense": {}})
    (True, False)
    """
    return CARRY in state or any(
        has_carry(value) for value in state.values() if isinstance(value, Mapping)
    )


def only_weights(state: State) -> State:
    """Return a network's state without what stands under reserved names.

    >>> only_weights({"dense": {"penalty": {"weights": 0.0, "calls": 0.0}}, "a": {"mean": 1}})
    {'dense': {}, 'a': {'mean': 1}}
    """
    return {
        name: only_weights(value) if isinstance(value, Mapping) else value
        for name, value in state.items()
        if name not in RESERVED
    }
