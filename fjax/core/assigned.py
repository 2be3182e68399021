"""Trainable weights that an author's `call` assigns while its layer is called on arrays."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import jax

from fjax.core.slot_variables import SlotStorage
from fjax.core.weight_slot import find_slot
from fjax.typing import Array

# The layer, the name and the value of each, in the call that runs.
_ASSIGNED: ContextVar[list[tuple[Any, str, Array]] | None] = ContextVar("assigned", default=None)


@contextmanager
def stored_assignments() -> Iterator[None]:
    """Put what is assigned within this context into the slots of the layers, at its end."""
    assigned: list[tuple[Any, str, Array]] = []
    token = _ASSIGNED.set(assigned)
    try:
        yield
    finally:
        _ASSIGNED.reset(token)
    for layer, name, value in assigned:
        slot = find_slot(layer)
        if slot is not None and name in slot.params:
            SlotStorage(slot, "params", (name,)).write(value)


def note_assigned(layer: Any, name: str, value: Array) -> None:
    """Note the value of a weight, if its layer is called on arrays.

    A traced value belongs to a pure function, which has no weights to change.
    """
    assigned = _ASSIGNED.get()
    if assigned is not None and not isinstance(value, jax.core.Tracer):
        assigned.append((layer, name, value))
